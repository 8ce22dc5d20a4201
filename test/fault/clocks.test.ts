/** A wall clock that is set, by a person or by the network, while handles work. */
import fs from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { Addon } from '../../src/addon.ts';
import { open } from '../../src/index.ts';
import { createScratch, install, scriptedAddon } from '../support/addons.ts';
import {
  kernelC,
  makeProject,
  type Project as ToolProject,
  writeGyp,
  writeSources,
} from '../support/projects.ts';
import { CALLS, type Call, failAt, OF_LIBRARIES, OF_OPEN } from './faulty.ts';
import { arrive, type Counter, createProject, eachCall, type Project } from './life.ts';
import { isFull, Tally } from './tally.ts';

/** More calls of one name than a life has. */
const CALLS_MAX = 200;
/** More looks at the clock than node-gyp's builder takes in one build. */
const LOOKS_MAX = 30;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 365 * DAY_MS;
const LIVES_MAX_MS = 600_000;
/** Only `reload()` reloads: no test is that long. */
const NEVER_MS = HOUR_MS;

const realNow = Date.now;
afterEach(() => {
  Date.now = realNow;
});

type Setting = readonly [name: string, byMs: number];

const BY_HOURS: readonly Setting[] = [
  ['forward by an hour', HOUR_MS],
  ['back by an hour', -HOUR_MS],
];
/** Not more than a timer can wait for: a longer wait would end at once. */
const BY_DAYS: readonly Setting[] = [
  ['forward by 20 days', 20 * DAY_MS],
  ['back by 20 days', -20 * DAY_MS],
];
const BY_YEARS: readonly Setting[] = [
  ['forward by a year', YEAR_MS],
  ['back by a year', -YEAR_MS],
];

/**
 * Whether calls count from the beginning, or once open() is through, which is the same in lives of both kinds. Where one
 * call of each name is enough, it is not one of open() by the watch, which would have none of its own.
 */
const countsOpen = (isByHand: boolean): boolean => isByHand !== isFull;

/** In what kinds of lives a name is had; where not all points are tried, in one of them with each length of time. */
function waysOf(call: Call, index: number, byMs: number): readonly boolean[] {
  if (OF_OPEN.has(call)) return [!isFull];
  return isFull ? [true, false] : [(index % 2 === 0) === Math.abs(byMs) > HOUR_MS];
}

/** Edits, reloads, goes back. */
async function live(addon: Addon<Counter>, project: Project, isByHand: boolean): Promise<void> {
  addon.on('warning', () => undefined);
  // Who looks at a version has it hashed.
  addon.versions();
  if (isByHand) {
    project.edit(2);
    await addon.reload();
  } else await arrive(addon, 2, () => project.edit(2));
  expect([addon.exports.version(), addon.exports.increment()]).toEqual([2, 1]);
  await addon.rollback();
  expect([addon.exports.version(), addon.exports.increment()]).toEqual([1, 2]);
}

interface Sweep {
  readonly project: Project;
  readonly tally: Tally;
  readonly byMs: number;
  readonly isByHand: boolean;
}

/** @returns whether the call was reached, at which the clock was set */
async function isReached(call: Call, nth: number, sweep: Sweep): Promise<boolean> {
  const { project, tally, byMs, isByHand } = sweep;
  project.has(OF_LIBRARIES.has(call));
  const setClock = (): void => {
    Date.now = () => realNow() + byMs;
  };
  const faulty = failAt(call, nth, setClock, 0, countsOpen(isByHand));
  let bad: unknown = null;
  try {
    const options = project.options(isByHand ? NEVER_MS : 0);
    const addon = await Addon.open<Counter>(project.file, options, faulty.outside);
    faulty.arm();
    await live(addon, project, isByHand).finally(() => addon.close());
  } catch (error) {
    bad = error;
  } finally {
    Date.now = realNow;
  }
  const left = [...faulty.held(), ...project.staged()];
  if (bad === null && left.length > 0) bad = `left: ${left.join(', ')}`;
  project.clean();
  const point = `${call} number ${nth}, ${isByHand ? 'by hand' : 'by the watch'}`;
  if (faulty.hasStruck()) tally.add(point, bad);
  else if (bad !== null) tally.addBad(`${point}, not reached`, bad);
  return faulty.hasStruck();
}

