/** The host that is started ahead. */
import { afterEach, expect, test, vi } from 'vitest';
import { Hosts } from '../../../src/isolate/hosts.ts';
import type { Line } from '../../../src/isolate/session.ts';
import { realOutside } from '../../../src/outside.ts';

/** More than Linux takes for one string of an environment. */
const TOO_LONG = 'x'.repeat(2 ** 18);
const OPTIONS = { env: {}, execArgv: [], maxRssBytes: null, resourceLimits: {}, spare: true };

afterEach(() => {
  delete process.env['TOO_LONG'];
  vi.useRealTimers();
});

test('one that cannot be started is none, and throws nowhere', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const hosts = new Hosts('process', OPTIONS, 'kernel.node', realOutside);
  const first = hosts.start();
  process.env['TOO_LONG'] = TOO_LONG;
  expect(() => hosts.start()).toThrow('E2BIG');
  expect(() => vi.runAllTimers()).not.toThrow();
  delete process.env['TOO_LONG'];
  vi.useRealTimers();
  const second = hosts.start();
  await Promise.all([first, second].map(end));
  await hosts.close();
});

function end(line: Line): Promise<void> {
  return new Promise((resolve) => {
    line.onEnd(() => resolve());
    line.kill('exit');
  });
}
