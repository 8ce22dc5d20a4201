import { describe, expect, test } from 'vitest';
import { loadNative } from '../../../src/native.ts';
import { createLiveExports } from '../../../src/swap/live-exports.ts';
import { firstVersion, thrownBy } from './support.ts';

type Fn = (...args: unknown[]) => unknown;

describe('a function', () => {
  test('is the same object over reloads and runs the live code when it was taken before', () => {
    const { exports, reload } = firstVersion<{ dot: Fn }>({ dot: () => 'one' });
    const { dot } = exports;
    expect(dot()).toBe('one');
    reload({ dot: () => 'two' });
    expect(exports.dot).toBe(dot);
    expect(dot()).toBe('two');
  });

  test('has the name and length of the live one', () => {
    const { exports, reload } = firstVersion<{ f: Fn }>({ f: function first(_a: unknown) {} });
    expect([exports.f.name, exports.f.length]).toEqual(['first', 1]);
    reload({ f: function second(_a: unknown, _b: unknown) {} });
    expect([exports.f.name, exports.f.length]).toEqual(['second', 2]);
    expect(Object.getOwnPropertyDescriptor(exports.f, 'name')?.writable).toBe(false);
  });

  test('gets exactly the arguments and the receiver of the call', () => {
    const { exports } = firstVersion<{ f: (this: unknown, ...args: unknown[]) => unknown[] }>({
      f: function f(this: unknown, ...args: unknown[]) {
        return [this, args.length, ...args];
      },
    });
    const self = {};
    for (let count = 0; count < 7; count++) {
      const args = Array.from({ length: count }, (_, index) => index);
      expect(exports.f.apply(self, args)).toEqual([self, count, ...args]);
    }
    expect(exports.f(undefined)).toEqual([exports, 1, undefined]);
    const { f } = exports;
    expect(f()).toEqual([undefined, 0]);
  });

  test('without a prototype cannot be constructed, as the raw one', () => {
    const raw = { arrow: () => 1, async later() {}, method() {} };
    const { exports } = firstVersion<Record<keyof typeof raw, new () => object>>(raw);
    for (const name of ['arrow', 'later', 'method'] as const) {
      expect(Object.hasOwn(exports[name], 'prototype')).toBe(false);
      expect(() => new exports[name]()).toThrow(TypeError);
    }
    expect(Object.getPrototypeOf(exports.later)).toBe(Object.getPrototypeOf(raw.later));
  });

  test('throws what the raw one throws', () => {
    const error = new RangeError('from inside');
    const { exports } = firstVersion<{ f: Fn }>({
      f: () => {
        throw error;
      },
    });
    expect(thrownBy(() => exports.f())).toBe(error);
  });

  test('that publishes the next version while it runs ends in the code it began in', () => {
    const { exports, plan } = firstVersion<{ f: Fn }>({
      f: () => {
        next.publish();
        return ['old', exports.f()];
      },
    });
    const next = plan({ f: () => 'new' });
    expect(exports.f()).toEqual(['old', 'new']);
  });

  test('of the language itself is handed on as it is', () => {
    const { exports } = firstVersion<{ Map: unknown; JSON: unknown }>({ Map, JSON });
    expect(exports.Map).toBe(Map);
    expect(exports.JSON).toBe(JSON);
  });

  test('carries properties of its own', () => {
    const { exports, reload } = firstVersion<{ f: Fn & { limit: number; inner: Fn } }>({
      f: Object.assign(() => 0, { limit: 1, inner: () => 'one' }),
    });
    const { inner } = exports.f;
    reload({ f: Object.assign(() => 0, { limit: 2, inner: () => 'two' }) });
    expect([exports.f.limit, inner()]).toEqual([2, 'two']);
  });
});

