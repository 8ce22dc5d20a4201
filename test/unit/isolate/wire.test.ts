/** Values that are taken apart and put together again: what is one object before is one afterwards. */
import { expect, test } from 'vitest';
import { fromWire, type Special, type Taker, toWire } from '../../../src/isolate/wire.ts';

/** As on the way: functions are given back by their numbers. */
function bringOver<T>(value: T): T {
  const functions: object[] = [];
  const taker: Taker = {
    take: (each): Special | null =>
      typeof each === 'function' ? { kind: 'your-function', id: functions.push(each) - 1 } : null,
  };
  const { value: left, ...parts } = toWire(value, taker);
  const wire = { value: structuredClone(left), ...parts };
  return fromWire(wire, { give: (special) => functions[(special as { id: number }).id] }) as T;
}

const call = (): void => undefined;

test('an object with a function in it that is there twice is one object', () => {
  const one = { call };
  const [a, b] = bringOver([one, one]);
  expect(a).toBe(b);
  expect(a?.call).toBe(call);
});

test('a value that holds itself and a function holds itself', () => {
  interface Ring {
    readonly before: { readonly ring?: Ring };
    self?: Ring;
    readonly call: () => void;
    readonly after: Ring[];
  }
  const ring: Ring = { before: {}, call, after: [] };
  ring.self = ring;
  ring.after.push(ring);
  Object.assign(ring.before, { ring });
  const found = bringOver(ring);
  expect(found.self).toBe(found);
  expect(found.after[0]).toBe(found);
  expect(found.before.ring).toBe(found);
  expect(found.call).toBe(call);
  expect(ring.call).toBe(call);
});

test('an error that is there twice is one error', () => {
  const error = new RangeError('one');
  const { a, b } = bringOver({ a: error, b: error });
  expect(a).toBe(b);
  expect(a).toBeInstanceOf(RangeError);
});

test('holes stay holes, however many', () => {
  const sparse: unknown[] = [];
  sparse[2 ** 31] = call;
  const found = bringOver(sparse);
  expect(found).toHaveLength(2 ** 31 + 1);
  expect(Object.keys(found)).toEqual([String(2 ** 31)]);
});

test('a key "__proto__" is a key', () => {
  const value: object = JSON.parse('{"__proto__": {"polluted": 1}}');
  const [inner] = Object.values(value) as [object];
  Object.defineProperty(inner, 'call', { value: call, enumerable: true });
  const found = bringOver(value);
  expect(Object.keys(found)).toEqual(['__proto__']);
  expect(Object.getPrototypeOf(found)).toBe(Object.prototype);
  expect(Reflect.get({}, 'polluted')).toBeUndefined();
});

test.each([
  ['a Map', new Map([['key', { at: 1 }]])],
  ['a Set', new Set([{ at: 1 }])],
])('%s with an object of the addon is refused: it would arrive as an empty one', (_, value) => {
  const taken: Special = { kind: 'object', id: 1, name: '' };
  const taker: Taker = { take: (each) => ('at' in each ? taken : null) };
  expect(() => toWire({ value }, taker)).toThrow(/could not be cloned/);
});
