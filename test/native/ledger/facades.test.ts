/** Function objects that no version owns, over versions that come, are unloaded, and end with their Worker. */
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import {
  collect,
  facadeOf,
  gc,
  type LedgerFacade,
  ledgerUse,
  type LoadedVersion,
  mappings,
  removeFolder,
  retire,
  shim,
  tick,
} from '../../fixtures/ledger/load.mjs';
import { call, type CounterClass, expectUnloaded, exported, openFull, REVOKED } from './versions.ts';

/** Enough that an exception left behind in an env would be met. */
const MANY_THROWS = 100_000;
/** More than the pool of thunks has. */
const OVERFLOWING = 2_500;

/** Of which a comparison of every pair is told from a look-up of each. */
const MANY_FUNCTIONS = 2_000;

afterAll(removeFolder);
afterEach(() => {
  expect({ images: ledgerUse().images, mappings: mappings() }).toEqual({ images: 0, mappings: 0 });
});

/** A facade of a version's function. */
function facadeInto(version: LoadedVersion, name: string): LedgerFacade {
  const facade = facadeOf(exported(version, name));
  expect(facade.point(version.handle, exported(version, name))).toBe(true);
  return facade;
}

/** A function object of its own. */
function newFunction(version: LoadedVersion): object {
  return (call(version, 'properties') as { method: object }).method;
}

function timeMs(work: () => unknown): number {
  const startMs = performance.now();
  work();
  return performance.now() - startMs;
}

describe('a facade', () => {
  test('follows from version to version, each unloaded behind it', () => {
    const first = openFull(1);
    const facade = facadeInto(first, 'version');
    expect(facade.value()).toBe(1);
    const second = openFull(2);
    facade.point(second.handle, exported(second, 'version'));
    expectUnloaded(first);
    expect(facade.value()).toBe(2);
    expectUnloaded(second);
    expect(facade.value).toThrow(expect.objectContaining(REVOKED));
  });

  test('calls a function of JavaScript where the version has one, and native code again after that', () => {
    const [first, second] = [openFull(1), openFull(2)];
    const facade = facadeInto(first, 'version');
    const script = function script(this: unknown, ...values: unknown[]): unknown {
      return [this, new.target, ...values];
    };
    expect(facade.point(first.handle, script)).toBe(false);
    expectUnloaded(first);
    const values = Array.from({ length: 20 }, (_, index) => index);
    for (const count of [0, 7, 8, 9, 20]) {
      const some = values.slice(0, count);
      expect(facade.value.apply(values, some)).toEqual([values, undefined, ...some]);
      expect(Reflect.construct(facade.value, some, Array)).toEqual([expect.any(Array), Array, ...some]);
    }
    facade.point(second.handle, exported(second, 'version'));
    expect(facade.value()).toBe(2);
    expectUnloaded(second);
  });

  test('lets pass what a function of JavaScript throws', () => {
    const error = new RangeError('of JavaScript');
    const facade = facadeOf(() => {
      throw error;
    });
    expect(facade.value).toThrow(error);
    expect(() => Reflect.construct(facade.value, [])).toThrow(TypeError);
  });

  test.each([
    [
      'to another version',
      (facade: LedgerFacade, next: LoadedVersion) => facade.point(next.handle, exported(next, 'dataOf')),
    ],
    [
      'to JavaScript',
      (facade: LedgerFacade, next: LoadedVersion) => {
        facade.point(null, exported(next, 'dataOf'));
      },
    ],
  ])('that is pointed %s during a call ends that with its own data, which pins the version', (_, repoint) => {
    const [first, second] = [openFull(1), openFull(2)];
    const facade = facadeInto(first, 'dataOf');
    let during: unknown;
    const result = facade.value(() => {
      repoint(facade, second);
      during = [retire(first), facade.value()];
    });
    expect([result, during]).toEqual([7, [{ outcome: 'pinned', pins: 'frame:1' }, 7]]);
    expectUnloaded(first);
    expect(facade.value()).toBe(7);
    expectUnloaded(second);
  });

  test('throws in its own name what a version throws', () => {
    const [first, second] = [openFull(1), openFull(2)];
    const [fail, callBack] = [facadeInto(first, 'fail'), facadeInto(first, 'callBack')];
    for (const version of [first, second]) {
      fail.point(version.handle, exported(version, 'fail'));
      callBack.point(version.handle, exported(version, 'callBack'));
      expect(fail.value).toThrow(expect.objectContaining({ code: 'MINE' }));
      expect(() => callBack.value(fail.value)).toThrow(expect.objectContaining({ code: 'MINE' }));
      expect(callBack.value(() => 5)).toBe(5);
      const throwing = (): never => {
        throw new TypeError('of JavaScript');
      };
      expect(() => callBack.value(throwing)).toThrow(TypeError);
      expectUnloaded(version);
    }
  });

  test('throws as often as it is called', () => {
    const version = openFull();
    const fail = facadeInto(version, 'fail');
    let thrown = 0;
    for (let count = 0; count < MANY_THROWS; count++) {
      try {
        fail.value();
      } catch {
        thrown += 1;
      }
    }
    expect(thrown).toBe(MANY_THROWS);
    expectUnloaded(version);
  });

  test('leaves classes and functions of other versions to JavaScript', () => {
    const [first, second] = [openFull(1), openFull(2)];
    const Counter = call(first, 'defineClass') as CounterClass;
    const foreign = exported(second, 'version');
    const found = shim.findFunctions(first.handle, [Counter, foreign, () => 0, exported(first, 'version')]);
    expect(found).toEqual([false, false, false, true]);
    expectUnloaded(first, true);
    expect(shim.findFunctions(first.handle, [exported(first, 'version')])).toEqual([false]);
    expectUnloaded(second);
  });

  test('finds functions in whatever order they are asked for', () => {
    const version = openFull();
    const functions = Object.values(version.exports);
    const asked = [
      ...functions,
      ...[...functions].reverse(),
      ...functions.filter((_, index) => index % 3 === 0),
    ];
    expect(shim.findFunctions(version.handle, asked)).toEqual(asked.map(() => true));
    expectUnloaded(version);
  });

  test('finds many functions in the reverse of their order, twice each, among others', () => {
    const version = openFull();
    const functions = Array.from({ length: MANY_FUNCTIONS }, () => newFunction(version)).reverse();
    const asked = [...functions, ...functions.flatMap((one) => [() => 0, {}, one])];
    const own = new Set<unknown>(functions);
    expect(shim.findFunctions(version.handle, asked)).toEqual(asked.map((one) => own.has(one)));
    expectUnloaded(version);
  });

  test('is pointed at as many functions in the reverse of their order about as fast as in order', () => {
    const version = openFull();
    const functions = Array.from({ length: MANY_FUNCTIONS }, () => newFunction(version));
    const reverse = [...functions].reverse();
    const fastestMs = (asked: readonly object[]): number =>
      Math.min(...[1, 2, 3].map(() => timeMs(() => shim.findFunctions(version.handle, asked))));
    // To compare every pair took 400 times as long.
    expect(fastestMs(reverse) / fastestMs(functions)).toBeLessThan(100);
    expectUnloaded(version);
  });
});