describe('an object', () => {
  test('that is nested keeps its identity and its functions', () => {
    const { exports, reload } = firstVersion<{ stats: { mean: Fn; deep: { sum: Fn } } }>({
      stats: { mean: () => 1, deep: { sum: () => 1 } },
    });
    const { stats } = exports;
    const { sum } = stats.deep;
    reload({ stats: { mean: () => 2, deep: { sum: () => 2 } } });
    expect(exports.stats).toBe(stats);
    expect([stats.mean(), sum()]).toEqual([2, 2]);
  });

  test('with cycles and aliases has the same cycles and aliases', () => {
    const raw = (n: number): object => {
      const f = (): number => n;
      const self: Record<string, unknown> = { f, g: f, inner: {} };
      self['default'] = self;
      self['inner'] = { outer: self, f };
      return self;
    };
    const { exports, reload } = firstVersion<Record<string, unknown> & { f: Fn }>(raw(1));
    const check = (): void => {
      expect(exports['default']).toBe(exports);
      expect(exports['g']).toBe(exports.f);
      expect(exports['inner']).toEqual({ outer: exports, f: exports.f });
    };
    check();
    reload(raw(2));
    check();
    expect(exports.f()).toBe(2);
  });

  test('whose alias becomes two functions and one again runs live code under every kept reference', () => {
    const same = (n: number): object => {
      const f = (): number => n;
      return { a: f, b: f };
    };
    const { exports, reload } = firstVersion<{ a: Fn; b: Fn }>({ a: () => 'a1', b: () => 'b1' });
    const { a, b } = exports;
    reload(same(2));
    expect(exports.b).toBe(exports.a);
    expect([a(), b()]).toEqual([2, 2]);
    reload({ b: () => 'b3', a: () => 'a3' });
    expect([exports.a === a, exports.b === b]).toEqual([true, true]);
    expect([a(), b()]).toEqual(['a3', 'b3']);
  });

  test('has symbol keys, enumerability and no prototype where the raw one has', () => {
    const key = Symbol('key');
    const raw = Object.defineProperty(Object.assign(Object.create(null), { [key]: 1, shown: 2 }), 'hidden', {
      value: 3,
    });
    const { exports } = firstVersion<Record<PropertyKey, unknown>>({ bare: raw, [key]: () => 'symbol' });
    const bare = exports['bare'] as Record<PropertyKey, unknown>;
    expect(Object.getPrototypeOf(bare)).toBe(null);
    expect([bare[key], bare['hidden'], Object.keys(bare)]).toEqual([1, 3, ['shown']]);
    expect((exports[key] as Fn)()).toBe('symbol');
  });

  test('has accessors that run on the live raw object', () => {
    const raw = (start: number): object => {
      let count = start;
      return {
        get next() {
          return count + 1;
        },
        set next(value: number) {
          count = value;
        },
      };
    };
    const { exports, reload } = firstVersion<{ next: number }>(raw(1));
    expect(exports.next).toBe(2);
    exports.next = 10;
    expect(exports.next).toBe(11);
    reload(raw(100));
    expect(exports.next).toBe(101);
    const reader = Object.getOwnPropertyDescriptor(exports, 'next')?.get as Fn;
    reload({});
    expect(thrownBy(() => reader.call(exports))).toMatchObject({
      code: 'ERR_EXPORT_REMOVED',
      details: { name: 'next' },
    });
  });

  test('holds constants that can be written and everything that is not plain by reference', () => {
    const list = [1];
    const map = new Map();
    const { exports, reload } = firstVersion<Record<string, unknown>>({
      PI: 3,
      list,
      map,
      bytes: new Uint8Array(1),
    });
    expect(Object.getOwnPropertyDescriptor(exports, 'PI')).toMatchObject({
      enumerable: true,
      configurable: true,
    });
    expect({ ...exports }).toMatchObject({ PI: 3 });
    exports['PI'] = 4;
    expect(exports['PI']).toBe(4);
    expect([exports['list'] === list, exports['map'] === map]).toEqual([true, true]);
    reload({ PI: 3.14, list: [2] });
    expect(exports).toEqual({ PI: 3.14, list: [2] });
  });
});

