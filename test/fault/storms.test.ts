/** A world that is not still: thousands of changes at once, a clock that is set, another process on the same output. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';
import { Addon } from '../../src/addon.ts';
import { open } from '../../src/index.ts';
import { createScratch, install, scriptedAddon } from '../support/addons.ts';
import { compiledUrl } from '../support/compiled.ts';
import { CALLS, type Call, failAt } from './faulty.ts';
import { type Counter, createProject, type Project } from './life.ts';

const isFull = process.env['FAULTS'] === 'all';
const EVENTS = 10_000;
/** A storm of a second or two may cost so many builds, and none for each of its events. */
const RELOADS_MAX = 200;
const CALLS_MAX = 200;
/** Of so many names of calls, one is looked at where not all of them are. */
const SKIPPED = 7;
/** Only `reload()` reloads: no test is that long. */
const NEVER_MS = 3_600_000;
const YEAR_MS = 365 * 24 * 3_600_000;
const LIVES_MAX_MS = 300_000;

const realNow = Date.now;
afterEach(() => {
  Date.now = realNow;
});

test(`${EVENTS} changes in one go cost few reloads, and the last one is live`, async () => {
  using project = createProject();
  const addon = await open<Counter>(project.file, project.options(0));
  addon.on('warning', () => undefined);
  let reloads = 0;
  let [isOver, arrived] = [false, (): void => undefined];
  const last = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const look = (): void => {
    reloads += 1;
    if (isOver && addon.exports.version() === 2) arrived();
  };
  addon.on('reloaded', look).on('failed', look).on('unchanged', look);
  // Kept open: a change is one call.
  const source = fs.openSync(path.join(path.dirname(project.file), '../src/kernel.c'), 'r+');
  for (let event = 1; event <= EVENTS; event += 1) {
    fs.writeSync(source, event % 2 === 0 ? '2' : '1', 0);
    // Lets the watch see some of it.
    if (event % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  fs.closeSync(source);
  isOver = true;
  if (addon.exports.version() !== 2) await last;
  await addon.reload();
  expect(addon.exports.version()).toBe(2);
  expect(reloads).toBeLessThan(RELOADS_MAX);
  expect(addon.versions().filter(({ state }) => state === 'live')).toHaveLength(1);
  console.log(`${EVENTS} changes in one go cost ${reloads} reloads`);
  await addon.close();
  expect(project.staged()).toEqual([]);
});

/** @returns whether the call was reached, at which the clock was set */
async function isClockSet(project: Project, call: Call, nth: number, byMs: number): Promise<boolean> {
  project.has(call === 'keptLibrary');
  const faulty = failAt(call, nth, () => {
    Date.now = () => realNow() + byMs;
  });
  const addon = await Addon.open<Counter>(project.file, project.options(NEVER_MS), faulty.outside);
  addon.on('warning', () => undefined);
  project.edit(2);
  await addon.reload();
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

test.each([
  ['forward', YEAR_MS],
  ['back', -YEAR_MS],
])(
  'a clock that is set %s by a year at any call refuses nothing',
  {
    timeout: LIVES_MAX_MS,
  },
  async (name, byMs) => {
    using project = createProject();
    let total = 0;
    for (const call of CALLS.filter((_, index) => isFull || index % SKIPPED === 0)) {
      let nth = 1;
      while (nth < CALLS_MAX && (await isClockSet(project, call, nth, byMs))) nth += isFull ? 1 : CALLS_MAX;
      total += isFull ? nth - 1 : 1;
    }
    console.log(`${total} calls at which the clock was set ${name}`);
    expect(total).toBeGreaterThan(isFull ? CALLS.length : 2);
  },
);

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
