import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { readHooks } from '../../../src/state/hooks.ts';
import { runSteps } from '../../../src/later.ts';
import { checkSave, copyState, findDifference } from '../../../src/state/roundtrip.ts';

const about = { addon: '/kernel.node', version: 2 };

/** What becomes of a new version that was given one state and saves another. */
function verify(given: unknown, saved: unknown): void {
  const hooks = readHooks({ napiReload: { save: () => saved } }, about.version);
  runSteps(checkSave(hooks, true, copyState(given, about), about));
}

class Row {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

describe('a state that is compared', () => {
  const cyclic = (value: number) => {
    const state: Record<string, unknown> = {};
    state['self'] = state;
    state['value'] = value;
    return state;
  };
  const same: [string, unknown, unknown][] = [
    ['plain data', { rows: [{ a: 1n }, null, 'x'] }, { rows: [{ a: 1n }, null, 'x'] }],
    ['NaN', [Number.NaN], [Number.NaN]],
    ['typed arrays', new Float64Array([0, Number.NaN]), new Float64Array([0, Number.NaN])],
    ['maps and sets', new Map([[1, new Set(['a'])]]), new Map([[1, new Set(['a'])]])],
    ['an instance and a plain object', { row: new Row(1) }, { row: { value: 1 } }],
    ['a Buffer and its bytes', Buffer.from('ab'), new Uint8Array([97, 98])],
    ['dates', new Date(5), new Date(5)],
    ['what holds itself', cyclic(1), cyclic(1)],
    ['keys in another order', { a: 1, b: 2 }, { b: 2, a: 1 }],
  ];
  test.each(same)('is the same: %s', (_, given, saved) => {
    expect(() => verify(given, saved)).not.toThrow();
  });

  const hole = new Array(2);
  const different: [string, unknown, unknown, string][] = [
    ['another value', { rows: [{ a: 1 }, { a: 2 }] }, { rows: [{ a: 1 }, { a: 3 }] }, 'state.rows[1].a'],
    ['another type', { a: 1 }, { a: '1' }, 'state.a'],
    ['-0', { a: 0 }, { a: -0 }, 'state.a'],
    ['a property more', { a: 1 }, { a: 1, b: undefined }, 'state.b'],
    ['a property less', { a: { b: undefined } }, { a: {} }, 'state.a.b'],
    ['an element more', { list: [1] }, { list: [1, 2] }, 'state.list[1]'],
    ['a hole', hole, [undefined, undefined], 'state[0]'],
    ['another element of a typed array', new Int8Array([1, 2]), new Int8Array([1, 3]), 'state[1]'],
    ['a shorter typed array', { t: new Int8Array(2) }, { t: new Int8Array(1) }, 'state.t[1]'],
    ['another kind of typed array', { t: new Int8Array(2) }, { t: new Uint8Array(2) }, 'state.t'],
    ['other bytes', { b: new ArrayBuffer(2) }, { b: new Uint8Array([0, 1]).buffer }, 'state.b'],
    [
      'another value of a map',
      { m: new Map([['k', { x: 1 }]]) },
      { m: new Map([['k', { x: 2 }]]) },
      'state.m.get("k").x',
    ],
    ['a key of a map less', new Map([[1, 1]]), new Map(), 'state.get(1)'],
    ['another key that is an object', new Map([[{ k: 1 }, 1]]), new Map([[{ k: 2 }, 1]]), 'state'],
    ['another set', { s: new Set([1]) }, { s: new Set([2]) }, 'state.s'],
    ['an array for an object', { a: [] }, { a: {} }, 'state.a'],
    ['a difference beside what holds itself', cyclic(1), cyclic(2), 'state.self'],
    ['a bare value', 7, 8, 'state'],
  ];
  test.each(different)('is not the same: %s', (_, given, saved, path) => {
    expect(() => verify(given, saved)).toThrow(
      expect.objectContaining({
        code: 'ERR_STATE_ROUNDTRIP',
        details: { ...about, reason: 'differs', path },
        message: expect.stringContaining(path),
      }),
    );
  });

  test('is as it was before the new version changed it in place', () => {
    const state = { list: [1] };
    const given = copyState(state, about);
    state.list.push(2);
    const hooks = readHooks({ napiReload: { save: () => state } }, 2);
    expect(() => runSteps(checkSave(hooks, true, given, about))).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ path: 'state.list[1]' }) }),
    );
  });

  test.each([
    ['given', { call: () => 1 }, {}],
    ['saved', {}, { call: () => 1 }],
  ])('is refused when what is %s is no data', (_, given, saved) => {
    expect(() => verify(given, saved)).toThrow(
      expect.objectContaining({
        code: 'ERR_STATE_ROUNDTRIP',
        details: { ...about, reason: 'not-cloneable', path: null },
        cause: expect.objectContaining({ name: 'DataCloneError' }),
      }),
    );
  });

  test('has a difference just when it is not strictly equal, whatever data it is', () => {
    fc.assert(
      fc.property(
        fc.anything({ withMap: true, withTypedArray: true }),
        fc.anything({ withMap: true }),
        (a, b) => {
          expect(findDifference(a, b) === null).toBe(isDeepStrictEqual(a, b));
        },
      ),
    );
  });
});
