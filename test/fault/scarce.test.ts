/** Too little of what the machine has: whatever is refused for it, a good version serves, and goes on when there is more. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { createScratch } from '../support/addons.ts';
import { addTo, type Plan, runLives } from './shim.ts';
import { isFull, Tally } from './tally.ts';

const LIVES_MAX_MS = 900_000;
const CAN_MOUNT = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

async function run(plan: Omit<Plan, 'scope'>): Promise<boolean> {
  using scratch = createScratch();
  const result = await runLives(scratch, { ...plan, scope: 'thread' });
  const tally = new Tally(`scarce: ${plan.manner}`);
  addTo(tally, result);
  console.log(`${tally.points} calls made to fail: ${plan.manner}`);
  tally.expectGood();
  expect(tally.points).toBeGreaterThan(0);
  return result.isEnd;
}

describe.skipIf(!CAN_MOUNT)(`a stage directory${CAN_MOUNT ? '' : ' (nobody may mount here)'}`, () => {
  test('on a disk that is full sooner or later', { timeout: LIVES_MAX_MS }, async () => {
    const isEnd = await run({ manner: 'disk', from: 1, to: 2_000, step: isFull ? 1 : 37 });
    expect(isEnd).toBe(true);
  });

  test.each(['readonly', 'noexec'] as const)('on a disk that is mounted %s', async (manner) => {
    await run({ manner, from: 1, to: 1, step: 1 });
  });
});

test('descriptors that run out sooner or later', { timeout: LIVES_MAX_MS }, async () => {
  const isEnd = await run({ manner: 'descriptors', from: 0, to: 200, step: 1 });
  expect(isEnd).toBe(true);
});
