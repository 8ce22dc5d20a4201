/** How often, and after which failures, what a watch asked for is tried again. */
import { expect, test } from 'vitest';
import { errors } from '../../src/errors.ts';
import { WatchRetries } from '../../src/watch-retries.ts';

const busy = (reason: 'threads' | 'in-call' | 'replacing' | 'shared'): Error =>
  errors.busy({ addon: '/a.node', reason, sharedWith: null });

/** A clock that stands still until it is told to go on. */
function watched() {
  const timers: { readonly delayMs: number; readonly callback: () => void }[] = [];
  let tries = 0;
  const retries = new WatchRetries({
    after(delayMs, callback) {
      const timer = { delayMs, callback };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
    again() {
      tries += 1;
    },
  });
  /** @returns how long it took; null where nothing waits */
  const next = (): number | null => {
    const timer = timers.shift();
    timer?.callback();
    return timer?.delayMs ?? null;
  };
  return { retries, next, tries: () => tries };
}

test.each(['threads', 'in-call', 'replacing'] as const)('a reload is tried again after %s', (reason) => {
  const { retries, next, tries } = watched();
  retries.failed(busy(reason));
  expect(next()).toBe(100);
  expect(tries()).toBe(1);
});

test('what no time heals is not tried again', () => {
  const { retries, next } = watched();
  for (const error of [busy('shared'), errors.internal({ during: 'reload' }, null), new Error('other')]) {
    retries.failed(error);
    expect(next()).toBeNull();
  }
});

test('tries come later and later, and end', () => {
  const { retries, next } = watched();
  const delays: number[] = [];
  for (;;) {
    retries.failed(busy('threads'));
    const delayMs = next();
    if (delayMs === null) break;
    delays.push(delayMs);
  }
  expect(delays).toEqual([100, 200, 400, 800, 1_600, 3_200, ...Array<number>(6).fill(5_000)]);
});

test('a new change takes the place of the try that waits, and begins anew', () => {
  const { retries, next } = watched();
  for (let failures = 0; failures < 3; failures++) retries.failed(busy('threads'));
  retries.reset();
  expect(next()).toBeNull();
  retries.failed(busy('threads'));
  expect(next()).toBe(100);
});
