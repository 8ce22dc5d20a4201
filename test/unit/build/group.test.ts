import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { stopGroup } from '../../../src/build/group.ts';
import { type Outside, realOutside } from '../../../src/outside.ts';

async function startGroup(): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
  await once(child, 'spawn');
  return child as ChildProcess & { readonly pid: number };
}

test('a group is ended while its leader is not reaped', async () => {
  const child = await startGroup();
  const exit = once(child, 'exit');
  expect(await stopGroup(realOutside, child.pid, () => child.signalCode !== null)).toBe(true);
  expect(await exit).toEqual([null, 'SIGTERM']);
});

test('a stranger that got the number of a reaped leader is not signalled', async () => {
  const stranger = await startGroup();
  const signals: unknown[] = [];
  const outside: Outside = {
    ...realOutside,
    killGroup: (pid, signal) => {
      if (signal !== 0) signals.push(signal);
      return realOutside.killGroup(pid, signal);
    },
  };
  expect(await stopGroup(outside, stranger.pid, () => true)).toBe(true);
  expect(signals).toEqual([]);
  const exit = once(stranger, 'exit');
  stranger.kill('SIGKILL');
  expect(await exit).toEqual([null, 'SIGKILL']);
});
