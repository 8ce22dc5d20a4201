/** Full addons for tests of the ledger, and what is asked of them. */
import { expect } from 'vitest';
import { addon } from '../../fixtures/ledger/build.mjs';
import { type LoadedVersion, open, retire } from '../../fixtures/ledger/load.mjs';

export const NAPI_OK = 0;
export const NAPI_INVALID_ARG = 1;
export const REVOKED: { readonly code: string } = { code: 'ERR_VERSION_UNLOADED' };

/** The addon's class. A method called on another version's object throws. */
export type CounterClass = new () => { get(): number; number: number };

export function openFull(version: 1 | 2 = 1): LoadedVersion {
  return open(addon('quiet', version));
}

/** A function of the version's exports. */
export function exported(version: LoadedVersion, name: string): (...values: readonly unknown[]) => unknown {
  const value = version.exports[name];
  if (value === undefined) throw new Error(`the fixture has no function "${name}"`);
  return value;
}

/** Calls one. */
export function call(version: LoadedVersion, name: string, ...values: readonly unknown[]): unknown {
  return exported(version, name)(...values);
}

export function expectUnloaded(version: LoadedVersion, releaseObjects = false): void {
  expect(retire(version, releaseObjects)).toEqual({ outcome: 'unloaded', pins: '' });
}
