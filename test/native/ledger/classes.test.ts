/** Classes of the ledger beside those of plain Node.js: the same addon, loaded both ways. */
import { createRequire } from 'node:module';
import { afterAll, describe, expect, test } from 'vitest';
import { open as openHandle } from '../../../src/index.ts';
import { addon, counter } from '../../fixtures/ledger/build.mjs';
import { collect, ledgerUse, open, removeFolder, retire } from '../../fixtures/ledger/load.mjs';
import { createScratch, install } from '../../support/addons.ts';
import { REVOKED } from './versions.ts';

interface Instance {
  get(): unknown;
  remove(): boolean;
  callBack(call: () => void): boolean;
  beside(other: readonly [Instance], call: (this: Instance, other: Instance) => void): boolean;
  number: number;
  readonly readOnly: number;
}
interface Class {
  new (number?: number | ((this: Instance) => void)): Instance;
  (number?: number): unknown;
  readonly prototype: Instance;
  of(): unknown;
  wrap(object: object): boolean;
}
interface Classes {
  readonly First: Class;
  readonly Second: Class;
}

const plain = createRequire(import.meta.url)(addon('classes')) as Classes;
const { exports } = open(addon('classes'));
const ledger = exports as unknown as Classes;

afterAll(removeFolder);

/** Everything that can be seen of an object's own properties. */
function describeObject(object: object, depth = 2): unknown {
  const properties = Reflect.ownKeys(object).map((key) => {
    const { value, get, set, ...rest } = Object.getOwnPropertyDescriptor(object, key) ?? {};
    const parts = Object.entries({ value, get, set }).map(([name, part]) => [
      name,
      describePart(part, depth),
    ]);
    return [String(key), { ...rest, ...Object.fromEntries(parts) }];
  });
  return {
    text: String(object),
    properties: properties.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
  };
}

function describePart(part: unknown, depth: number): unknown {
  const isObject = typeof part === 'function' || (typeof part === 'object' && part !== null);
  if (!isObject) return part;
  return depth === 0 ? typeof part : describeObject(part, depth - 1);
}

/** What a call came to. */
function outcome(call: () => unknown): unknown {
  try {
    const result = call();
    return typeof result === 'object' ? 'an object' : result;
  } catch (error) {
    return String(error);
  }
}

const uses: Readonly<Record<string, (classes: Classes) => unknown>> = {
  'a method': ({ First }) => new First(3).get(),
  'an accessor': ({ First }) => {
    const instance = new First(3);
    instance.number = 5;
    return [instance.number, instance.readOnly];
  },
  'a setter that is missing': ({ First }) => {
    (new First(3) as { readOnly: number }).readOnly = 1;
  },
  'a subclass': ({ First }) => {
    class Sub extends First {}
    const instance = new Sub(4);
    return [instance.get(), instance instanceof First, instance.constructor === Sub];
  },
  'Reflect.construct with another new.target': ({ First, Second }) => {
    const instance = Reflect.construct(First, [6], Second) as Instance;
    return [instance instanceof Second, outcome(() => instance.get())];
  },
  'its own method on what another new.target made': ({ First, Second }) =>
    First.prototype.get.call(Reflect.construct(First, [6], Second)),
  'a constructor without new': ({ First }) => First(1),
  'a constructor called with an instance': ({ First }) => First.call(new First(1), 2),
  'new of a method': ({ First }) => typeof Reflect.construct(First.prototype.get, []),
  'a method on an instance without memory': ({ First }) => outcome(() => new First().get()),
  'a method on nothing': ({ First }) => First.prototype.get.call(undefined),
  'a method on null': ({ First }) => First.prototype.get.call(null),
  'a method on a number': ({ First }) => First.prototype.get.call(1),
  'a method on a plain object': ({ First }) => First.prototype.get.call({}),
  'a method on its own prototype': ({ First }) => First.prototype.get(),
  'a method on an instance of another class': ({ First, Second }) => First.prototype.get.call(new Second(1)),
  'a getter on an instance of another class': ({ First, Second }) =>
    Reflect.get(First.prototype, 'number', new Second(1)),
  'a setter on an instance of another class': ({ First, Second }) =>
    Reflect.set(First.prototype, 'number', 1, new Second(1)),
  'a method on an instance in disguise': ({ First, Second }) =>
    First.prototype.get.call(Object.setPrototypeOf(new Second(1), First.prototype)),
  'a method on an instance without its prototype': ({ First }) =>
    First.prototype.get.call(Object.setPrototypeOf(new First(8), null)),
  'a method on a Proxy of an instance': ({ First }) => new Proxy(new First(1), {}).get(),
  'a method on what inherits from an instance': ({ First }) => Object.create(new First(1)).get(),
  'a method on what inherits from the prototype': ({ First }) => Object.create(First.prototype).get(),
  'a method on a Proxy of an instance without memory': ({ First }) => new Proxy(new First(), {}).get(),
  'a method on what inherits from an instance without memory': ({ First }) =>
    Object.create(new First()).get(),
  'a method after the wrap was removed': ({ First }) => {
    const instance = new First(1);
    instance.remove();
    return typeof instance.get();
  },
  'a method on an instance without memory and without its prototype': ({ First }) =>
    outcome(() => First.prototype.get.call(Object.setPrototypeOf(new First(), null))),
  'a method while its instance is made': ({ First, Second }) => {
    const seen: unknown[] = [];
    new First(function () {
      seen.push(outcome(() => this.get()));
      new First(() => seen.push(outcome(() => this.get())));
      new Second(() => seen.push(outcome(() => this.get())));
      new Second(function () {
        seen.push(outcome(() => First.prototype.get.call(this)));
      });
    });
    return seen;
  },
  'a method on what a constructor that threw has made': ({ First, Second }) => {
    let made: Instance | undefined;
    const thrown = outcome(
      () =>
        new First(function () {
          made = this;
          throw new RangeError('thrown meanwhile');
        }),
    );
    return [thrown, outcome(() => made?.get()), outcome(() => Second.prototype.get.call(made as Instance))];
  },
  'a method on an instance that got its memory later': ({ First, Second }) => {
    const instance = new First();
    const isWrapped = First.wrap(instance);
    return [isWrapped, instance.get(), outcome(() => Second.prototype.get.call(instance))];
  },
  'a method on a wrapped object that no class made': ({ First }) => {
    const object = Object.setPrototypeOf({}, First.prototype);
    return [First.wrap(object), outcome(() => object.get())];
  },
  'a method beside another of its class': ({ First }) =>
    new First(1).beside([new First(2)], function (other) {
      expect([other.get(), this.get(), new First(3).get()]).toEqual([2, 1, 3]);
      other.callBack(() => expect(this.get()).toBe(1));
    }),
  'a static method': ({ First }) => typeof First.of(),
  'a wrap that is removed': ({ First }) => new First(1).remove(),
  'a wrap that is removed while a method runs': ({ First }) => {
    const instance = new First(1);
    return instance.callBack(() => expect(instance.remove()).toBe(true));
  },
  'a wrap that stays while a method runs': ({ First }) => {
    const instance = new First(1);
    return instance.callBack(() => expect(instance.get()).toBe(1));
  },
};

