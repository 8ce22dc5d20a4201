/**
 * Each call that reaches outside fails, for every such call (see `eachCall`) of a whole life with a build and a watch: open,
 * call, edit, reload by the watch or by hand, go back, close. Whatever fails, a good version serves and nothing stays behind.
 */
import { describe, expect, test } from 'vitest';
import { Addon } from '../../src/addon.ts';
import {
  CALLS,
  type Call,
  type Faulty,
  failAt,
  hasKind,
  type Kind,
  type Manner,
  OF_LIBRARIES,
  OF_OPEN,
  usualKind,
} from './faulty.ts';
import { leftOf } from './left.ts';
import { type Counter, createProject, eachCall, isDone, type Project, type Version } from './life.ts';
import { isFull, Tally } from './tally.ts';

/** More calls of one name than a life has. */
const CALLS_MAX = 200;
/** Some 100 lives with a build each; a machine under load takes more than the usual time for them. */
const LIVES_MAX_MS = 600_000;
/** An edit that has not come by then is lost: a diagnosis. */
const ARRIVAL_MAX_MS = 20_000;
/** Only `reload()` reloads: no test is that long. */
const NEVER_MS = 3_600_000;

/** Resolves when the watch has led to a reload of any outcome, or when the fault has struck and maybe ended the watch. */
function reloadByWatch(addon: Addon<Counter>, faulty: Faulty): Promise<void> {
  return new Promise((resolve) => {
    const look = setInterval(() => {
      if (faulty.hasStruck()) end();
    }, 1);
    const end = (): void => {
      clearInterval(look);
      resolve();
    };
    addon.once('reloaded', end).once('failed', end).once('unchanged', end);
  });
}

/**
 * Resolves with the version that serves once an edit to version 2 has arrived by the watch alone. Its reload may fail, of
 * which `failed` tells; the next edit, to version 3, goes live then.
 */
function arriveByWatch(addon: Addon<Counter>, project: Project): Promise<Version> {
  let wanted: Version = 2;
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error(`no reload for version ${wanted}`)), ARRIVAL_MAX_MS);
    const end = (): void => {
      if (addon.exports.version() !== wanted) return;
      clearTimeout(deadline);
      addon.off('reloaded', end).off('failed', goOn);
      resolve(wanted);
    };
    const goOn = (): void => {
      if (wanted === 3) return;
      wanted = 3;
      project.edit(wanted);
    };
    addon.on('reloaded', end).on('failed', goOn);
    project.edit(wanted);
  });
}

interface Way {
  readonly project: Project;
  readonly manner: Manner;
  readonly kind: Kind;
  /** Silence that the watch waits for. */
  readonly debounceMs: number;
}

const isByHand = ({ debounceMs }: { readonly debounceMs: number }): boolean => debounceMs === NEVER_MS;

/** To version 1, where version 2 serves; else there is nothing to go back to. */
async function goBack(addon: Addon<Counter>, manner: Manner): Promise<void> {
  const [served, count] = [addon.exports.version(), addon.exports.increment()];
  const isPossible = addon.history().length > 0;
  const isBack = await isDone(addon.rollback());
  const isMended = isBack || (manner === 'once' && isPossible && (await isDone(addon.rollback())));
  if (manner === 'once') expect(isMended).toBe(isPossible);
  expect([addon.exports.version(), addon.exports.increment()]).toEqual([isMended ? 1 : served, count + 1]);
}

async function edit(addon: Addon<Counter>, faulty: Faulty, way: Way): Promise<void> {
  const { project, manner } = way;
  // Listened to, they are not printed as process warnings.
  addon.on('warning', () => undefined);
  const firstHash = addon.current.hash;
  expect([addon.exports.version(), addon.exports.increment()]).toEqual([1, 1]);
  let edited: Version = 2;
  if (isByHand(way)) project.edit(edited);
  else if (manner === 'once') edited = await arriveByWatch(addon, project);
  else {
    project.edit(edited);
    await reloadByWatch(addon, faulty);
  }
  const isReloaded = await isDone(addon.reload());
  const serves = addon.current.hash === firstHash ? 1 : edited;
  expect([addon.exports.version(), addon.exports.increment()]).toEqual([serves, 2]);
  // What failed once has passed: the next try gets through.
  const isMended = isReloaded || (manner === 'once' && (await isDone(addon.reload())));
  if (manner === 'once') expect(isMended).toBe(true);
  if (isMended) expect([addon.exports.version(), addon.exports.increment()]).toEqual([edited, 3]);
  await goBack(addon, manner);
}