/** In a function of its own, so that no frame holds them when garbage is collected. */
function callMany(): void {
  const version = openFull();
  const facades = Array.from({ length: OVERFLOWING }, () => facadeInto(version, 'version'));
  expect(new Set(facades.map(({ value }) => value())).size).toBe(1);
  expect(ledgerUse().heapSlots).toBeGreaterThan(0);
  const [one] = facades;
  one?.point(null, () => 'home');
  expect(one?.value()).toBe('home');
  expectUnloaded(version);
}

test('the slots of facades come back when these are collected, from the pool and the heap', async () => {
  await collect();
  const { pooledSlots, heapSlots } = ledgerUse();
  callMany();
  await collect();
  await collect();
  const after = ledgerUse();
  expect(after.pooledSlots).toBeLessThan(pooledSlots + 100);
  expect(after.heapSlots).toBeLessThanOrEqual(heapSlots + 1);
});

/** A function that only its facade holds, from a function of its own for the same reason. */
function lonely(version: LoadedVersion): { facade: LedgerFacade; weak: WeakRef<object> } {
  const { method } = call(version, 'properties') as { method: () => number };
  const facade = facadeOf(method);
  expect(facade.point(version.handle, method)).toBe(true);
  return { facade, weak: new WeakRef(method) };
}

test('a facade holds the function that it enters, for an addon may free its data with it', async () => {
  const version = openFull();
  const { facade, weak } = lonely(version);
  await collect();
  expect([facade.value(), weak.deref() === undefined]).toEqual([8, false]);
  await tick();
  let during: unknown;
  facade.value(() => {
    facade.point(null, () => 0);
    gc();
    during = weak.deref() !== undefined;
  });
  expect(during).toBe(true);
  await collect();
  expect(weak.deref()).toBe(undefined);
  expectUnloaded(version);
});

test('a facade is collected though what it calls leads back to it', async () => {
  const { pooledSlots } = ledgerUse();
  (() => {
    for (let count = 0; count < 100; count++) {
      const facade = facadeOf(() => facade.value);
      expect(facade.value()).toBe(facade.value);
    }
  })();
  expect(ledgerUse().pooledSlots).toBe(pooledSlots + 100);
  await collect();
  expect(ledgerUse().pooledSlots).toBeLessThan(pooledSlots + 10);
});
