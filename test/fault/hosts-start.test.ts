/** Hosts whose program never runs. */
import { expect, test, vi } from 'vitest';
import { refusalOf, Stand } from './hosted.ts';

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
  },
);