describe('a class of the ledger', () => {
  test('looks as in plain Node.js', () => {
    expect(describeObject(ledger.First)).toEqual(describeObject(plain.First));
    expect(describeObject(ledger.First.prototype)).toEqual(describeObject(plain.First.prototype));
  });

  test.each(Object.keys(uses))('does as in plain Node.js: %s', (name) => {
    const use = (classes: Classes): unknown => outcome(() => JSON.stringify(uses[name]?.(classes)));
    expect(use(ledger)).toEqual(use(plain));
  });

  test('pins its version by one frame when a method runs', () => {
    const version = open(addon('classes'));
    const { First } = version.exports as unknown as Classes;
    let during: unknown;
    new First(1).callBack(() => {
      during = retire(version);
    });
    expect(during).toEqual({ outcome: 'pinned', pins: 'frame:1 wrapped-object:1' });
    expect(retire(version, true)).toEqual({ outcome: 'unloaded', pins: '' });
  });

  test('throws where its accessors are used when its version was unloaded, also those with a method', () => {
    const version = open(addon('classes'));
    const { First } = version.exports as unknown as Classes;
    const { prototype } = First;
    expect(retire(version)).toEqual({ outcome: 'unloaded', pins: '' });
    for (const [holder, name] of [
      [prototype, 'number'],
      [prototype, 'accessorWithMethod'],
      [First, 'staticNumber'],
      [First, 'staticAccessorWithMethod'],
    ] as const) {
      expect(() => Reflect.get(holder, name)).toThrow(expect.objectContaining(REVOKED));
    }
  });

  test('refuses an instance of another version', () => {
    const other = open(addon('classes')).exports as unknown as Classes;
    expect(() => ledger.First.prototype.get.call(new other.First(1))).toThrow(/^Illegal invocation$/);
  });

  // As live exports make them. V8 keeps a class that is itself what `new` was called on: see docs/limits.md.
  test('is collected with its version when its instances were made for another function', async () => {
    await collect();
    const before = ledgerUse().heapSlots;
    const makeAndUnload = (): unknown => {
      const version = open(addon('classes'));
      const { First } = version.exports as unknown as Classes;
      function StandIn(): void {}
      StandIn.prototype = First.prototype;
      Reflect.construct(First, [1], StandIn);
      return retire(version, true).outcome;
    };
    const outcomes = Array.from({ length: 5 }, makeAndUnload);
    expect(outcomes).toEqual(Array(5).fill('unloaded'));
    expect(ledgerUse().heapSlots).toBeGreaterThan(before);
    await collect();
    expect(ledgerUse().heapSlots).toBeLessThanOrEqual(before);
  });
});

test('a class of live exports is collected with its version, although it was called by new', async () => {
  using scratch = createScratch();
  const file = scratch.file('counter.node');
  install(counter(1), file);
  await using handle = await openHandle<{ readonly Counter: new () => object }>(file, {
    stageDir: scratch.file('stage'),
  });
  const useAndReload = async (): Promise<void> => {
    expect(new handle.exports.Counter()).toBeTypeOf('object');
    await handle.reload({ force: true });
  };
  await useAndReload();
  await collect();
  const before = ledgerUse().heapSlots;
  for (let reload = 0; reload < 5; reload++) await useAndReload();
  await collect();
  expect(handle.versions()).toHaveLength(1);
  expect(ledgerUse().heapSlots).toBeLessThanOrEqual(before);
});
