/** The app: a process group that is started, told to end, and watched for its end. */
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { PIPE_GRACE_MS } from '../../build/run.ts';
import { forgetGroup, rememberGroup, stopGroup } from '../../build/group.ts';
import type { Outside } from '../../outside.ts';

/** How long the app has to end by itself when it is told to, in milliseconds. */
export const APP_GRACE_MS = 5_000;

export interface AppCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** Of the app alone: the whole of it. */
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** What the person gave, for messages. */
  readonly title: readonly string[];
}

export type AppEnd =
  | {
      readonly kind: 'ended';
      readonly pid: number;
      readonly exitCode: number | null;
      readonly signal: NodeJS.Signals | null;
      /** Whether it was told to. */
      readonly asked: boolean;
    }
  | { readonly kind: 'not-started'; readonly cause: unknown };

export interface AppListener {
  /** Of the streams that are pipes. */
  output(stream: 'stdout' | 'stderr', chunk: string): void;
  /** Nothing of its process group is left. */
  ended(end: AppEnd): void;
}

/** One run of it. */
export class App {
  readonly pid: number | null;
  readonly #outside: Outside;
  readonly #child: ChildProcess | null;
  readonly #over: Promise<void>;
  #asked = false;

  /** Starts it. `listener` hears of its end also when it could not be started, and never before this returns. */
  constructor(command: AppCommand, stdio: StdioOptions, listener: AppListener, outside: Outside) {
    this.#outside = outside;
    let failure: unknown = null;
    try {
      const { args, cwd, env } = command;
      this.#child = outside.spawn(command.command, args, { cwd, env, stdio, detached: true });
    } catch (cause) {
      failure = cause;
      this.#child = null;
    }
    this.pid = this.#child?.pid ?? null;
    this.#over = this.#watch(this.#child, failure, listener);
  }

  /** Tells all of the group to end, and resolves when nothing of it is left and its listener knows. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    this.#asked = true;
    if (this.pid !== null)
      await stopGroup(this.#outside, this.pid, () => this.#isReaped(), { signal, graceMs: APP_GRACE_MS });
    await this.#over;
  }

  async #watch(child: ChildProcess | null, failure: unknown, listener: AppListener): Promise<void> {
    const cause = child === null ? failure : await this.#run(child, listener);
    if (child?.pid === undefined) {
      // A spawn that throws has not left the constructor yet.
      await null;
      listener.ended({ kind: 'not-started', cause });
      return;
    }
    const { exitCode, signalCode: signal, pid } = child;
    listener.ended({ kind: 'ended', pid, exitCode, signal, asked: this.#asked });
  }

  /** @returns why it could not be started */
  async #run(child: ChildProcess, listener: AppListener): Promise<unknown> {
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8');
      child[name]?.on('data', (chunk: string) => listener.output(name, chunk));
      child[name]?.on('error', () => {});
    }
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const { pid } = child;
    if (pid !== undefined) rememberGroup(this.#outside, pid);
    const failure = await new Promise<unknown>((resolve) => {
      child.once('error', resolve);
      child.once('exit', () => resolve(null));
    });
    if (pid === undefined) return failure;
    // What it has started ends with it: the next run may want the same port.
    await stopGroup(this.#outside, pid, () => this.#isReaped());
    forgetGroup(pid);
    let cancel = (): void => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#outside.after(PIPE_GRACE_MS, resolve);
    });
    await Promise.race([closed, late]);
    cancel();
    child.stdout?.destroy();
    child.stderr?.destroy();
    return null;
  }

  #isReaped(): boolean {
    return this.#child !== null && (this.#child.exitCode !== null || this.#child.signalCode !== null);
  }
}
