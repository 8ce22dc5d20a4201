/** Hosts whose program never runs. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { refusalOf, Stand } from './hosted.ts';

const NODE = process.execPath;
/** More than Linux takes for one string of an environment. */
const TOO_LONG = 'x'.repeat(2 ** 18);

afterEach(() => {
  process.execPath = NODE;
});

test.each([{ isolation: 'process' }, { isolation: 'inline', rehearse: true }] as const)(
  'a host that never starts is given up: %o',
  async (options) => {
    await using stand = new Stand();
    const never = ['--import', 'data:text/javascript,for(;;);'];
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let isSettled = false;
    const opening = refusalOf(stand.open(1, { ...options, host: { execArgv: never } } as never));
    const settled = opening.then(() => {
      isSettled = true;
    });
    // Minutes that pass at once. The end of the process takes the time that it takes.
    while (!isSettled) {
      vi.advanceTimersByTime(60_000);
      await new Promise(setImmediate);
    }
    vi.useRealTimers();
    await settled;
    const code = 'rehearse' in options ? 'ERR_REHEARSAL_CRASHED' : 'ERR_HOST_CRASHED';
    expect(await opening).toMatchObject({ code, details: { signal: 'SIGKILL' } });
    await stand.end();
  },
);

describe.each([{ isolation: 'process' }, { isolation: 'inline', rehearse: true }] as const)('%o', (how) => {
  test.each([
    ['at once', { host: { env: { TOO_LONG } } }, NODE, /: spawn E2BIG; /],
    ['a moment later', {}, '/nowhere/node', /: spawn \/nowhere\/node ENOENT; /],
  ] as const)('a host that the system refuses %s is told of as that', async (_, more, node, found) => {
    await using stand = new Stand();
    process.execPath = node;
    const refusal = await refusalOf(stand.open(1, { ...how, ...more } as never));
    expect(refusal).toMatchObject({
      code: 'ERR_HOST_CRASHED',
      details: { addon: stand.file, version: 1, reason: 'start-failed', exitCode: null, signal: null },
      message: expect.stringMatching(/^Cannot start what is to run version 1 of ".*fatal\.node": /),
    });
    expect(refusal['message']).toMatch(found);
    process.execPath = NODE;
    await stand.open(1, how as never);
    await stand.end();
  });
});

test('bytes for which no host could be started are tried again when they are written again', async () => {
  await using stand = new Stand();
  const options = { isolation: 'inline', rehearse: true, watch: true, host: { spare: false } };
  const addon = await stand.open(1, options as never);
  process.execPath = '/nowhere/node';
  const failed = new Promise((resolve) => addon.once('failed', resolve));
  stand.install(2);
  expect(await failed).toMatchObject({ details: { version: 2, reason: 'start-failed' } });
  process.execPath = NODE;
  const reloaded = new Promise((resolve) => addon.once('reloaded', resolve));
  stand.install(2);
  expect(await reloaded).toMatchObject({ from: 1 });
});
