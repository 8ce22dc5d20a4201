/**
 * Any order of edits, calls and reloads, good and bad: some good version always serves, with the state that a plain
 * model says, under an id that only grows, and no more is staged, and no more is in memory, than the version that serves.
 */
import fs from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Addon, isReloadError, type OpenOptions, open } from '../../src/index.ts';
import { createScratch, install, type Scratch } from '../support/addons.ts';
import {
  BUILDS,
  type Build,
  type Counter,
  compileBuild,
  MIGRATE,
  type Model,
  type ReloadWay,
  reloadModel,
} from './counter.ts';

const RUNS = 100;
const COMMANDS_MAX = 25;
const FIXED_SEED = 20_241_122;

interface Real {
  addon: Addon<Counter> | null;
}
type Command = fc.AsyncCommand<Model, Real>;

let scratch: Scratch;
const built = new Map<Build, string>();
beforeAll(() => {
  scratch = createScratch();
  fs.mkdirSync(scratch.file('stage'), { mode: 0o700 });
  for (const build of BUILDS) built.set(build, compileBuild(build));
});
afterAll(() => scratch[Symbol.dispose]());

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (isReloadError(error)) return error.code;
    throw error;
  }
}

/** What holds after every command. */
function compare({ live, nextId }: Model, { addon }: Real): void {
  const copies = fs
    .readdirSync(scratch.file('stage'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.node'));
  expect(copies).toHaveLength(live === null ? 0 : 1);
  expect(addon === null).toBe(live === null);
  const mapped = fs.readFileSync('/proc/self/maps', 'utf8').matchAll(new RegExp(`${scratch.path}\\S*`, 'g'));
  expect(new Set([...mapped].map(([path]) => path))).toEqual(
    new Set(addon === null ? [] : [addon.current.path]),
  );
  if (addon === null || live === null) return;
  const { exports, current } = addon;
  expect([exports.name(), exports.count()]).toEqual([live.build.name, live.count]);
  expect([current.id, current.state, current.schema]).toEqual([live.id, 'live', live.build.schema ?? 1]);
  expect(copies[0]).toMatch(new RegExp(`/${live.id}-`));
  expect(live.id).toBeLessThan(nextId);
  // Whatever was refused or replaced has left the memory.
  expect(addon.versions()).toEqual([current]);
}

class Open implements Command {
  check = ({ live }: Model): boolean => live === null;

  async run(model: Model, real: Real): Promise<void> {
    model.nextId = 1;
    const wanted = reloadModel(model, { force: false, discardState: false });
    const options = { stageDir: scratch.file('stage'), migrate: MIGRATE } as OpenOptions;
    const opening = open<Counter>(scratch.file('kernel.node'), options);
    expect(await codeOf(opening)).toBe(wanted === 'reloaded' ? 'done' : wanted);
    real.addon = wanted === 'reloaded' ? await opening : null;
    compare(model, real);
  }

  toString = (): string => 'open';
}

class Close implements Command {
  check = ({ live }: Model): boolean => live !== null;

  async run(model: Model, real: Real): Promise<void> {
    const { addon } = real;
    await addon?.close();
    expect(() => addon?.exports.count()).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }));
    model.live = null;
    real.addon = null;
    compare(model, real);
  }

  toString = (): string => 'close';
}

class Edit implements Command {
  readonly build: Build;
  constructor(build: Build) {
    this.build = build;
  }

  check = (): boolean => true;

  async run(model: Model, real: Real): Promise<void> {
    install(built.get(this.build) ?? '', scratch.file('kernel.node'));
    model.installed = this.build;
    compare(model, real);
  }

  toString = (): string => `edit to "${this.build.name}"`;
}

class Mutate implements Command {
  check = ({ live }: Model): boolean => live !== null;

  async run(model: Model, real: Real): Promise<void> {
    real.addon?.exports.increment();
    if (model.live !== null) model.live.count += 1;
    compare(model, real);
  }

  toString = (): string => 'increment';
}

class BreakSave implements Command {
  readonly isBroken: boolean;
  constructor(isBroken: boolean) {
    this.isBroken = isBroken;
  }

  check = ({ live }: Model): boolean => live !== null && live.build.schema !== null;

  async run(model: Model, real: Real): Promise<void> {
    real.addon?.exports.breakSave?.(this.isBroken);
    if (model.live !== null) model.live.isSaveBroken = this.isBroken;
    compare(model, real);
  }

  toString = (): string => (this.isBroken ? 'break save' : 'mend save');
}

class Reload implements Command {
  readonly way: ReloadWay;
  constructor(way: ReloadWay) {
    this.way = way;
  }

  check = ({ live }: Model): boolean => live !== null;

  async run(model: Model, { addon }: Real): Promise<void> {
    const from = model.live?.id;
    const wanted = reloadModel(model, this.way);
    model.outcomes.add(wanted);
    const outcome = await addon?.reload(this.way).catch((error: unknown) => error);
    if (wanted.startsWith('ERR_')) expect(outcome).toMatchObject({ code: wanted });
    else expect(outcome).toMatchObject({ status: wanted, from, to: model.live?.id });
    compare(model, { addon: addon ?? null });
  }

  toString = (): string => `reload ${JSON.stringify(this.way)}`;
}

const way: fc.Arbitrary<ReloadWay> = fc.record({
  force: fc.boolean(),
  // Mostly with the state: to carry it is what reloads are for.
  discardState: fc.nat(4).map((die) => die === 0),
});
const commands: fc.Arbitrary<Iterable<Command>> = fc.commands(
  [
    fc.constant(new Open()),
    fc.constant(new Close()),
    fc.constant(new Mutate()),
    fc.boolean().map((isBroken) => new BreakSave(isBroken)),
    fc.constantFrom(...BUILDS).map((build) => new Edit(build)),
    // Two in three, or most edits would be overtaken by the next.
    way.map((value) => new Reload(value)),
    fc
      .record({ force: fc.constant(true), discardState: fc.constant(false) })
      .map((value) => new Reload(value)),
  ],
  { maxCommands: COMMANDS_MAX, size: 'max' },
);

const seeds: [string, number][] = [
  ['a fixed seed', FIXED_SEED],
  ['a seed of this run', Date.now() % 2 ** 31],
];
test.each(seeds)('the handle equals the model, whatever is done to it: %s', async (_, seed) => {
  const outcomes = new Set<string>();
  const property = fc.asyncProperty(commands, async (list) => {
    const real: Real = { addon: null };
    const model: Model = { installed: BUILDS[0] as Build, live: null, nextId: 1, outcomes };
    const first = new Edit(model.installed);
    try {
      await fc.asyncModelRun(() => ({ model, real }), [first, new Open(), ...list]);
    } finally {
      await real.addon?.close();
    }
  });
  // A failure names its seed and its shortest list of commands.
  await fc.assert(property, { numRuns: RUNS, seed });
  const all = 'ERR_HOOK_THREW ERR_INIT_THREW ERR_STATE_ROUNDTRIP ERR_STATE_SCHEMA reloaded unchanged';
  if (seed === FIXED_SEED) expect([...outcomes].sort().join(' ')).toBe(all);
});