describe('a plan', () => {
  test('tells which names appear and which go', () => {
    const { reload } = firstVersion({
      a: 1,
      stats: { mean: () => 1, sum: () => 1 },
      C: class {
        add() {}
      },
    });
    const { added, removed } = reload({
      a: 1,
      b: 2,
      stats: { mean: () => 1 },
      C: class {
        sub() {}
      },
    });
    expect(added).toEqual(['b', 'C.prototype.sub']);
    expect(removed).toEqual(['stats.sum', 'C.prototype.add']);
  });

  test('changes nothing before it is published', () => {
    const { exports, plan } = firstVersion<{ f: Fn; x?: number }>({ f: () => 1 });
    const raw = { f: function f() {}, x: 1 };
    const before = Object.getOwnPropertyDescriptors(exports);
    plan(raw);
    expect(Object.getOwnPropertyDescriptors(exports)).toEqual(before);
    expect(exports.f()).toBe(1);
    expect(Object.getPrototypeOf(raw.f.prototype)).toBe(Object.prototype);
  });

  test('is an assertion when it is published twice or out of date', () => {
    const { plan } = firstVersion({});
    const [early, late] = [plan({}), plan({})];
    late.publish();
    expect(() => late.publish()).toThrow('out of date');
    expect(() => early.publish()).toThrow('out of date');
  });

  test.each<[string, unknown, unknown]>([
    ['an object', {}, () => 0],
    ['a function', () => 0, {}],
    ['a class', class {}, () => 0],
    ['a value', 7, {}],
    ['an object', {}, [1]],
  ])('refuses a root that was %s and is another kind now', (_name, first, second) => {
    const { live, plan } = firstVersion(first);
    const { value } = live;
    expect(thrownBy(() => plan(second))).toMatchObject({ code: 'ERR_EXPORTS_INCOMPATIBLE' });
    expect(live.value).toBe(value);
  });
});

describe('a name', () => {
  test('that goes is gone from the object, and a kept reference throws', () => {
    const { exports, reload } = firstVersion<{ f?: Fn; C: new () => object; o: { g: Fn } }>({
      f: () => 1,
      C: class {},
      o: { g: () => 1 },
    });
    const { f, C, o } = exports;
    const { g } = o;
    reload({});
    expect(Object.keys(exports)).toEqual([]);
    expect(Object.keys(o)).toEqual([]);
    const wanted = (name: string): object => ({ code: 'ERR_EXPORT_REMOVED', details: { name, version: 2 } });
    expect(thrownBy(() => f?.())).toMatchObject(wanted('f'));
    expect(thrownBy(() => g())).toMatchObject(wanted('o.g'));
    expect(thrownBy(() => new C())).toMatchObject(wanted('C'));
    expect(C.name).toBe('C');
  });

  test('that comes back is the same object again', () => {
    const { exports, reload } = firstVersion<{ f: Fn; o: { g: Fn } }>({ f: () => 1, o: { g: () => 1 } });
    const { f, o } = exports;
    const { g } = o;
    reload({});
    reload({ f: () => 3, o: { g: () => 3 } });
    expect([exports.f === f, exports.o === o, o.g === g]).toEqual([true, true, true]);
    expect([f(), g()]).toEqual([3, 3]);
  });

  test('that changes its kind is another thing, and in neither list', () => {
    const { exports, reload } = firstVersion<{ x: unknown }>({ x: () => 1 });
    const { x } = exports;
    expect(reload({ x: 7 })).toMatchObject({ added: [], removed: [] });
    expect(exports.x).toBe(7);
    expect(thrownBy(x as Fn)).toMatchObject({ code: 'ERR_EXPORT_REMOVED' });
    reload({ x: { y: 1 } });
    expect(exports.x).toEqual({ y: 1 });
    reload({ x: () => 4 });
    expect(exports.x).toBe(x);
  });
});

