/** Live exports over what Node-API really makes: functions with prototypes, methods that check their receiver. */
import { expect, test } from 'vitest';
import { buildFixture } from './addon.ts';
import { firstVersion, thrownBy } from './support.ts';

interface Counter {
  total: number;
  add(by: number): number;
  onlyInOne?(): number;
  onlyInTwo?(): number;
}
interface Addon {
  add(a: number, b: number): number;
  noop(): undefined;
  countArguments(...args: unknown[]): number;
  version(): number;
  fail(): never;
  makeCounter(start: number): Counter;
  isCounter(value: unknown): boolean;
  onlyInOne?(): number;
  onlyInTwo?(): number;
  stats: { version(): number };
  VERSION: number;
  Counter: { new (start: number): Counter; version(): number; prototype: Counter };
}

interface Wrapped {
  readonly external: object;
  readExternal(value: unknown): number;
  readReceiver(): number;
  self(): unknown;
  readonly wrapped: { read(): number };
}

const fixture = await buildFixture();
const wrapped = await buildFixture('wrapped');
const wrappedRoot = await buildFixture('wrapped', ['-DWRAPPED_ROOT']);
const start = (): ReturnType<typeof firstVersion<Addon>> => firstVersion<Addon>(fixture.load(1));

test('a native function runs the new version under a reference taken before', () => {
  const { exports, reload } = start();
  const { version, add, countArguments } = exports;
  const nested = exports.stats.version;
  expect([version(), nested(), exports.VERSION]).toEqual([1, 1, 1]);
  reload(fixture.load(2));
  expect([version(), nested(), exports.VERSION]).toEqual([2, 2, 2]);
  expect([exports.version === version, version.name, add(1, 2)]).toEqual([true, 'version', 3]);
  expect([countArguments(), countArguments(undefined), countArguments(1, 2, 3, 4, 5, 6)]).toEqual([0, 1, 6]);
});

test('a native error passes through as it is', () => {
  const { exports, reload } = start();
  reload(fixture.load(2));
  const error = thrownBy(() => exports.fail());
  expect(error).toBeInstanceOf(RangeError);
  expect(error).toMatchObject({ code: 'ERR_FIXTURE', message: 'thrown by version 2' });
});

test('a native name that goes throws, and one that comes is listed', () => {
  const { exports, reload } = start();
  const { onlyInOne } = exports;
  const { added, removed } = reload(fixture.load(2));
  expect(added).toEqual(['onlyInTwo', 'Counter.prototype.onlyInTwo']);
  expect(removed).toEqual(['onlyInOne', 'Counter.prototype.onlyInOne']);
  expect(exports.onlyInTwo?.()).toBe(2);
  expect(thrownBy(() => onlyInOne?.())).toMatchObject({ code: 'ERR_EXPORT_REMOVED' });
});

test('native instances of each version run the code of their version', () => {
  const { exports, reload } = start();
  const { Counter } = exports;
  class Mine extends Counter {}
  const old = [new Counter(1), new Mine(1), exports.makeCounter(1)];
  reload(fixture.load(2));
  const fresh = [new Counter(1), new Mine(1), exports.makeCounter(1)];
  expect(old.map((counter) => counter.add(10))).toEqual([11, 11, 11]);
  expect(fresh.map((counter) => counter.add(10))).toEqual([21, 21, 21]);
  for (const counter of [...old, ...fresh]) {
    expect(counter).toBeInstanceOf(Counter);
    counter.total += 1;
  }
  expect([...old, ...fresh].map((counter) => counter.total)).toEqual([12, 12, 12, 22, 22, 22]);
  expect(old.map((counter) => counter.onlyInOne?.())).toEqual([12, 12, 12]);
  expect([Counter.version(), Mine.version()]).toEqual([2, 2]);
});

test('native code recognises the instances that its own version made, and no others', () => {
  const { exports, reload } = start();
  class Mine extends exports.Counter {}
  const all = (): Counter[] => [new exports.Counter(1), new Mine(1), exports.makeCounter(1)];
  const old = all();
  expect(old.map((counter) => exports.isCounter(counter))).toEqual([true, true, true]);
  reload(fixture.load(2));
  expect(old.map((counter) => exports.isCounter(counter))).toEqual([false, false, false]);
  expect(all().map((counter) => exports.isCounter(counter))).toEqual([true, true, true]);
});

test('an instance of version 1 is told that a method came with version 2', () => {
  const { exports, reload } = start();
  const old = [new exports.Counter(1), exports.makeCounter(1)];
  reload(fixture.load(2));
  for (const counter of old) {
    expect(thrownBy(() => counter.onlyInTwo?.())).toMatchObject({
      code: 'ERR_EXPORT_REMOVED',
      details: { name: 'Counter.prototype.onlyInTwo', version: 1 },
    });
  }
});

test('a native method on a receiver that no version made is refused by Node-API, not entered', () => {
  const { exports } = start();
  expect(() => exports.Counter.prototype.add.call({} as Counter, 1)).toThrow('Illegal invocation');
});

test('ten versions later the same objects serve', () => {
  const { exports, reload } = start();
  const { Counter, version, stats } = exports;
  for (let turn = 0; turn < 10; turn++) reload(fixture.load(turn % 2 === 0 ? 2 : 1));
  expect([exports.Counter === Counter, exports.version === version, exports.stats === stats]).toEqual([
    true,
    true,
    true,
  ]);
  expect([version(), new Counter(1).add(1)]).toEqual([1, 2]);
});

test('an external is handed on as it is, of the live version', () => {
  const { exports, reload } = firstVersion<Wrapped>(wrapped.load(1));
  expect(exports.readExternal(exports.external)).toBe(42);
  reload(wrapped.load(2));
  expect(exports.readExternal(exports.external)).toBe(84);
});

test('a plain object that holds native data is handed on as it is, of the live version', () => {
  const { exports, reload } = firstVersion<Wrapped>(wrapped.load(1));
  const kept = exports.wrapped;
  reload(wrapped.load(2));
  expect([kept.read(), exports.wrapped.read()]).toEqual([42, 84]);
  expect(exports.readReceiver()).toBe(-1);
});

test('exports that hold native data stay one object, and their functions get the raw one as receiver', () => {
  const { live, exports, reload } = firstVersion<Wrapped>(wrappedRoot.load(1));
  expect([exports.readReceiver(), exports.self() === exports]).toEqual([42, true]);
  reload(wrappedRoot.load(2));
  expect([exports.readReceiver(), exports.self() === exports]).toEqual([84, true]);
  expect(live.value).toBe(exports);
});
