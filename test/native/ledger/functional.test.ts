/** Versions side by side: calls, exceptions and objects that go from one to another. */
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { addon } from '../../fixtures/ledger/build.mjs';
import {
  type LoadedVersion,
  ledgerUse,
  mappings,
  open,
  removeFolder,
  retire,
  retireWhenFree,
  shim,
  until,
} from '../../fixtures/ledger/load.mjs';
import type { CounterClass } from './versions.ts';
import { call, expectUnloaded, exported, NAPI_INVALID_ARG, NAPI_OK, openFull, REVOKED } from './versions.ts';

afterAll(removeFolder);
afterEach(() => {
  expect({ images: ledgerUse().images, mappings: mappings() }).toEqual({ images: 0, mappings: 0 });
});

describe('a function of a version', () => {
  test('pins it while it is on the stack', () => {
    const version = openFull();
    let during: unknown;
    call(version, 'dataOf', () => {
      during = retire(version);
    });
    expect(during).toEqual({ outcome: 'pinned', pins: 'frame:1' });
    expectUnloaded(version);
  });

  test('throws what names the version when it was unloaded', () => {
    const version = openFull(2);
    expectUnloaded(version);
    expect(exported(version, 'version')).toThrow(/addon\.node/);
    expect(exported(version, 'version')).toThrow(expect.objectContaining(REVOKED));
  });

  test('throws once the cleanup hooks have run, although the version waits for one of them', async () => {
    const version = openFull();
    call(version, 'asyncHook');
    const kept = exported(version, 'version');
    expect(kept()).toBe(1);
    expect(retire(version)).toEqual({ outcome: 'pinned', pins: 'async-cleanup-hook:1 uv-handle:1' });
    expect(kept).toThrow(expect.objectContaining(REVOKED));
    await expect(retireWhenFree(version)).resolves.toEqual({ outcome: 'unloaded', pins: '' });
  });

  test('is told the source as its file name when it asks', () => {
    const version = openFull();
    expect(call(version, 'fileName')).toBe(`file://${addon('quiet')}`);
    expectUnloaded(version);
  });
});

describe('a version that uses requests of libuv', () => {
  const openRequests = (): LoadedVersion => open(addon('requests'));

  test('is pinned while its loop has one, and unloaded after that', async () => {
    const version = openRequests();
    call(version, 'start');
    expect(retire(version).pins).toMatch(/^uv-request:\d+$/);
    expect(call(version, 'ended')).toBe(0);
    await until(() => call(version, 'ended') === 1);
    await until(() => retire(version).outcome === 'unloaded');
  });
});

describe('what the last call of a function starts', () => {
  test.each([
    ['a POSIX thread', 'posixThread', 'thread'],
    ['a thread of libuv', 'uvThread', 'thread'],
    ['work of libuv', 'uvWork', 'uv-work'],
  ])('pins its version until it ends when it is %s', async (_, name, kind) => {
    const version = open(addon('lastCalls'));
    call(version, name);
    const kinds = (): readonly string[] => shim.pins(version.handle).map((pin) => pin.kind);
    await until(() => !kinds().includes('async-work'));
    expect(kinds()).toEqual([kind]);
    call(version, 'end');
    await expect(retireWhenFree(version)).resolves.toEqual({ outcome: 'unloaded', pins: '' });
  });
});