describe('what the user did to the facade', () => {
  test('survives a reload', () => {
    const { exports, reload } = firstVersion<Record<string, unknown>>({ f: () => 1, g: () => 1, c: 1 });
    const mock = (): string => 'mock';
    exports['path'] = '/somewhere';
    exports['f'] = mock;
    Object.defineProperty(exports, 'c', { value: 'mine', configurable: true, enumerable: true });
    reload({ f: () => 2, g: () => 2, c: 2, path: 'theirs' });
    expect([exports['path'], exports['f'], exports['c']]).toEqual(['/somewhere', mock, 'mine']);
    reload({ g: () => 3 });
    expect(Object.keys(exports).sort()).toEqual(['c', 'f', 'g', 'path']);
  });

  test('by freezing is fine as long as only code and constants change, and refused by the plan otherwise', () => {
    const { exports, plan, reload } = firstVersion<{ f: Fn; c: number }>({ f: () => 1, c: 1 });
    Object.freeze(exports);
    reload({ f: () => 2, c: 1 });
    expect(exports.f()).toBe(2);
    reload({ f: () => 2, c: 2 });
    expect(exports.c).toBe(2);
    for (const raw of [{ f: () => 3 }, { f: () => 3, c: { d: 1 } }, { f: () => 3, c: 1, more: 1 }]) {
      expect(thrownBy(() => plan(raw))).toMatchObject({ code: 'ERR_EXPORTS_INCOMPATIBLE' });
    }
    expect(exports.f()).toBe(2);
  });

  test('by sealing still lets constants change', () => {
    const { exports, reload } = firstVersion<{ c: number }>({ c: 1 });
    Object.seal(exports);
    reload({ c: 2 });
    expect(exports.c).toBe(2);
  });
});

describe('exports as a whole', () => {
  test('that are a function stay one function with its statics', () => {
    const make = (n: number): Fn => Object.assign((): number => n, { helper: (): number => n });
    const { exports, reload } = firstVersion<Fn & { helper: Fn; self?: Fn }>(make(1));
    const { helper } = exports;
    const second = Object.assign(make(2), { self: null as unknown });
    second.self = second;
    reload(second);
    expect([exports(), helper(), exports.self === exports]).toEqual([2, 2, true]);
  });

  test.each([[7], ['text'], [null], [undefined], [[1, 2]], [new Map()]])(
    'that are the value %o are handed on',
    (value) => {
      const { live, reload } = firstVersion(value);
      expect(live.value).toBe(value);
      reload('next');
      expect(live.value).toBe('next');
    },
  );

  test('are undefined before the first publish', () => {
    expect(createLiveExports('x.node', loadNative()).value).toBe(undefined);
  });
});

describe('revoke', () => {
  test('makes every function, method and accessor throw', () => {
    class C {
      get size(): number {
        return 1;
      }
      add(): void {}
      static make(): void {}
    }
    const { live, exports, reload } = firstVersion<{
      f: Fn;
      o: { g: Fn };
      C: typeof C;
      v: number;
      gone?: Fn;
    }>({
      f: () => 1,
      gone: () => 1,
      o: { g: () => 1 },
      C,
      get v() {
        return 1;
      },
    });
    const { gone } = exports;
    const old = new exports.C();
    class C2 {
      get size(): number {
        return 2;
      }
      add(): void {}
    }
    reload({
      f: () => 1,
      o: { g: () => 1 },
      C: C2,
      get v() {
        return 1;
      },
    });
    const instance = new exports.C();
    const why = new TypeError('closed');
    live.revoke(() => why);
    const uses: (() => unknown)[] = [
      () => exports.f(),
      () => gone?.(),
      () => exports.o.g(),
      () => new exports.C(),
      () => exports.v,
      () => instance.add(),
      () => old.add(),
      () => old.size,
    ];
    for (const use of uses) expect(thrownBy(use)).toBe(why);
  });

  test('forbids to plan and to publish', () => {
    const { live, plan } = firstVersion({});
    const made = plan({});
    live.revoke(() => new TypeError('closed'));
    expect(() => made.publish()).toThrow('publish after revoke');
    expect(() => plan({})).toThrow('plan after revoke');
  });
});
