/** Growth, told from samples with noise. */
import { describe, expect, test } from 'vitest';
import { measured, trimmedSlope, quantile, RELOADS_TO_TELL } from '../../../src/check/growth.ts';

const points = (count: number, y: (x: number) => number) =>
  Array.from({ length: count }, (_, x) => ({ x, y: y(x) }));

describe('trimmedSlope', () => {
  test('is that of a line', () => {
    expect(trimmedSlope(points(20, (x) => 7 * x + 3))).toBe(7);
    expect(trimmedSlope(points(20, (x) => 100 - 2 * x))).toBe(-2);
  });

  test.each([1, 12, 24])('does not heed what comes or goes at once, before sample %d', (at) => {
    expect(trimmedSlope(points(25, (x) => 10 * x + (x >= at ? 1e6 : 0)))).toBe(10);
    expect(trimmedSlope(points(25, (x) => 10 * x - (x >= at ? 1e6 : 0)))).toBe(10);
  });

  test('heeds what grows by steps, as memory of pages does', () => {
    const slope = trimmedSlope(points(25, (x) => 40 * Math.floor(x / 2)));
    expect(slope).toBeGreaterThan(16);
    expect(slope).toBeLessThan(24);
  });

  test('is none where there are no steps', () => {
    expect([trimmedSlope([]), trimmedSlope(points(1, () => 5)), trimmedSlope(points(2, (x) => x))]).toEqual([
      0, 0, 0,
    ]);
  });
});

describe('quantile', () => {
  test.each([
    [[3, 1, 2], 0.5, 2],
    [[5], 0.99, 5],
    [Array.from({ length: 100 }, (_, index) => index), 0.99, 99],
    [[1, 2], 1, 2],
    [[], 0.5, null],
  ])('of %j at %d is %s', (values, share, expected) => {
    expect(quantile(values, share)).toBe(expected);
  });
});

describe('measured', () => {
  const every = (step: number, last: number) =>
    Array.from({ length: last / step }, (_, index) => ({ reload: (index + 1) * step }));
  const range = (samples: readonly { readonly reload: number }[] | null) =>
    samples && [samples[0]?.reload, samples.at(-1)?.reload];

  test('is the second half', () => {
    expect(range(measured(every(20, 1000)))).toEqual([500, 1000]);
    expect(range(measured(every(100, 5000)))).toEqual([2500, 5000]);
  });

  test('is nothing with fewer reloads than tell anything', () => {
    expect(measured(every(1, RELOADS_TO_TELL - 1))).toBeNull();
    expect(measured([])).toBeNull();
  });
});