describe('an object of a version', () => {
  test('is napi_invalid_arg to another version, before and after its own has ended', () => {
    const [first, second] = [openFull(1), openFull(2)];
    const wrapped = call(first, 'wrap');
    expect(call(first, 'statusOfUnwrap', wrapped)).toBe(NAPI_OK);
    expect(call(second, 'statusOfUnwrap', wrapped)).toBe(NAPI_INVALID_ARG);
    expect(call(second, 'statusOfRemoveWrap', wrapped)).toBe(NAPI_INVALID_ARG);
    expect(retire(first).outcome).toBe('pinned');
    expectUnloaded(first, true);
    expect(call(second, 'statusOfUnwrap', wrapped)).toBe(NAPI_INVALID_ARG);
    expectUnloaded(second);
  });

  test('gives its external away until its version has ended', () => {
    const [first, second] = [openFull(1), openFull(2)];
    const external = call(first, 'external');
    expect(call(second, 'statusOfExternal', external)).toBe(NAPI_OK);
    expectUnloaded(first, true);
    expect(call(second, 'statusOfExternal', external)).toBe(NAPI_INVALID_ARG);
    expectUnloaded(second);
  });

  test('gives its external away to addons that Node.js loaded, and takes theirs', () => {
    const module = { exports: {} as Record<string, (external?: unknown) => unknown> };
    process.dlopen(module, addon('quiet'));
    const version = openFull();
    const external = call(version, 'external');
    expect(call(version, 'numberInExternal', external)).toBe(4711);
    expect(module.exports['numberInExternal']?.(external)).toBe(4711);
    expect(call(version, 'numberInExternal', module.exports['external']?.())).toBe(4711);
    expectUnloaded(version, true);
  });

  test('pins no more when it is an external that was tied to a function', () => {
    const [first, second] = [openFull(1), openFull(2)];
    const holder = exported(first, 'version') as unknown as Record<symbol, unknown>;
    const symbol = call(first, 'tieExternal', holder) as symbol;
    expect(call(first, 'statusOfExternal', holder[symbol])).toBe(NAPI_OK);
    expectUnloaded(first);
    expect(call(second, 'statusOfExternal', holder[symbol])).toBe(NAPI_INVALID_ARG);
    expectUnloaded(second);
  });

  test('pins when it is an external that was tied to a function by a symbol with a name', () => {
    const version = openFull();
    const holder = exported(version, 'version') as unknown as Record<symbol, unknown>;
    expect(holder[call(version, 'tieExternal', holder, 'data') as symbol]).toBeDefined();
    expect(retire(version)).toEqual({ outcome: 'pinned', pins: 'external:1' });
    expectUnloaded(version, true);
  });

  test('pins when it is an external that was tied to an object', () => {
    const version = openFull();
    const holder: Record<symbol, unknown> = {};
    expect(holder[call(version, 'tieExternal', holder) as symbol]).toBeDefined();
    expect(retire(version)).toEqual({ outcome: 'pinned', pins: 'external:1' });
    expectUnloaded(version, true);
  });

  test('is napi_invalid_arg when a plainly loaded addon wrapped it', () => {
    const module = { exports: {} as Record<string, () => unknown> };
    process.dlopen(module, addon('quiet'));
    const foreign = module.exports['wrap']?.();
    const version = openFull();
    const unwrap = module.exports['statusOfUnwrap'] as (value: unknown) => unknown;
    expect(unwrap(foreign)).toBe(NAPI_OK);
    expect(call(version, 'statusOfUnwrap', foreign)).toBe(NAPI_INVALID_ARG);
    expect(call(version, 'statusOfRemoveWrap', foreign)).toBe(NAPI_INVALID_ARG);
    expect(call(version, 'statusOfExternal', module.exports['external']?.())).toBe(NAPI_OK);
    expectUnloaded(version);
  });

  test('of a class is refused by the methods of another version', () => {
    const [first, second] = [openFull(1), openFull(2)];
    const First = call(first, 'defineClass') as CounterClass;
    const Second = call(second, 'defineClass') as CounterClass;
    expect(new Second().get()).toBe(6);
    expect(() => Second.prototype.get.call(new First())).toThrow(TypeError);
    expectUnloaded(first, true);
    expectUnloaded(second, true);
  });

  test('of a class throws wherever it is touched when its version was unloaded', () => {
    const version = openFull();
    const Counter = call(version, 'defineClass') as CounterClass;
    const counter = new Counter();
    counter.number = 4;
    expect(counter.get()).toBe(4);
    expectUnloaded(version, true);
    const touches = [
      () => counter.get(),
      () => counter.number,
      () => {
        counter.number = 1;
      },
      () => new Counter(),
    ];
    for (const touch of touches) expect(touch).toThrow(expect.objectContaining(REVOKED));
  });
});
