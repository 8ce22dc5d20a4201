import { describe, expect, test } from 'vitest';
import { putInOrder } from '../../src/group-order.ts';

const ordered = (after: Readonly<Record<string, readonly string[]>>): string =>
  putInOrder(new Map(Object.entries(after))).join(' ');

describe('putInOrder', () => {
  test.each([
    ['the given order where nothing is asked', { a: [], b: [], c: [] }, 'a b c'],
    ['each after those it asks for', { a: ['c'], b: ['a'], c: [] }, 'c a b'],
    ['no name twice', { a: ['b', 'c', 'b'], b: ['c'], c: [] }, 'c b a'],
    ['a diamond in the order of its sides', { d: ['b', 'c'], c: ['a'], b: ['a'], a: [] }, 'a b c d'],
  ])('gives %s', (_, after, order) => {
    expect(ordered(after)).toBe(order);
  });

  test.each([
    ['itself', { a: [], b: ['b'] }, ['b', 'b']],
    ['another that waits for it', { a: ['b'], b: ['a'] }, ['a', 'b', 'a']],
    ['a longer way back', { a: ['b'], b: ['c'], c: ['d'], d: ['b'] }, ['b', 'c', 'd', 'b']],
  ])('refuses a name that waits for %s, and names the way', (_, after, path) => {
    const message = expect.stringContaining(path.map((name) => `"${name}"`).join(' -> '));
    expect(() => ordered(after)).toThrow(
      expect.objectContaining({ code: 'ERR_GROUP_CYCLE', details: { path }, message }),
    );
  });
});
