/**
 * Each call that the shim makes of the C library fails, for every such call of a whole life: open, call, reload, go back,
 * close. `FAULTS=all` fails them in more ways, and ends the process at each of them, too.
 */
import { describe, expect, test } from 'vitest';
import { open } from '../../src/index.ts';
import { loadNative } from '../../src/native.ts';
import { createScratch, install, type Scratch } from '../support/addons.ts';
import type { Counter } from './life.ts';
import { addTo, type Manner, type Point, runLives, stagedIn, sweep, symbols } from './shim.ts';
import { isFull, Tally } from './tally.ts';

/** More calls than a life has. */
const CALLS_MAX = 2_000;
/** Which calls fail where not all of them do: prime, so that loops in the code do not hide any. */
const STEP = 5;
const KILLED_STEP = 89;
const APART_STEP = 61;
const LIVES_MAX_MS = 900_000;

/** Names of all that failed. */
const struckNames = new Set<string>();

function tell(points: readonly Point[], how: string): void {
  const counts = new Map<string, number>();
  for (const { struck } of points) {
    if (struck === null) continue;
    struckNames.add(struck);
    counts.set(struck, (counts.get(struck) ?? 0) + 1);
  }
  const names = Array.from(counts, ([name, count]) => `${name} ${count}`).join(', ');
  console.log(`${points.length} calls made to fail ${how}${names === '' ? '' : `: ${names}`}`);
}

describe('whatever call of the shim fails, a good version serves and nothing stays behind', () => {
  const ways: [Manner, 'thread' | 'process'][] = isFull
    ? [
        ['once', 'thread'],
        ['once', 'process'],
        ['for good', 'thread'],
        ['for good', 'process'],
        ['interrupted', 'thread'],
        ['short', 'thread'],
      ]
    : [['once', 'thread']];
  test.each(ways)('%s, scope %s', { timeout: LIVES_MAX_MS }, async (manner, scope) => {
    using scratch = createScratch();
    const tally = new Tally(`shim: ${manner}, scope ${scope}`);
    const plan = { manner, scope, step: isFull ? 1 : STEP, to: CALLS_MAX };
    const points = await sweep(scratch, plan, tally);
    tell(points, `${manner}, scope ${scope}`);
    tally.expectGood();
    expect(points.length).toBeGreaterThan(0);
  });
});

describe('whatever call of the shim fails where versions run apart, a good version serves and nothing stays', () => {
  // A Worker is of this process, and its calls are counted with those on this side.
  const ways = [
    ['in a Worker and on this side', 'worker', false],
    ['in a process', 'process', true],
    ...(isFull ? ([['on this side of a process', 'process', false]] as const) : []),
  ] as const;
  const manners = isFull ? (['once', 'for good'] as const) : (['once'] as const);
  const all = ways.flatMap((way) => manners.map((manner) => [...way, manner] as const));
  test.each(all)(
    '%s, isolation %s (%s), %s',
    { timeout: LIVES_MAX_MS },
    async (where, isolation, inHost, manner) => {
      using scratch = createScratch();
      const tally = new Tally(`shim: ${manner}, ${where}`);
      const step = isFull ? 1 : APART_STEP;
      const plan = { manner, scope: 'thread', isolation, inHost, step, to: CALLS_MAX } as const;
      tell(await sweep(scratch, plan, tally), `${manner}, ${where}`);
      tally.expectGood();
      expect(tally.points).toBeGreaterThan(0);
    },
  );
});

test('whatever allocation fails of the shim, or of libstdc++ for it, a good version serves and nothing stays behind', {
  timeout: LIVES_MAX_MS,
}, async () => {
  using scratch = createScratch();
  const step = isFull ? 1 : STEP;
  const tally = new Tally('shim: no memory');
  const plan = { manner: 'no memory', scope: 'thread', step, to: CALLS_MAX } as const;
  const points = await sweep(scratch, plan, tally);
  tell(points, 'for want of memory');
  tally.expectGood();
  expect(points.length).toBeGreaterThan(0);
});

/** What the next process finds, and that it clears up what the killed one left. */
async function recover(scratch: Scratch): Promise<void> {
  const file = scratch.file('kernel.node');
  install(scratch.file('built/v1.node'), file);
  const addon = await open<Counter>(file, { stageDir: scratch.file('stage') });
  expect([addon.exports.version(), addon.exports.increment()]).toEqual([1, 1]);
  expect(stagedIn(scratch)).toHaveLength(1);
  await addon.close();
  expect(stagedIn(scratch)).toEqual([]);
}

