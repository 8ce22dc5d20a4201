/**
 * Any order of edits, calls and reloads, good and bad: some good version always serves, with the state that a plain
 * model says, under an id that only grows; no more is in memory than the version that serves, and no more is staged than
 * that and the versions that can be gone back to.
 */
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Addon, isReloadError, type OpenOptions, open, type ReloadReport } from '../../src/index.ts';
import { createScratch, install, type Scratch } from '../support/addons.ts';
import {
  BUILDS,
  type Build,
  type Counter,
  compileBuild,
  goModel,
  HELD_MAX,
  MIGRATE,
  type Model,
  type ReloadWay,
  reloadModel,
  rollbackModel,
} from './counter.ts';
import { FIXED_SEED, RUN_MAX_MS, RUNS } from './runs.ts';

const COMMANDS_MAX = 25;

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
function compare({ live, held, nextId }: Model, { addon }: Real): void {
  const copies = fs
    .readdirSync(scratch.file('stage'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.node'))
    .map((name) => Number(path.basename(name).split('-')[0]));
  const versions = live === null ? [] : [...held, live];
  expect(copies.sort((a, b) => a - b)).toEqual(versions.map(({ id }) => id));
  if (addon !== null) expect(addon.history().map(({ id }) => id)).toEqual(held.map(({ id }) => id));
  expect(addon === null).toBe(live === null);
  const mapped = fs.readFileSync('/proc/self/maps', 'utf8').matchAll(new RegExp(`${scratch.path}\\S*`, 'g'));
  expect(new Set([...mapped].map(([file]) => file))).toEqual(
    new Set(addon === null ? [] : [addon.current.path]),
  );
  if (addon === null || live === null) return;
  const { exports, current } = addon;
  expect([exports.name(), exports.count()]).toEqual([live.build.name, live.count]);
  expect([current.id, current.state, current.schema]).toEqual([live.id, 'live', live.build.schema ?? 1]);
  expect(live.id).toBeLessThan(nextId);
  // Whatever was refused or replaced has left the memory.
  expect(addon.versions()).toEqual([current]);
}

class Open implements Command {
  check = ({ live }: Model): boolean => live === null;

  async run(model: Model, real: Real): Promise<void> {
    model.nextId = 1;
    model.held = [];
    const wanted = reloadModel(model, { force: false, discardState: false });
    const options = { stageDir: scratch.file('stage'), migrate: MIGRATE, history: HELD_MAX } as OpenOptions;
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

/** Does the same to both. */
async function expectSame(
  model: Model,
  { addon }: Real,
  predict: (model: Model) => string,
  run: (addon: Addon<Counter>) => Promise<ReloadReport>,
): Promise<void> {
  if (addon === null) throw new Error('it is closed');
  const from = model.live?.id;
  const wanted = predict(model);
  model.outcomes.add(wanted);
  const outcome = await run(addon).catch((error: unknown) => error);
  if (wanted.startsWith('ERR_')) expect(outcome).toMatchObject({ code: wanted });
  else expect(outcome).toMatchObject({ status: wanted, from, to: model.live?.id });
  compare(model, { addon });
}

class Reload implements Command {
  readonly way: ReloadWay;
  constructor(way: ReloadWay) {
    this.way = way;
  }

  check = ({ live }: Model): boolean => live !== null;

  async run(model: Model, real: Real): Promise<void> {
    const run = (addon: Addon<Counter>) => addon.reload(this.way);
    await expectSame(model, real, (same) => reloadModel(same, this.way), run);
  }

  toString = (): string => `reload ${JSON.stringify(this.way)}`;
}

class Rollback implements Command {
  readonly discardState: boolean;
  constructor(discardState: boolean) {
    this.discardState = discardState;
  }

  check = ({ live }: Model): boolean => live !== null;

  async run(model: Model, real: Real): Promise<void> {
    const { discardState } = this;
    const run = (addon: Addon<Counter>) => addon.rollback({ discardState });
    await expectSame(model, real, (same) => rollbackModel(same, discardState), run);
  }

  toString = (): string => (this.discardState ? 'roll back without the state' : 'roll back');
}

/** To one of the last versions, some of which have left or never went live. */
class Go implements Command {
  readonly back: number;
  readonly way: ReloadWay;
  constructor(back: number, way: ReloadWay) {
    this.back = back;
    this.way = way;
  }

  check = ({ live, nextId }: Model): boolean => live !== null && this.back < nextId;

  async run(model: Model, real: Real): Promise<void> {
    const to = model.nextId - this.back;
    const run = (addon: Addon<Counter>) => addon.reload({ ...this.way, to });
    await expectSame(model, real, (same) => goModel(same, to, this.way), run);
  }

  toString = (): string => `go to the version ${this.back} ids ago ${JSON.stringify(this.way)}`;
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
    way.map(({ discardState }) => new Rollback(discardState)),
    fc.tuple(fc.integer({ min: 0, max: 2 * HELD_MAX }), way).map(([back, value]) => new Go(back, value)),
  ],
  { maxCommands: COMMANDS_MAX, size: 'max' },
);

const seeds: [string, number][] = [
  ['a fixed seed', FIXED_SEED],
  ['a seed of this run', Date.now() % 2 ** 31],
];
test.each(seeds)(
  'the handle equals the model, whatever is done to it: %s',
  { timeout: RUN_MAX_MS },
  async (_, seed) => {
    const outcomes = new Set<string>();
    const property = fc.asyncProperty(commands, async (list) => {
      const real: Real = { addon: null };
      const model: Model = { installed: BUILDS[0] as Build, live: null, held: [], nextId: 1, outcomes };
      const first = new Edit(model.installed);
      try {
        await fc.asyncModelRun(() => ({ model, real }), [first, new Open(), ...list]);
      } finally {
        await real.addon?.close();
      }
    });
    // A failure names its seed and its shortest list of commands.
    await fc.assert(property, { numRuns: RUNS, seed });
    const all =
      'ERR_HOOK_THREW ERR_INIT_THREW ERR_NO_SUCH_VERSION ERR_STATE_ROUNDTRIP ERR_STATE_SCHEMA reloaded unchanged';
    if (seed === FIXED_SEED) expect([...outcomes].sort().join(' ')).toBe(all);
  },
);
