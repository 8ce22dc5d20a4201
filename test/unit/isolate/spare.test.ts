/** The host that is started ahead. */
import fs from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';
import { Hosts } from '../../../src/isolate/hosts.ts';
import type { Line } from '../../../src/isolate/line.ts';
import { realOutside } from '../../../src/outside.ts';
import { hostsOf } from '../../fault/hosted.ts';
import { until } from '../../support/until.ts';

/** More than Linux takes for one string of an environment. */
const TOO_LONG = 'x'.repeat(2 ** 18);
const OPTIONS = { env: {}, execArgv: [], maxRssBytes: null, resourceLimits: {}, spare: true, reuse: false };

afterEach(() => {
  delete process.env['TOO_LONG'];
  vi.useRealTimers();
});

test('one that cannot be started is none, and throws nowhere', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const hosts = new Hosts('process', OPTIONS, 'kernel.node', realOutside);
  const first = hosts.start(1);
  process.env['TOO_LONG'] = TOO_LONG;
  expect(() => hosts.start(1)).toThrow('E2BIG');
  expect(() => vi.runAllTimers()).not.toThrow();
  delete process.env['TOO_LONG'];
  vi.useRealTimers();
  const second = hosts.start(1);
  await Promise.all([first, second].map(end));
  await hosts.close();
});

test('one that was killed is not taken, though nobody was told yet', async () => {
  const hosts = new Hosts('process', OPTIONS, 'kernel.node', realOutside);
  const first = hosts.start(1);
  const spares = (): readonly number[] => hostsOf(process.pid).filter((pid) => pid !== first.pid);
  await until('there is a spare one', () => spares().length === 1);
  const [spare] = spares() as [number];
  process.kill(spare, 'SIGKILL');
  // In one turn: what Node.js has heard of its children stays what it was.
  while (fs.readFileSync(`/proc/${spare}/statm`, 'latin1').split(' ')[1] !== '0');
  const second = hosts.start(1);
  expect(second.pid).not.toBe(spare);
  await Promise.all([first, second].map(end));
  await hosts.close();
});

function end(line: Line): Promise<void> {
  return new Promise((resolve) => {
    line.onEnd(() => resolve());
    line.kill('exit');
  });
}