test('a process that is killed at any call of the shim leaves nothing that the next one does not clear up', {
  timeout: LIVES_MAX_MS,
}, async () => {
  using scratch = createScratch();
  const step = isFull ? 1 : KILLED_STEP;
  const tally = new Tally('shim: killed');
  for (let nth = 1; ; nth += step) {
    if (nth > CALLS_MAX) throw new Error(`more than ${CALLS_MAX} calls`);
    // Goes on to the next calls where this one is not reached, and says then whether all have been.
    const plan = { manner: 'killed', scope: 'thread', from: nth, to: nth + 2, step: 1 } as const;
    const run = await runLives(scratch, plan);
    addTo(tally, run);
    if (run.isEnd) break;
    const bad = run.signal === 'SIGKILL' ? null : `ended by ${run.signal}`;
    const found = bad ?? (await recover(scratch).catch((error: unknown) => error));
    tally.add(`killed at call ${run.last}`, found ?? null);
  }
  console.log(`${tally.points} calls made to fail by SIGKILL`);
  tally.expectGood();
  expect(tally.points).toBeGreaterThan(2);
});

/** Calls of the shim that are not made to fail, and why. A new one is here, or has a stand-in in failing.c. */
const SPARED: Readonly<Record<string, string>> = {
  __errno_location: 'where errno is',
  __tls_get_addr: 'where a thread-local variable is',
  clock_gettime: 'a clock that is always there',
  close: 'closes; what stays open is looked at',
  closedir: 'closes; what stays open is looked at',
  dl_iterate_phdr: 'lists what is mapped, and does not fail',
  dladdr: 'no answer is an answer',
  dlclose: 'closes; what stays mapped is looked at',
  dlerror: 'words of a failure',
  dlsym: 'no answer is an answer',
  dlvsym: 'no answer is an answer',
  free: 'frees',
  getenv: 'memory of this process',
  geteuid: 'always succeeds',
  getpid: 'always succeeds',
  getppid: 'always succeeds',
  memchr: 'memory of this process',
  memcmp: 'memory of this process',
  memcpy: 'memory of this process',
  memmove: 'memory of this process',
  memset: 'memory of this process',
  munmap: 'unmaps; what stays mapped is looked at',
  nanosleep: 'waits; what ends it early is a shorter wait',
  prctl: 'of hosts alone; hosts-parent.test.ts ends the parent first',
  pthread_cond_timedwait: 'waits; what ends it early is a shorter wait',
  pthread_getspecific: 'memory of this process',
  pthread_key_create: 'handed on for addons, which call it',
  pthread_key_delete: 'handed on for addons, which call it',
  pthread_mutex_lock: 'refuses only what is a mistake of the caller',
  pthread_mutex_unlock: 'refuses only what is a mistake of the caller',
  pthread_setspecific: 'handed on for addons, which call it',
  sigaction: 'asked what is set, which is always answered',
  snprintf: 'memory of this process',
  strerror: 'words of a failure',
  strlen: 'memory of this process',
  sysconf: 'the size of a page, which is always known',
};
/** Stand-ins that need not strike, and why. */
const SELDOM: Readonly<Record<string, string>> = {
  syscall: 'stands in for the three calls below',
  lstat64: 'says what was found where another call has failed',
  unlink: 'clears up where another call has failed',
  madvise: 'called for memory of many mebibytes alone, and for what is written to a host',
  pthread_create: 'called for the threads of an addon, and the one that lives here has none',
};
const BY_NUMBER = ['stat64', 'lstat64', 'fstat64'];
/** Of Node.js and libuv, and of the runtime of C++, whose want of memory is a sweep of its own. */
const FOREIGN = /^(?:napi_|node_api_|uv_|_Z|__cxa_|__gxx_|_Unwind_|_ITM_|__gmon_start__)/;

test('each function of the C library that the shim calls is made to fail, or is spared for a reason', () => {
  const { imported, standIns } = symbols(loadNative().shimPath);
  const called = imported.filter((name) => standIns.includes(name) || !FOREIGN.test(name));
  expect(called.toSorted()).toEqual([...standIns, ...Object.keys(SPARED)].toSorted());
  // FOREIGN spares what is of C++, but there are other ways to allocate, which would go through.
  expect(imported.filter((name) => /^_Zn[wa]/.test(name) && !standIns.includes(name))).toEqual([]);
  if (!isFull) return;
  const expected = [...standIns, ...BY_NUMBER].filter((name) => !(name in SELDOM));
  expect(expected.filter((name) => !struckNames.has(name))).toEqual([]);
});
