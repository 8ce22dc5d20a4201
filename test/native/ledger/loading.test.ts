/** What loading a version takes along, and what it refuses. */
import fs from 'node:fs';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { addon, addonWithLibrary } from '../../fixtures/ledger/build.mjs';
import {
  folder,
  type LoadedVersion,
  ledgerUse,
  mappings,
  open,
  removeFolder,
} from '../../fixtures/ledger/load.mjs';
import { call, expectUnloaded } from './versions.ts';

afterAll(removeFolder);
afterEach(() => {
  vi.unstubAllGlobals();
  expect({ images: ledgerUse().images, mappings: mappings(), staged: fs.readdirSync(folder) }).toEqual({
    images: 0,
    mappings: 0,
    staged: [],
  });
});

describe('an init', () => {
  test('loads another addon when it wants', () => {
    let inner: LoadedVersion | undefined;
    vi.stubGlobal('duringInit', () => {
      inner = open(addon('plain'));
    });
    const outer = open(addon('reenter'));
    if (inner === undefined) throw new Error('init did not call');
    expect(call(inner, 'version')).toBe(1);
    expectUnloaded(outer);
    expectUnloaded(inner);
  });

  test('unloads its version when it throws', () => {
    vi.stubGlobal('duringInit', () => {
      throw new RangeError('of JavaScript');
    });
    const retired = { outcome: 'unloaded', pins: '' };
    expect(() => open(addon('reenter'))).toThrow(
      expect.objectContaining({ message: 'of JavaScript', retired }),
    );
  });
});

describe('a version', () => {
  test('has the library that was rebuilt under the same name', () => {
    const [first, second] = [open(addonWithLibrary(1)), open(addonWithLibrary(2))];
    expect([first, second].map((version) => call(version, 'libraryVersion'))).toEqual([1, 2]);
    expect(first.files).toHaveLength(2);
    expectUnloaded(first);
    expect(call(second, 'libraryVersion')).toBe(2);
    expectUnloaded(second);
  });

  test('has fresh statics where g++ made them unique', () => {
    const first = open(addon('unique', 1));
    call(first, 'statics');
    expect(call(first, 'statics')).toBe('inline=101 template=1001 local=10001 plain=2');
    const second = open(addon('unique', 2));
    expect(second.uniqueHealed).toBeGreaterThan(0);
    expect(call(second, 'statics')).toBe('inline=200 template=2000 local=20000 plain=2');
    expectUnloaded(first);
    expectUnloaded(second);
  });

  test('that registers in a constructor is unloaded like any other', () => {
    const version = open(addon('constructor', 2));
    expect(call(version, 'version')).toBe(2);
    expectUnloaded(version);
  });
});

describe('the shim', () => {
  test.each([
    ['noDelete', 'refused', /nodelete/],
    ['pastNodeApi', 'refused', /past Node-API \(_ZN2v87Isolate/],
    ['unfollowed', 'refused', /uses thrd_create/],
    ['undefinedSymbol', 'load', /nobody_defines_this/],
    ['unregistered', 'no-entry', /does not register/],
    ['apiVersion99', 'api-version', /wants Node-API 99/],
  ] as const)('refuses %s as %s and leaves nothing mapped', (name, kind, message) => {
    expect(() => open(addon(name))).toThrow(
      expect.objectContaining({ kind, message: expect.stringMatching(message) }),
    );
  });
});