async function liveThrough(faulty: Faulty, way: Way): Promise<void> {
  const { project, debounceMs } = way;
  const opening = Addon.open<Counter>(project.file, project.options(debounceMs), faulty.outside);
  if (!(await isDone(opening))) return;
  const addon = await opening;
  faulty.arm();
  try {
    await edit(addon, faulty, way);
  } finally {
    await addon.close();
  }
  expect(addon.versions().filter(({ state }) => state === 'live')).toEqual([]);
}

interface Sweep extends Way {
  readonly tally: Tally;
  /** Of each life in which all could be unmapped: what its memory is known by, and what failed. */
  readonly marks: Map<string, string>;
}

/** @returns whether the call was reached */
async function isReached(call: Call, nth: number, { tally, marks, ...way }: Sweep): Promise<boolean> {
  const { project, manner, kind } = way;
  const faulty = failAt(call, nth, manner, kind, !isByHand(way));
  project.has(OF_LIBRARIES.has(call));
  let bad: unknown = null;
  await liveThrough(faulty, way).catch((error: unknown) => {
    bad = error;
  });
  const loaded = faulty.loaded();
  const left = [...faulty.held(), ...project.staged(), ...(await project.left(loaded))];
  if (bad === null && left.length > 0) bad = `left: ${left.join(', ')}`;
  project.clean();
  const point = `${call} number ${nth} failed ${manner}`;
  if (faulty.hasStruck()) tally.add(point, bad);
  else if (bad !== null) tally.addBad(`${point}, not reached`, bad);
  // JavaScript of an addon that stays keeps its memory.
  if (loaded.length === 0) marks.set(faulty.mark, point);
  return faulty.hasStruck();
}

/** Looked at once for all lives of a sweep: it goes with what V8 collects. */
async function lookForMemory(tally: Tally, marks: ReadonlyMap<string, string>): Promise<void> {
  const left = await leftOf([...marks.keys()]);
  for (const [mark, point] of marks) {
    const found = left.filter((of) => of.includes(mark));
    if (found.length > 0) tally.addBad(point, `left: ${found.join(', ')}`);
  }
}

/**
 * By hand or by the watch, once or for good; with each kind of refusal, or with another one for each manner. The calls of
 * open() fail where the watch follows, which shows also whether it was hurt: by hand, they would be the same lives again.
 */
const WAYS: [string, Manner, Kind, number][] = (['once', 'for good'] as const).flatMap((manner) =>
  (isFull ? ([0, 1] as const) : [usualKind(manner)]).flatMap((kind): [string, Manner, Kind, number][] => [
    [`${manner}, refusal ${kind}, on a reload by hand`, manner, kind, NEVER_MS],
    [`${manner}, refusal ${kind}, on a reload by the watch`, manner, kind, 0],
  ]),
);

describe('whatever call to the outside fails, a good version serves and nothing stays behind', () => {
  test.concurrent.each(WAYS)('%s', { timeout: LIVES_MAX_MS }, async (name, manner, kind, debounceMs) => {
    using project = createProject();
    const tally = new Tally(`outside: ${name}`);
    const marks = new Map<string, string>();
    const sweep: Sweep = { project, manner, kind, debounceMs, tally, marks };
    const failed = new Map<Call, number>();
    for (const call of CALLS) {
      // Of one refusal, it is had in the ways of the first.
      if (isFull && !hasKind(call, kind)) continue;
      if (isByHand(sweep) && OF_OPEN.has(call)) continue;
      failed.set(call, await eachCall(CALLS_MAX, (nth) => isReached(call, nth, sweep)));
    }
    await lookForMemory(tally, marks);
    const counts = Array.from(failed, (entry) => entry.join(' ')).join(', ');
    console.log(`${tally.points} calls made to fail ${name}: ${counts}`);
    tally.expectGood();
    for (const [call, count] of failed) expect(count, call).toBeGreaterThan(0);
  });
});
