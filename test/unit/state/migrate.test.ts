import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resolveOptions } from '../../../src/options.ts';
import { chooseSchema, migrate } from '../../../src/state/migrate.ts';

type Steps = ReturnType<typeof resolveOptions>['migrate'];
const steps = (migrations: unknown): Steps => resolveOptions({ migrate: migrations }).migrate;
const append = (text: string) => (state: string) => state + text;

describe('migrate', () => {
  test('gives the state as it is when the schema stays', () => {
    const state = {};
    expect(migrate(state, 3, 3, steps({}))).toBe(state);
  });

  test('walks each step upwards in order', () => {
    expect(migrate('s', 1, 4, steps({ 3: append('c'), 1: append('a'), 2: append('b') }))).toBe('sabc');
  });

  test('walks down where a way down is given', () => {
    const both = { up: append('+'), down: append('-') };
    expect(migrate('s', 3, 1, steps({ 1: both, 2: both }))).toBe('s--');
  });

  test('runs no step at all when one is missing', () => {
    const ran: number[] = [];
    const way = steps({ 1: () => ran.push(1), 2: { down: () => ran.push(2) } });
    expect(() => migrate('s', 1, 4, way)).toThrow(
      expect.objectContaining({
        code: 'ERR_STATE_SCHEMA',
        details: expect.objectContaining({ step: [2, 3], reason: 'missing-step' }),
      }),
    );
    expect(ran).toEqual([]);
  });

  test('refuses to go down by a step that only leads up', () => {
    expect(() => migrate('s', 2, 1, steps({ 1: append('a') }))).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ step: [2, 1] }) }),
    );
  });

  test('names the step that threw and keeps its cause', () => {
    const cause = new Error('bad row');
    const way = steps({
      1: () => {
        throw cause;
      },
    });
    expect(() => migrate('s', 1, 2, way)).toThrow(
      expect.objectContaining({
        cause,
        details: expect.objectContaining({ reason: 'step-threw', step: [1, 2] }),
      }),
    );
  });

  test('refuses a step that forgets to return the state', () => {
    expect(() => migrate('s', 1, 2, steps({ 1: () => undefined }))).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ reason: 'step-lost' }) }),
    );
  });

  test('refuses a step that returns a promise of any kind', () => {
    // biome-ignore lint/suspicious/noThenProperty: a promise of another library
    const foreign = { then: () => undefined };
    expect(() => migrate('s', 1, 2, steps({ 1: () => foreign }))).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ reason: 'step-async' }) }),
    );
    expect(() => migrate('s', 1, 2, steps({ 1: async () => 's' }))).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ reason: 'step-async' }) }),
    );
  });

  test('up and then down along one chain gives the state back', () => {
    const way = steps(
      Object.fromEntries(
        Array.from({ length: 9 }, (_, i) => [
          i + 1,
          { up: (s: number[]) => [...s, i + 1], down: (s: number[]) => s.filter((x) => x !== i + 1) },
        ]),
      ),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 10 }), (a, b) => {
        const at = (n: number) => Array.from({ length: n - 1 }, (_, i) => i + 1);
        expect(migrate(at(a), a, b, way)).toEqual(at(b));
      }),
    );
  });
});

describe('chooseSchema', () => {
  const both = { up: append('+'), down: append('-') };
  const cases: [string, number, number, number[], Record<number, unknown>, number][] = [
    ['stays where the schema is the same', 2, 2, [1], {}, 2],
    ['takes the steps to its own, also where it accepts the state as it is', 1, 2, [1], { 1: both }, 2],
    [
      'leaves the state as it is where the steps end early and that is accepted',
      1,
      3,
      [1, 2],
      { 1: both },
      1,
    ],
    ['goes as far as to what is accepted', 1, 4, [2, 3], { 1: both, 2: both }, 2],
    ['goes down to what is accepted', 3, 5, [2], { 2: both }, 2],
    ['of two that are as near takes the one closer to its own', 3, 9, [2, 4], { 2: both, 3: both }, 4],
    [
      'of two that are as near takes the lower one for a lower version',
      3,
      1,
      [4, 2],
      { 2: both, 3: both },
      2,
    ],
    ['passes over what no step leads to', 2, 4, [1], { 1: append('a') }, 4],
  ];
  test.each(cases)('%s', (_, from, schema, accepts, migrations, wanted) => {
    expect(chooseSchema(from, { schema, accepts }, steps(migrations))).toBe(wanted);
  });
});
