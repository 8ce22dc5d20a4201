/** A world that is not still: thousands of changes at once, another process on the same output. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { Addon } from '../../src/addon.ts';
import { type Outside, realOutside } from '../../src/outside.ts';
import { FLOOD_EVENTS_MIN } from '../../src/watch/floods.ts';
import { createScratch, install, scriptedAddon } from '../support/addons.ts';
import { compiledUrl } from '../support/compiled.ts';
import { arrive, type Counter, createProject } from './life.ts';

const EVENTS = 10_000;
/** A storm of a second or two may cost so many builds, and none for each of its events. */
const RELOADS_MAX = 200;
const STORM_MAX_MS = 300_000;
/** A save is told of by so many: the file is made, written, and goes from one name to the other. */
const EVENTS_OF_SAVE = 4;
/** Events that the system keeps for who does not look. */
const QUEUE = Number(fs.readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'));

/** The real outside, how many watches it has started, and how many events these have had. */
function countEvents(): { readonly outside: Outside; count(): number; watches(): number } {
  let events = 0;
  let watches = 0;
  const outside: Outside = Object.create(realOutside, {
    watch: {
      value: (...given: Parameters<Outside['watch']>) => {
        watches += 1;
        return realOutside.watch(...given).on('raw', () => {
          events += 1;
        });
      },
    },
  });
  return { outside, count: () => events, watches: () => watches };
}

/** Saves as editors do: several events each, none of which the system takes for another one. */
function saveAll(folder: string, files: number, text: string): void {
  for (let file = 0; file < files; file += 1) {
    fs.writeFileSync(path.join(folder, `${file}~`), text);
    fs.renameSync(path.join(folder, `${file}~`), path.join(folder, `${file}.txt`));
  }
}

const STORMS: readonly [how: string, files: number, rounds: number, eventsMin: number][] = [
  ['in the course of many turns', 250, 11, EVENTS],
  // A tenth more than the system keeps: it drops the last ones, that of the source among them. What is watched anew after a
  // flood gets no more of it.
  ['in one turn', Math.ceil((QUEUE * 1.1) / EVENTS_OF_SAVE), 1, FLOOD_EVENTS_MIN],
];

test.each(STORMS)(
  'changes of thousands of files %s cost few reloads, and the last one is live',
  {
    timeout: STORM_MAX_MS,
  },
  async (how, files, rounds, eventsMin) => {
    using project = createProject();
    const folder = path.join(path.dirname(project.file), '../src');
    // A folder that the first build makes would have all watched anew, which sees no events for that long.
    fs.mkdirSync(path.dirname(project.file));
    const { outside, count, watches } = countEvents();
    const addon = await Addon.open<Counter>(project.file, project.options(0), outside);
    addon.on('warning', () => undefined);
    await arrive(addon, 2, () => project.edit(2));
    expect(watches()).toBe(1);
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
    await arrive(addon, 3, () => project.edit(3));
    const events = count() - before;
    console.log(`${events} events ${how} cost ${reloads} reloads`);
    expect(events).toBeGreaterThanOrEqual(eventsMin);
    expect(reloads).toBeLessThan(RELOADS_MAX);
    expect(addon.versions().filter(({ state }) => state === 'live')).toHaveLength(1);
    await addon.close();
    expect(project.staged()).toEqual([]);
  },
);

const FOLLOWER = `
const { open } = await import(process.argv[1]);
const addon = await open(process.argv[2], { stageDir: process.argv[3], watch: { debounceMs: 0 } });
const say = () => console.log(addon.exports.version());
addon.on('reloaded', say).on('warning', () => undefined);
say();
process.stdin.resume().once('end', async () => {
  await addon.close();
  process.exit(0);
});
`;

interface Follower extends AsyncDisposable {
  until(version: number): Promise<void>;
  end(): Promise<[number | null, string | null]>;
}

/** A process that follows a built file, until it is told to end or this one does. */
function follow(file: string, stageDir: string): Follower {
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
      child.stdin.end();
      return ended;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

test('two processes that follow one output both come to its last version', async () => {
  using scratch = createScratch();
  const [file, stageDir] = [scratch.file('kernel.node'), scratch.file('stage')];
  const builds = [1, 2, 3].map((version) => scriptedAddon(`exports.version = () => ${version};`));
  const put = (version: number): void => install(builds[version - 1] ?? '', file);
  put(1);
  await using one = follow(file, stageDir);
  await using other = follow(file, stageDir);
  const both = [one, other];
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
