import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { firstVersion, thrownBy } from './support.ts';

interface Counter {
  add(by: number): unknown;
  readonly total: unknown;
  reset?(): unknown;
  more?(): unknown;
}
interface CounterClass {
  new (start?: number): Counter;
  create(): Counter;
  readonly kind: string;
  readonly prototype: Counter;
}
interface Classes {
  Counter: CounterClass;
  make(start?: number): Counter;
  isCounter(value: unknown): boolean;
}

/** Private fields check receivers, as V8 does for native methods. */
function counterOf(version: number): {
  Counter: CounterClass;
  make(): Counter;
  isCounter(value: unknown): boolean;
} {
  class Counter {
    #total: number;
    constructor(start = 0) {
      this.#total = start;
    }
    add(by: number): string {
      this.#total += by;
      return `v${version}:${this.#total}`;
    }
    get total(): string {
      return `v${version}:${this.#total}`;
    }
    set total(value: string) {
      this.#total = Number(value);
    }
    *[Symbol.iterator](): Iterator<number> {
      yield this.#total;
    }
    get [Symbol.toStringTag](): string {
      return `Counter${version}`;
    }
    static create(): Counter {
      return new this();
    }
    static get kind(): string {
      return `kind${version}`;
    }
  }
  const only = version === 1 ? 'reset' : 'more';
  Object.defineProperty(Counter.prototype, only, {
    configurable: true,
    value(this: Counter) {
      return this.add(0);
    },
  });
  return { Counter, make: () => new Counter(5), isCounter: (value) => value instanceof Counter };
}

describe('a class', () => {
  test('is one constructor and one prototype over reloads', () => {
    const { exports, reload } = firstVersion<Classes>(counterOf(1));
    const { Counter } = exports;
    const { prototype } = Counter;
    reload(counterOf(2));
    expect([exports.Counter === Counter, Counter.prototype === prototype]).toEqual([true, true]);
    expect(new Counter().add(1)).toBe('v2:1');
    expect([Counter.create() instanceof Counter, Counter.kind]).toEqual([true, 'kind2']);
  });

  test('makes instances of which every version is an instance of it', () => {
    const { exports, reload } = firstVersion<Classes>(counterOf(1));
    const { Counter } = exports;
    const made = [new Counter(), exports.make()];
    reload(counterOf(2));
    made.push(new Counter(), exports.make());
    for (const instance of made) {
      expect(instance instanceof Counter).toBe(true);
      expect(instance.constructor).toBe(Counter);
    }
    expect(Object.getPrototypeOf(made[2])).toBe(Counter.prototype);
  });

  test('lets old instances run old code, methods and accessors', () => {
    const { exports, reload } = firstVersion<Classes>(counterOf(1));
    const old = [new exports.Counter(1), exports.make(), Object.freeze(new exports.Counter(1))];
    reload(counterOf(2));
    for (const instance of old) {
      expect(instance.add(1)).toMatch(/^v1:/);
      expect(instance.total).toMatch(/^v1:/);
      expect(exports.Counter.prototype.add.call(instance, 1)).toMatch(/^v1:/);
    }
    expect([...(old[0] as unknown as Iterable<number>)]).toEqual([3]);
    expect(String(old[0])).toBe('[object Counter1]');
    expect(String(new exports.Counter())).toBe('[object Counter2]');
    Object.assign(old[0] ?? {}, { total: '40' });
    expect(old[0]?.total).toBe('v1:40');
  });

  test('throws when an old instance is asked for what only the new version has', () => {
    const { exports, reload } = firstVersion<Classes>(counterOf(1));
    const old = new exports.Counter();
    reload(counterOf(2));
    expect(new exports.Counter().more?.()).toBe('v2:0');
    expect(thrownBy(() => old.more?.())).toMatchObject({
      code: 'ERR_EXPORT_REMOVED',
      details: { name: 'Counter.prototype.more', version: 1 },
    });
  });

  test('leaves a method that the new version dropped to the old instances alone', () => {
    const { exports, reload } = firstVersion<Classes>(counterOf(1));
    const old = new exports.Counter();
    const { reset } = exports.Counter.prototype;
    reload(counterOf(2));
    const fresh = new exports.Counter();
    expect([old.reset?.(), fresh.reset, exports.Counter.prototype.reset]).toEqual([
      'v1:0',
      undefined,
      undefined,
    ]);
    expect(reset?.call(old)).toBe('v1:0');
    expect(thrownBy(() => reset?.call(fresh))).toMatchObject({
      code: 'ERR_EXPORT_REMOVED',
      details: { name: 'Counter.prototype.reset', version: 2 },
    });
    fresh.reset = () => 'own';
    expect(fresh.reset()).toBe('own');
    reload(counterOf(1));
    expect(new exports.Counter().reset?.()).toBe('v1:0');
    expect(exports.Counter.prototype.reset).toBe(reset);
  });

  test('that is dropped leaves its instances working', () => {
    const { exports, reload } = firstVersion<Classes>(counterOf(1));
    const { Counter } = exports;
    const old = new Counter();
    reload({});
    expect([old.add(1), old.total, old.reset?.(), old instanceof Counter]).toEqual([
      'v1:1',
      'v1:1',
      'v1:1',
      true,
    ]);
    expect(thrownBy(() => new Counter())).toMatchObject({ code: 'ERR_EXPORT_REMOVED' });
  });

  test('is known to the raw class by the instances of its own version', () => {
    const { exports, reload } = firstVersion<Classes>(counterOf(1));
    class Mine extends exports.Counter {}
    const old = [new exports.Counter(), exports.make(), new Mine()];
    expect(old.map((instance) => exports.isCounter(instance))).toEqual([true, true, true]);
    expect([exports.isCounter({}), exports.isCounter(Object.create(exports.Counter.prototype))]).toEqual([
      false,
      false,
    ]);
    reload(counterOf(2));
    expect(old.map((instance) => exports.isCounter(instance))).toEqual([false, false, false]);
    expect(exports.isCounter(new exports.Counter())).toBe(true);
  });

  test('can be extended, also by a class that is older than the version', () => {
    const { exports, reload } = firstVersion<Classes>(counterOf(1));
    class Mine extends exports.Counter {
      override add(by: number): string {
        return `mine ${String(super.add(by))}`;
      }
    }
    const old = new Mine(1);
    reload(counterOf(2));
    const fresh = new Mine(1);
    expect([old.add(1), fresh.add(1), Mine.kind]).toEqual(['mine v1:2', 'mine v2:2', 'kind2']);
    expect([fresh instanceof Mine, fresh instanceof exports.Counter, fresh.constructor === Mine]).toEqual([
      true,
      true,
      true,
    ]);
    expect(Mine.create()).toBeInstanceOf(Mine);
  });

  test('keeps what the user did to its prototype', () => {
    const { exports, reload } = firstVersion<Classes>(counterOf(1));
    const { prototype } = exports.Counter;
    const patch = { patch: () => 'patched', add: () => 'mine' };
    Object.assign(prototype, patch);
    Object.setPrototypeOf(prototype, EventEmitter.prototype);
    reload(counterOf(2));
    const instance = new exports.Counter();
    expect(instance).toMatchObject(patch);
    expect(instance).toBeInstanceOf(EventEmitter);
    expect(exports.make()).toBeInstanceOf(EventEmitter);
  });

  test('that is frozen takes new code, and refuses new names', () => {
    const { exports, plan, reload } = firstVersion<Classes>(counterOf(1));
    Object.freeze(exports.Counter.prototype);
    reload(counterOf(1));
    expect(thrownBy(() => plan(counterOf(2)))).toMatchObject({ code: 'ERR_EXPORTS_INCOMPATIBLE' });
  });

  test('whose name is static method or value keeps it', () => {
    class A {
      static name(): string {
        return 'called';
      }
      own(): void {}
    }
    class B {
      static length = 'long';
      own(): void {}
    }
    const { exports } = firstVersion<{ A: { name(): string }; B: { length: string } }>({ A, B });
    expect([exports.A.name(), exports.B.length]).toEqual(['called', 'long']);
  });

  test('whose constructor returns something else does not mark it', () => {
    const shared = {};
    function F(): object {
      return shared;
    }
    const { exports, reload } = firstVersion<{ F: new () => object }>({ F });
    expect(new exports.F()).toBe(shared);
    reload({ F });
    expect(new exports.F()).toBe(shared);
  });
});

