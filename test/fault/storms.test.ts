/** A world that is not still: thousands of changes at once, a clock that is set, another process on the same output. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';
import { Addon } from '../../src/addon.ts';
import { open } from '../../src/index.ts';
import { type Outside, realOutside } from '../../src/outside.ts';
import { FLOOD_EVENTS_MIN } from '../../src/watch/floods.ts';
import { createScratch, install, scriptedAddon } from '../support/addons.ts';
import { compiledUrl } from '../support/compiled.ts';
import { kernelC, makeProject, writeGyp, writeSources } from '../support/projects.ts';
import { CALLS, type Call, failAt } from './faulty.ts';
import { type Counter, createProject, type Project } from './life.ts';

const isFull = process.env['FAULTS'] === 'all';
const EVENTS = 10_000;
/** A storm of a second or two may cost so many builds, and none for each of its events. */
const RELOADS_MAX = 200;
const CALLS_MAX = 200;
/** Looks of node-gyp's builder at the clock in one build, at each of which the clock is set. */
const LOOKS_MAX = isFull ? 30 : 6;
/** Of so many names of calls, one is looked at where not all of them are. */
const SKIPPED = 7;
/** Only `reload()` reloads: no test is that long. */
const NEVER_MS = 3_600_000;
const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
const LIVES_MAX_MS = 300_000;

const realNow = Date.now;
afterEach(() => {
  Date.now = realNow;
});

/** The real outside, and how many events its watches have had. */
function countEvents(): { readonly outside: Outside; count(): number } {
  let events = 0;
  const outside: Outside = Object.create(realOutside, {
    watch: {
      value: (...given: Parameters<Outside['watch']>) =>
        realOutside.watch(...given).on('raw', () => {
          events += 1;
        }),
    },
  });
  return { outside, count: () => events };
}

/** Saves as editors do: several events each, none of which the system takes for another one. */
function saveAll(folder: string, files: number, text: string): void {
  for (let file = 0; file < files; file += 1) {
    fs.writeFileSync(path.join(folder, `${file}~`), text);
    fs.renameSync(path.join(folder, `${file}~`), path.join(folder, `${file}.txt`));
  }
}

const STORMS: readonly [how: string, files: number, rounds: number, eventsMin: number][] = [
  ['in the course of many turns', 250, 20, EVENTS],
  // More than the system keeps: it drops the last ones, that of the source among them. What is watched anew after a flood
  // gets no more of it.
  ['in one turn', 8_000, 1, FLOOD_EVENTS_MIN],
];

test.each(STORMS)(
  'changes of thousands of files %s cost few reloads, and the last one is live',
  {
    timeout: LIVES_MAX_MS,
  },
  async (how, files, rounds, eventsMin) => {
    using project = createProject();
    const folder = path.join(path.dirname(project.file), '../src');
    const { outside, count } = countEvents();
    const addon = await Addon.open<Counter>(project.file, project.options(0), outside);
    addon.on('warning', () => undefined);
    // The first build made a folder, for which all is watched anew; that is over then.
    await arrival(addon, 2, () => project.edit(2));
    let reloads = 0;
    const look = (): void => {
      reloads += 1;
    };
    addon.on('reloaded', look).on('failed', look).on('unchanged', look);
    const before = count();
    for (let round = 1; round <= rounds; round += 1) {
      saveAll(folder, files, `${round}`);
      project.edit(round % 2 === 0 ? 2 : 1);
      // Lets the watch see some of it.
      if (round < rounds) await new Promise((resolve) => setImmediate(resolve));
    }
    // A version that nobody has built yet: it can have come by this edit alone.
    await arrival(addon, 3, () => project.edit(3));
    const events = count() - before;
    console.log(`${events} events ${how} cost ${reloads} reloads`);
    expect(events).toBeGreaterThanOrEqual(eventsMin);
    expect(reloads).toBeLessThan(RELOADS_MAX);
    expect(addon.versions().filter(({ state }) => state === 'live')).toHaveLength(1);
    await addon.close();
    expect(project.staged()).toEqual([]);
  },
);

interface Setting {
  /** What the clock is set by, in milliseconds. */
  readonly byMs: number;
  /** Silence that the watch waits for. */
  readonly debounceMs: number;
}

/** Resolves once the version serves that an edit makes, by the watch alone. */
async function arrival(addon: Addon<Counter>, version: number, edit: () => void): Promise<void> {
  await new Promise<void>((resolve) => {
    addon.on('reloaded', () => {
      if (addon.exports.version() === version) resolve();
    });
    edit();
  });
}

/** @returns whether the call was reached, at which the clock was set */
async function isClockSet(project: Project, call: Call, nth: number, { byMs, debounceMs }: Setting) {
  project.has(call === 'keptLibrary');
  const faulty = failAt(call, nth, () => {
    Date.now = () => realNow() + byMs;
  });
  const addon = await Addon.open<Counter>(project.file, project.options(debounceMs), faulty.outside);
  addon.on('warning', () => undefined);
  if (debounceMs === NEVER_MS) {
    project.edit(2);
    await addon.reload();
  } else await arrival(addon, 2, () => project.edit(2));
  expect([addon.exports.version(), addon.exports.increment()]).toEqual([2, 1]);
  await addon.rollback();
  expect([addon.exports.version(), addon.exports.increment()]).toEqual([1, 2]);
  await addon.close();
  Date.now = realNow;
  const left = { held: faulty.held(), staged: project.staged() };
  expect({ call, nth, ...left }).toEqual({ call, nth, held: [], staged: [] });
  project.clean();
  return faulty.hasStruck();
}

