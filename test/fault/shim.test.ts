/**
 * Each call that the shim makes of the C library fails, for every such call of a whole life: open, call, reload, go back,
 * close. `FAULTS=all` fails them in more ways, and ends the process at each of them, too.
 */
import { describe, expect, test } from 'vitest';
import { open } from '../../src/index.ts';
import { createScratch, install, type Scratch } from '../support/addons.ts';
import type { Counter } from './life.ts';
import { type Manner, type Point, runLives, stagedIn, sweep } from './shim.ts';

const isFull = process.env['FAULTS'] === 'all';
/** More calls than a life has. */
const CALLS_MAX = 2_000;
/** Which calls fail where not all of them do: prime, so that loops in the code do not hide any. */
const STEP = 5;
const KILLED_STEP = 89;
const LIVES_MAX_MS = 900_000;

function tell(points: readonly Point[], how: string): void {
  const counts = new Map<string, number>();
  for (const { struck } of points) if (struck !== null) counts.set(struck, (counts.get(struck) ?? 0) + 1);
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
    const points = await sweep(scratch, { manner, scope, step: isFull ? 1 : STEP, to: CALLS_MAX });
    tell(points, `${manner}, scope ${scope}`);
    expect(points.filter(({ bad }) => bad !== null)).toEqual([]);
    expect(points.length).toBeGreaterThan(10);
    expect(points.length).toBeLessThan(CALLS_MAX);
  });
});

test('whatever allocation of the shim fails, a good version serves and nothing stays behind', {
  timeout: LIVES_MAX_MS,
}, async () => {
  using scratch = createScratch();
  const step = isFull ? 1 : STEP;
  const points = await sweep(scratch, { manner: 'no memory', scope: 'thread', step, to: CALLS_MAX });
  tell(points, 'for want of memory');
  expect(points.filter(({ bad }) => bad !== null)).toEqual([]);
  expect(points.length).toBeGreaterThan(10);
  expect(points.length).toBeLessThan(CALLS_MAX);
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
  const points: Point[] = [];
  for (let nth = 1; nth < CALLS_MAX; nth += step) {
    const { isEnd, signal } = await runLives(scratch, {
      manner: 'killed',
      scope: 'thread',
      from: nth,
      to: nth,
      step,
    });
    if (isEnd) break;
    expect([nth, signal]).toEqual([nth, 'SIGKILL']);
    await recover(scratch);
    points.push({ nth, struck: null, bad: null });
  }
  tell(points, 'by SIGKILL');
  expect(points.length).toBeGreaterThan(2);
  expect(points.length * step).toBeLessThan(CALLS_MAX - step);
});
