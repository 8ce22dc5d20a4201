/**
 * Each call that reaches outside fails, for every such call of a whole life with a build and a watch: open, call,
 * edit, reload by the watch or by hand, go back, close. Whatever fails, a good version serves and nothing stays behind.
 */
import { describe, expect, test } from 'vitest';
import { Addon } from '../../src/addon.ts';
import { CALLS, type Call, type Faulty, failAt, type Manner } from './faulty.ts';
import { type Counter, createProject, isDone, type Project, type Version } from './life.ts';

/** More calls of one name than a life has: the loop ends at the first that is never reached. */
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
  /** Silence that the watch waits for. */
  readonly debounceMs: number;
}

/** To version 1, where version 2 serves; else there is nothing to go back to. */
async function goBack(addon: Addon<Counter>, manner: Manner): Promise<void> {
  const [served, count] = [addon.exports.version(), addon.exports.increment()];
  const isPossible = addon.history().length > 0;
  const isBack = await isDone(addon.rollback());
  const isMended = isBack || (manner === 'once' && isPossible && (await isDone(addon.rollback())));
  if (manner === 'once') expect(isMended).toBe(isPossible);
  expect([addon.exports.version(), addon.exports.increment()]).toEqual([isMended ? 1 : served, count + 1]);
}

async function liveThrough(faulty: Faulty, { project, manner, debounceMs }: Way): Promise<void> {
  const opening = Addon.open<Counter>(project.file, project.options(debounceMs), faulty.outside);
  if (!(await isDone(opening))) return;
  const addon = await opening;
  // Listened to, they are not printed as process warnings.
  addon.on('warning', () => undefined);
  const firstHash = addon.current.hash;
  expect([addon.exports.version(), addon.exports.increment()]).toEqual([1, 1]);
  let edited: Version = 2;
  if (debounceMs === NEVER_MS) project.edit(edited);
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
  await addon.close();
  expect(addon.versions().filter(({ state }) => state === 'live')).toEqual([]);
}

/** @returns whether the call was reached */
async function isReached(call: Call, nth: number, way: Way): Promise<boolean> {
  const { project, manner } = way;
  const faulty = failAt(call, nth, manner);
  project.has(call === 'keptLibrary');
  await liveThrough(faulty, way).catch((cause: unknown) => {
    throw new Error(`${call} number ${nth} failed ${manner}`, { cause });
  });
  const left = { held: faulty.held(), staged: project.staged() };
  expect({ call, nth, ...left }).toEqual({ call, nth, held: [], staged: [] });
  project.clean();
  return faulty.hasStruck();
}

describe('whatever call to the outside fails, a good version serves and nothing stays behind', () => {
  const ways: [string, Manner, number][] = [
    ['once, on a reload by hand', 'once', NEVER_MS],
    ['for good, on a reload by hand', 'for good', NEVER_MS],
    ['once, on a reload by the watch', 'once', 0],
    ['for good, on a reload by the watch', 'for good', 0],
  ];
  test.concurrent.each(ways)('%s', { timeout: LIVES_MAX_MS }, async (name, manner, debounceMs) => {
    using project = createProject();
    const failed: [Call, number][] = [];
    for (const call of CALLS) {
      let nth = 1;
      while (nth < CALLS_MAX && (await isReached(call, nth, { project, manner, debounceMs }))) nth += 1;
      failed.push([call, nth - 1]);
    }
    const total = failed.reduce((sum, [, count]) => sum + count, 0);
    console.log(`${total} calls made to fail ${name}: ${failed.map((entry) => entry.join(' ')).join(', ')}`);
    for (const [call, count] of failed) {
      expect(count, call).toBeGreaterThan(0);
      expect(count, call).toBeLessThan(CALLS_MAX - 1);
    }
  });
});
