/** A plain model of a reloadable counter: what each edit and reload must come to, without any of the library. */
import { scriptedAddon } from '../support/addons.ts';

/** What a build of the counter is like. */
export interface Build {
  readonly name: string;
  /** Null for one without hooks. */
  readonly schema: number | null;
  readonly failsAt?: 'load' | 'init' | 'verify';
}

export const BUILDS: readonly Build[] = [
  { name: 'plain', schema: 1 },
  { name: 'other', schema: 1 },
  { name: 'wide', schema: 2 },
  { name: 'unreachable', schema: 4 },
  { name: 'stateless', schema: null },
  { name: 'breaks at load', schema: 1, failsAt: 'load' },
  { name: 'breaks at init', schema: 1, failsAt: 'init' },
  { name: 'breaks at verify', schema: 1, failsAt: 'verify' },
];

/** What the model's counter is as real exports. */
export interface Counter {
  name(): string;
  count(): number;
  increment(): void;
  /** Whether `save` throws from now on; absent where there is none. */
  breakSave?(broken: boolean): void;
}

const raise = (build: Build, at: Build['failsAt']): string =>
  build.failsAt === at ? `throw new Error('at ${at}');` : '';

/** Schema 2 keeps the count doubled, so that a state which no step took along is a wrong count. */
export function compileBuild(build: Build): string {
  const scale = build.schema === 2 ? 2 : 1;
  const hooks = `
    let broken = false;
    exports.breakSave = (value) => { broken = value; };
    exports.napiReload = {
      schema: ${build.schema},
      init({ state }) { ${raise(build, 'init')} if (state !== undefined) count = state / ${scale}; },
      save() { ${raise(build, 'verify')} if (broken) throw new Error('broken'); return count * ${scale}; },
    };`;
  return scriptedAddon(`
    ${raise(build, 'load')}
    let count = 0;
    exports.name = () => '${build.name}';
    exports.count = () => count;
    exports.increment = () => { count += 1; };
    ${build.schema === null ? '' : hooks}
  `);
}

/** Both ways between 1 and 2. No way leads to 4 or back from it. */
export const MIGRATE: object = {
  1: { up: (state: number) => state * 2, down: (state: number) => state / 2 },
};

/** A version that was live, and which one was live before the change that brought it. */
interface Held {
  readonly id: number;
  readonly build: Build;
  readonly before: number | null;
}

export interface Live extends Held {
  count: number;
  isSaveBroken: boolean;
}

export interface Model {
  installed: Build;
  /** Null while the handle is closed. */
  live: Live | null;
  /** What can be gone back to, oldest first. */
  held: readonly Held[];
  nextId: number;
  /** Every outcome that a reload had. */
  readonly outcomes: Set<string>;
}

export interface ReloadWay {
  readonly force: boolean;
  readonly discardState: boolean;
}

/** How many versions the handle of the model holds. */
export const HELD_MAX = 3;

/** Does to the model what a reload does. @returns the code of its refusal, or its status */
export function reloadModel(model: Model, way: ReloadWay): string {
  return goLive(model, model.installed, way, model.live?.id ?? null);
}

/** What `reload({ to })` does. */
export function goModel(model: Model, to: number, way: ReloadWay): string {
  const found = [...model.held, model.live].find((version) => version?.id === to);
  if (!found) return 'ERR_NO_SUCH_VERSION';
  return goLive(model, found.build, way, model.live?.id ?? null);
}

/** What `rollback()` does. */
export function rollbackModel(model: Model, discardState: boolean): string {
  const found = model.held.find(({ id }) => id === model.live?.before);
  if (!found) return 'ERR_NO_SUCH_VERSION';
  return goLive(model, found.build, { force: true, discardState }, found.before);
}

function goLive(
  model: Model,
  next: Build,
  { force, discardState }: ReloadWay,
  before: number | null,
): string {
  const { live } = model;
  if (live !== null && live.build === next && !force) return 'unchanged';
  const id = model.nextId;
  model.nextId += 1;
  if (next.failsAt === 'load') return 'ERR_INIT_THREW';
  const isSaving = live !== null && live.build.schema !== null && !discardState;
  if (isSaving) {
    if (live.isSaveBroken) return 'ERR_HOOK_THREW';
    const isReachable =
      live.build.schema === next.schema ||
      [live.build, next].every(({ schema }) => schema === 1 || schema === 2);
    if (!isReachable) return 'ERR_STATE_SCHEMA';
  }
  if (next.failsAt === 'init') return 'ERR_HOOK_THREW';
  if (next.failsAt === 'verify') return 'ERR_STATE_ROUNDTRIP';
  model.live = { build: next, id, before, count: isSaving ? live.count : 0, isSaveBroken: false };
  if (live !== null) model.held = letGo([...model.held, live], before);
  return 'reloaded';
}

/** One too many: the oldest that no row of rollbacks comes to goes, or else the oldest. */
function letGo(held: readonly Held[], before: number | null): readonly Held[] {
  if (held.length <= HELD_MAX) return held;
  const row: number[] = [];
  for (let at = before; at !== null; at = held.find(({ id }) => id === at)?.before ?? null) row.push(at);
  const goes = held.find(({ id }) => !row.includes(id)) ?? held[0];
  return held.filter((version) => version !== goes);
}