const SETTINGS: readonly [string, number][] = [
  ['forward by an hour', HOUR_MS],
  ['back by an hour', -HOUR_MS],
  // Not more than a timer can wait for: a longer wait would end at once.
  ['forward by 20 days', 20 * 24 * HOUR_MS],
  ['back by 20 days', -20 * 24 * HOUR_MS],
  ['forward by a year', YEAR_MS],
  ['back by a year', -YEAR_MS],
];

test.each(SETTINGS)(
  'a clock that is set %s at any call refuses nothing',
  {
    timeout: LIVES_MAX_MS,
  },
  async (name, byMs) => {
    using project = createProject();
    let total = 0;
    for (const call of CALLS.filter((_, index) => isFull || index % SKIPPED === 0)) {
      // In turns, so that both kinds of lives meet each call.
      const setting = (nth: number): Setting => ({ byMs, debounceMs: nth % 2 === 0 ? 0 : NEVER_MS });
      let nth = 1;
      while (nth < CALLS_MAX && (await isClockSet(project, call, nth, setting(nth)))) {
        nth += 1;
        if (!isFull && nth > 2) break;
      }
      total += nth - 1;
    }
    console.log(`${total} calls at which the clock was set ${name}`);
    expect(total).toBeGreaterThan(isFull ? CALLS.length : 2);
  },
);

interface Kernel {
  value(): number;
}

/** Sets the clock at the `nth` look at it from now on, by the builder. @returns whether it was looked at so often */
function setClockAt(nth: number, byMs: number): () => boolean {
  const before = Date.now;
  let looks = 0;
  Date.now = () => {
    if (looks <= nth && /tool-builder/.test(new Error('look').stack ?? '')) looks += 1;
    return before() + (looks > nth ? byMs : 0);
  };
  return () => looks > nth;
}

test.each(SETTINGS.slice(0, 4))(
  'a clock that is set %s while node-gyp builds holds up nothing',
  {
    timeout: LIVES_MAX_MS,
  },
  async (name, byMs) => {
    const project = makeProject();
    try {
      writeSources(project, 0);
      writeGyp(project);
      const options = {
        build: 'node-gyp',
        watch: { debounceMs: 0 },
        stageDir: project.at('.stage'),
      } as const;
      await using addon = await open<Kernel>(project.addon, options);
      addon.on('warning', () => undefined);
      let [nth, isReached] = [0, true];
      while (isReached && nth < LOOKS_MAX) {
        nth += 1;
        const hasStruck = setClockAt(nth, byMs);
        await new Promise<void>((resolve, reject) => {
          const look = (): void => {
            if (addon.exports.value() !== nth) return;
            addon.off('reloaded', look).off('failed', reject);
            resolve();
          };
          addon.on('reloaded', look).on('failed', reject);
          project.write('src/kernel.c', kernelC(nth));
        });
        isReached = hasStruck();
      }
      console.log(`${nth} looks at the clock at which it was set ${name} while node-gyp built`);
      expect(nth).toBeGreaterThan(4);
    } finally {
      Date.now = realNow;
      project.remove();
    }
  },
);

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

const FOLLOWER = `
const { open } = await import(process.argv[1]);
const addon = await open(process.argv[2], { stageDir: process.argv[3], watch: { debounceMs: 0 } });
const say = () => console.log(addon.exports.version());
addon.on('reloaded', say).on('warning', () => undefined);
say();
process.stdin.once('data', async () => {
  await addon.close();
  process.exit(0);
});
`;

/** A process that follows a built file, until it is told to end. */
function follow(file: string, stageDir: string) {
  const args = ['--input-type=module', '--eval', FOLLOWER, compiledUrl('index.js'), file, stageDir];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<[number | null, string | null]>((resolve) => {
    child.once('close', (code, signal) => resolve([code, signal]));
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    async until(version: number): Promise<void> {
      for (;;) {
        const { value, done } = await lines.next();
        if (done === true) throw new Error(`ended before version ${version}`);
        if (value === `${version}`) return;
      }
    },
    end(): Promise<[number | null, string | null]> {
      child.stdin.write('end');
      return ended;
    },
  };
}

test('two processes that follow one output both come to its last version', async () => {
  using scratch = createScratch();
  const [file, stageDir] = [scratch.file('kernel.node'), scratch.file('stage')];
  const builds = [1, 2, 3].map((version) => scriptedAddon(`exports.version = () => ${version};`));
  const put = (version: number): void => install(builds[version - 1] ?? '', file);
  put(1);
  const both = [follow(file, stageDir), follow(file, stageDir)];
  await Promise.all(both.map((each) => each.until(1)));
  for (let round = 0; round < 25; round += 1) for (const version of [2, 1]) put(version);
  put(3);
  await Promise.all(both.map((each) => each.until(3)));
  expect(await Promise.all(both.map((each) => each.end()))).toEqual([
    [0, null],
    [0, null],
  ]);
  expect(fs.readdirSync(stageDir)).toEqual(['.lock']);
});