interface Animals {
  Animal: { new (): { speak(): string; legs(): number }; kingdom(): string };
  Dog: { new (): { speak(): string; legs(): number; toString(): string }; kingdom(): string };
  makeDog(): { speak(): string; legs(): number };
}

function animals(version: number): object {
  class Animal {
    #legs = 4;
    speak(): string {
      return `animal${version}`;
    }
    legs(): number {
      return this.#legs * version;
    }
    static kingdom(): string {
      return `k${version}`;
    }
  }
  class Dog extends Animal {
    override speak(): string {
      return `dog${version}+${super.speak()}`;
    }
    override toString(): string {
      return `Dog${super.toString()}`;
    }
  }
  return { Animal, Dog, makeDog: () => new Dog() };
}

describe('a class that extends another exported class', () => {
  test('has a facade that extends the other facade', () => {
    const { exports } = firstVersion<Animals>(animals(1));
    expect(Object.getPrototypeOf(exports.Dog)).toBe(exports.Animal);
    expect(Object.getPrototypeOf(exports.Dog.prototype)).toBe(exports.Animal.prototype);
    expect(exports.Dog.kingdom()).toBe('k1');
  });

  test('runs inherited, overridden and super methods of the version of the instance', () => {
    const { exports, reload } = firstVersion<Animals>(animals(1));
    const old = [new exports.Dog(), exports.makeDog()];
    reload(animals(2));
    const fresh = [new exports.Dog(), exports.makeDog()];
    for (const dog of [...old, ...fresh]) expect(dog).toBeInstanceOf(exports.Animal);
    expect(old.map((dog) => [dog.speak(), dog.legs()])).toEqual(Array(2).fill(['dog1+animal1', 4]));
    expect(fresh.map((dog) => [dog.speak(), dog.legs()])).toEqual(Array(2).fill(['dog2+animal2', 8]));
    expect([...old, ...fresh].map(String)).toEqual(Array(4).fill('Dog[object Object]'));
  });

  test('may turn the other way round', () => {
    class A {}
    class B extends A {}
    class B2 {}
    class A2 extends B2 {}
    const { exports, reload } = firstVersion<{ A: new () => object; B: new () => object }>({ A, B });
    reload({ A: A2, B: B2 });
    expect(new exports.A()).toBeInstanceOf(exports.B);
    expect(new exports.B()).not.toBeInstanceOf(exports.A);
  });

  test('or one of Node.js inherits from that', () => {
    const make = (): object => ({ Source: class extends EventEmitter {} });
    const { exports, reload } = firstVersion<{ Source: new () => EventEmitter }>(make());
    const old = new exports.Source();
    reload(make());
    for (const source of [old, new exports.Source()]) {
      expect(source).toBeInstanceOf(EventEmitter);
      expect(source.once('x', () => {}).emit('x')).toBe(true);
    }
    expect(Object.getPrototypeOf(EventEmitter.prototype)).toBe(Object.prototype);
  });
});
