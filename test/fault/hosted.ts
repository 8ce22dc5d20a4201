/** Addons in hosts that end as they are told to, and a look at what their ends leave behind. */
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { type Addon, type AddonEvents, type HostedOpenOptions, open } from '../../src/index.ts';
import { compileAddon, createScratch, FIXTURES, install } from '../support/addons.ts';
import { until } from '../support/until.ts';
import { collect, mappings, openFiles } from './left.ts';

export { collect };

const INCLUDE = path.resolve(FIXTURES, '../../native/include');

/** The exports of `fatal.c`, as they are on this side. */
export interface Fatal {
  version(): Promise<number>;
  pid(): Promise<number>;
  bump(): Promise<number>;
  count(): Promise<number>;
  /** Counts in memory that no version owns. */
  mark(): Promise<number>;
  die(how: string): Promise<number>;
  /** Makes an object that nobody holds, whose finalizer crashes. */
  doom(): Promise<number>;
  never(): Promise<never>;
  /** Its class is described, and so it is in each checkpoint. */
  readonly Cell: new (
    value: number,
  ) => Cell;
  readonly Loose: new (value: number) => Cell;
}

export interface Cell {
  get(): Promise<number>;
  add(): Promise<number>;
}

export function fatalAddon(version: number, ...macros: readonly string[]): string {
  const defines = [`VERSION=${version}`, ...macros].map((macro) => `-D${macro}`);
  return compileAddon([path.join(FIXTURES, 'hosted/fatal.c')], [...defines, `-I${INCLUDE}`, '-pthread']);
}

/** Those of `open()`, by default for processes. */
export type HostedOptions = Partial<HostedOpenOptions>;

/** A folder with an addon, and all that a test wants to know of the hosts of its handle. */
export class Stand implements AsyncDisposable {
  readonly #scratch = createScratch();
  readonly #handles: Addon<unknown>[] = [];
  readonly #fds = openFiles();
  readonly file: string = this.#scratch.file('fatal.node');
  readonly stageDir: string = this.#scratch.file('stage');

  /** What its hooks look into. */
  get folder(): string {
    return this.#scratch.path;
  }

  install(version: number | string): void {
    install(typeof version === 'string' ? version : fatalAddon(version), this.file);
  }

  options(options: HostedOptions = {}): HostedOpenOptions {
    const { host, ...rest } = options;
    const env = { HOSTED_DIR: this.folder, ...host?.env };
    return { isolation: 'process', stageDir: this.stageDir, ...rest, host: { ...host, env } };
  }

  /** @param version of `fatal.c`, or the path of another addon; `T` is what its exports are on this side */
  async open<T = Fatal>(version: number | string = 1, options: HostedOptions = {}): Promise<Addon<T>> {
    this.install(version);
    const addon = (await open(this.file, this.options(options))) as unknown as Addon<T>;
    this.#handles.push(addon);
    return addon;
  }

  /** What the version does when it comes to that hook, once; each time with `!` in front. */
  plan(version: number, hook: string, what: string): void {
    this.#scratch.write(`v${version}-${hook}`, what);
  }

  unplan(version: number, hook: string): void {
    fs.rmSync(this.#scratch.file(`v${version}-${hook}`), { force: true });
  }

  /** @returns the process that hangs there */
  async at(version: number, hook: string): Promise<number> {
    const file = this.#scratch.file(`at-v${version}-${hook}`);
    await until(`version ${version} is at ${hook}`, () => fs.existsSync(file));
    const pid = Number(fs.readFileSync(file, 'utf8'));
    fs.unlinkSync(file);
    return pid;
  }

  goOn(version: number, hook: string): void {
    this.#scratch.write(`go-v${version}-${hook}`, '');
  }

  /** Closes all handles, and looks that nothing is left. */
  async end(): Promise<void> {
    await Promise.all(this.#handles.splice(0).map((handle) => handle.close()));
    expect(hostsOf(process.pid)).toEqual([]);
    expect(staged(this.stageDir)).toEqual([]);
    await until(
      'the descriptors are those of before',
      () => {
        collect();
        return openFiles().filter((each) => !this.#fds.includes(each)).length === 0;
      },
      () => openFiles().filter((each) => !this.#fds.includes(each)),
    );
    await until(
      'nothing of it is mapped',
      () => {
        collect();
        return this.mapped().length === 0;
      },
      () => this.mapped(),
    );
  }

  /** Lines of what this process has mapped of its addons and their memory. */
  mapped(): readonly string[] {
    return mappings().filter((line) => line.includes(this.folder) || line.includes('napi-reload:'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#handles.splice(0).map((handle) => handle.close()));
    this.#scratch[Symbol.dispose]();
  }
}

export function eventOf<K extends keyof AddonEvents>(
  addon: Addon<unknown>,
  event: K,
): Promise<AddonEvents[K][0]> {
  return new Promise((resolve) => addon.once(event, (first?: AddonEvents[K][0]) => resolve(first as never)));
}

/** @returns what it was refused with */
export async function refusalOf(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  const value = await promise.then(
    (resolved) => ({ resolved }),
    (error: unknown) => error as Record<string, unknown>,
  );
  // Until somebody reads it, V8 holds whatever was on the stack.
  for (let error: unknown = value; error instanceof Error; error = error.cause) void error.stack;
  return value as Record<string, unknown>;
}

/** Processes that run hosts for a process, also those that have ended and that it has not heard of yet. */
export function hostsOf(parent: number): readonly number[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const after = fs.readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1) ?? '';
        const [state, above] = after.split(' ');
        if (Number(above) !== parent) return false;
        return state === 'Z' || fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('host-main');
      } catch {
        return false;
      }
    });
}

/** Whether a process is there and no zombie. */
export function isRunning(pid: number): boolean {
  try {
    const after = fs.readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1) ?? '';
    return !after.startsWith('Z');
  } catch {
    return false;
  }
}

/** Names in the stage directory, but for the lock that all handles share. */
export function staged(stageDir: string): readonly string[] {
  return fs.existsSync(stageDir) ? fs.readdirSync(stageDir).filter((name) => name !== '.lock') : [];
}