/** All calls of that name; where not all points are tried, the first one. */
async function sweepOf(call: Call, sweep: Sweep): Promise<number> {
  if (isFull) return eachCall(CALLS_MAX, (nth) => isReached(call, nth, sweep));
  return Number(await isReached(call, 1, sweep));
}

const SETTINGS = isFull ? [...BY_HOURS, ...BY_DAYS, ...BY_YEARS] : [...BY_HOURS, ...BY_YEARS];

test.each(SETTINGS)(
  'a clock that is set %s at any call refuses nothing',
  {
    timeout: LIVES_MAX_MS,
  },
  async (name, byMs) => {
    using project = createProject();
    const tally = new Tally(`clocks: set ${name}`);
    for (const [index, call] of CALLS.entries()) {
      for (const isByHand of waysOf(call, index, byMs)) {
        const count = await sweepOf(call, { project, tally, byMs, isByHand });
        expect(count, call).toBeGreaterThan(0);
      }
    }
    console.log(`${tally.points} calls at which the clock was set ${name}`);
    tally.expectGood();
  },
);

interface Kernel {
  value(): number;
}

/** Sets the clock at the `nth` look at it from now on, by the builder. @returns whether it was looked at so often */
function setClockAt(nth: number, byMs: number): () => boolean {
  let looks = 0;
  Date.now = () => {
    if (looks < nth && /tool-builder/.test(new Error('look').stack ?? '')) looks += 1;
    return realNow() + (looks >= nth ? byMs : 0);
  };
  return () => looks >= nth;
}

/** Resolves once the watch has brought an edit to that value; its source is never there by half. */
function arrivalOf(addon: Addon<Kernel>, project: ToolProject, value: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (addon.exports.value() !== value) return;
      addon.off('reloaded', look).off('failed', reject);
      resolve();
    };
    addon.on('reloaded', look).on('failed', reject);
    project.write('kernel.next', kernelC(value));
    fs.renameSync(project.at('kernel.next'), project.at('src/kernel.c'));
  });
}

test('a clock that is set while node-gyp builds holds up nothing', { timeout: LIVES_MAX_MS }, async () => {
  const project = makeProject();
  try {
    writeSources(project, 0);
    writeGyp(project);
    const stageDir = project.at('.stage');
    const options = { build: 'node-gyp', watch: { debounceMs: 0 }, stageDir } as const;
    await using addon = await open<Kernel>(project.addon, options);
    addon.on('warning', () => undefined);
    let value = 0;
    for (const [name, byMs] of isFull ? [...BY_HOURS, ...BY_DAYS] : BY_HOURS) {
      const tally = new Tally(`clocks: set ${name} while node-gyp builds`);
      await eachCall(LOOKS_MAX, async (nth) => {
        const hasStruck = setClockAt(nth, byMs);
        await arrivalOf(addon, project, ++value);
        Date.now = realNow;
        if (hasStruck()) tally.add(`look ${nth}`);
        return hasStruck();
      });
      console.log(`${tally.points} looks at the clock at which it was set ${name} while node-gyp built`);
      expect(tally.points, name).toBeGreaterThan(3);
    }
  } finally {
    Date.now = realNow;
    project.remove();
  }
});

test('an edit after the clock was set back is compiled, whose file looks older than its object', async () => {
  const project = makeProject();
  try {
    writeSources(project, 1);
    writeGyp(project);
    const options = { build: 'node-gyp', stageDir: project.at('.stage') } as const;
    await using addon = await open<Kernel>(project.addon, options);
    Date.now = () => realNow() - HOUR_MS;
    project.write('src/kernel.c', kernelC(2));
    const editedS = Date.now() / 1_000;
    fs.utimesSync(project.at('src/kernel.c'), editedS, editedS);
    await addon.reload();
    expect(addon.exports.value()).toBe(2);
  } finally {
    project.remove();
  }
});

test.each([
  ['of 1970', 0],
  ['in a year', realNow() + YEAR_MS],
])('a built file with a time %s is reloaded at once', async (_, modifiedMs) => {
  using scratch = createScratch();
  const file = scratch.file('kernel.node');
  const put = (version: number): void => {
    install(scriptedAddon(`exports.version = () => ${version};`), file);
    fs.utimesSync(file, modifiedMs / 1000, modifiedMs / 1000);
  };
  put(1);
  const addon = await open<Counter>(file, { stageDir: scratch.file('stage') });
  put(2);
  expect((await addon.reload()).status).toBe('reloaded');
  expect(addon.exports.version()).toBe(2);
  await addon.close();
});
