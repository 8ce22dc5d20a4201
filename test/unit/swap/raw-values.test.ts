/** Properties of exports are those of the live raw object, in both directions; what nothing can stand in for is handed on. */
import { describe, expect, test } from 'vitest';
import { firstVersion, thrownBy } from './support.ts';

interface Numbers {
  n: number;
  inc(): number;
}
const numbers = (start: number): Numbers => {
  const raw: Numbers = { n: start, inc: () => ++raw.n };
  return raw;
};

describe('a value among the exports', () => {
  test('shows what the addon changes later, and the new version after a reload', () => {
    const make = (start: number): object => Object.assign(numbers(start), { deep: numbers(5 * start) });
    const { exports, reload } = firstVersion<Numbers & { deep: Numbers }>(make(1));
    exports.inc();
    exports.deep.inc();
    expect([exports.n, exports.deep.n]).toEqual([2, 6]);
    reload(make(10));
    exports.deep.inc();
    expect([exports.n, exports.deep.n]).toEqual([10, 51]);
  });

  test('takes what the user writes to the addon, until the next version', () => {
    const raw = { options: { verbose: false }, read: () => raw.options.verbose };
    const { exports, reload } = firstVersion<typeof raw>(raw);
    exports.options.verbose = true;
    expect([raw.options.verbose, exports.read()]).toEqual([true, true]);
    reload({ options: { verbose: false }, read: () => false });
    expect(exports.options.verbose).toBe(false);
  });

  test('that is changed by a function through its receiver is one value for both sides', () => {
    const make = (start: number): object => {
      const counter = {
        n: start,
        inc() {
          return ++this.n;
        },
      };
      return { counter, read: () => counter.n };
    };
    const { exports, reload } = firstVersion<{ counter: Numbers; read(): number }>(make(0));
    exports.counter.inc();
    expect([exports.counter.n, exports.read()]).toEqual([1, 1]);
    reload(make(100));
    expect([exports.counter.inc(), exports.read()]).toEqual([101, 101]);
  });

  test('that is read-only there cannot be written here', () => {
    const raw = Object.defineProperty({}, 'limit', { value: 1, enumerable: true });
    const { exports } = firstVersion<{ limit: number }>({ config: raw }) as unknown as {
      exports: { config: { limit: number } };
    };
    expect(() => {
      exports.config.limit = 2;
    }).toThrow(TypeError);
    expect(exports.config).toEqual({ limit: 1 });
  });

  test('that is static is live on the class, and a subclass has its own', () => {
    const raw = class {
      readonly n = 1;
      static count = 0;
      static add(): number {
        return ++raw.count;
      }
    };
    const { exports } = firstVersion<{ C: typeof raw }>({ C: raw });
    exports.C.add();
    expect(exports.C.count).toBe(1);
    class Mine extends exports.C {}
    Mine.count = 7;
    expect([Mine.count, exports.C.count, raw.count]).toEqual([7, 1, 1]);
  });

  test('throws after revoke', () => {
    const { live, exports } = firstVersion<{ n: number }>({ n: 1 });
    const why = new TypeError('closed');
    live.revoke(() => why);
    expect(thrownBy(() => exports.n)).toBe(why);
    expect(
      thrownBy(() => {
        exports.n = 2;
      }),
    ).toBe(why);
  });
});

describe('exports that are a value as a whole', () => {
  class Db {
    v(): number {
      return 1;
    }
  }

  test('are the live instance, and throw after revoke', () => {
    const { live, reload } = firstVersion(new Db());
    const next = new Db();
    reload(next);
    expect(live.value).toBe(next);
    const why = new TypeError('closed');
    live.revoke(() => why);
    expect(thrownBy(() => live.value)).toBe(why);
  });
});

describe('a static method', () => {
  class C {
    static #secret = 5;
    readonly n = 1;
    static reveal(): number {
      // biome-ignore lint/complexity/noThisInStatic: the receiver is what is tested
      return this.#secret;
    }
    static self(): unknown {
      // biome-ignore lint/complexity/noThisInStatic: the receiver is what is tested
      return this;
    }
  }

  test('finds private fields of its class through the receiver', () => {
    const { exports } = firstVersion<{ C: typeof C }>({ C });
    expect(exports.C.reveal()).toBe(5);
  });

  test('that returns its receiver returns the class that the user holds', () => {
    const { exports } = firstVersion<{ C: typeof C }>({ C });
    class Mine extends exports.C {}
    expect(exports.C.self()).toBe(exports.C);
    expect(Mine.self()).toBe(Mine);
    const { self } = exports.C;
    expect(self.call(undefined as unknown as typeof C)).toBe(undefined);
  });
});

describe('a Proxy among the exports', () => {
  const traps = (): ProxyHandler<object> =>
    new Proxy(
      {},
      {
        get: (_target, name) => () => {
          throw new Error(`trap ${String(name)}`);
        },
      },
    );

  test('is handed on as it is, and no trap runs', () => {
    const { exports, reload } = firstVersion<{ P: unknown; v(): number }>({ P: class {}, v: () => 1 });
    const P = new Proxy(class {}, traps());
    function Odd(): void {}
    Odd.prototype = new Proxy({}, traps());
    reload({ P, Odd, v: () => 2 });
    expect(exports.P === P).toBe(true);
    expect(exports.v()).toBe(2);
  });

  test('as a method runs, and its traps do not run in a publish', () => {
    const method = new Proxy(() => 3, {
      getOwnPropertyDescriptor() {
        throw new Error('trap');
      },
    });
    class C {}
    Object.defineProperty(C.prototype, 'three', { value: method });
    const { exports, reload } = firstVersion<{ C: new () => { three(): number } }>({ C: class {} });
    reload({ C });
    expect(new exports.C().three()).toBe(3);
  });

  test('as a parent that throws is told of by the publish, which goes on', () => {
    const trap = new Error('trap');
    class Child {
      add(): number {
        return 1;
      }
    }
    const { exports, plan } = firstVersion<{ Child: typeof Child; v(): number; Other: unknown }>({
      Child: class {},
      v: () => 1,
      Other: class {},
    });
    Object.setPrototypeOf(
      Child.prototype,
      new Proxy(
        {},
        {
          getOwnPropertyDescriptor() {
            throw trap;
          },
        },
      ),
    );
    class Other {}
    const next = plan({ Child, Other, v: () => 2 });
    expect(next.publish()).toEqual([trap]);
    expect([exports.v(), new exports.Child().add()]).toEqual([2, 1]);
    expect(new Other()).toBeInstanceOf(exports.Other);
  });
});
