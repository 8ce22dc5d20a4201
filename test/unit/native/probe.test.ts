import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StagedPath } from '../../../src/brands.ts';
import type { NativeProbe } from '../../../src/native.ts';
import { addonSource, compile, openStage, scratch, shim } from './shim.ts';

/** Enough that what V8 maps at the same time does not show in the mean. */
const COPIES = 50;

function isMapped(path: string): boolean {
  return readFileSync('/proc/self/maps', 'utf8').includes(path);
}

function probe(path: string): NativeProbe {
  const result = shim.probe(path as StagedPath);
  if (!result.ok) throw new Error(result.message);
  return result;
}

describe('probe', () => {
  it('tells the API version that the addon was built for', () => {
    const path = compile(scratch(), 'versioned', addonSource(), ['-DNAPI_VERSION=8']);
    const { apiVersion, handle } = probe(path);
    expect(apiVersion).toBe(8);
    shim.probeRelease(handle);
  });

  it('gives null when the addon does not tell its version', () => {
    const { apiVersion, handle } = probe(compile(scratch(), 'silent', 'int nothing;'));
    expect(apiVersion).toBeNull();
    shim.probeRelease(handle);
  });

  it("gives the loader's words when a symbol is undefined", () => {
    const source = addonSource('void not_there(void); void call(void) { not_there(); }');
    const path = compile(scratch(), 'undefined', source);
    const result = shim.probe(path as StagedPath);
    expect(result).toEqual({ ok: false, message: expect.stringContaining('undefined symbol: not_there') });
  });

  it("gives the loader's words when the file is missing", () => {
    const path = join(scratch(), 'missing.node');
    const result = shim.probe(path as StagedPath);
    expect(result).toEqual({ ok: false, message: expect.stringContaining(path) });
  });

  it('lets go of the image once when it is released twice', () => {
    const path = compile(scratch(), 'released', addonSource());
    const first = probe(path);
    const second = probe(path);
    shim.probeRelease(first.handle);
    shim.probeRelease(first.handle);
    expect(isMapped(path)).toBe(true);
    shim.probeRelease(second.handle);
    expect(isMapped(path)).toBe(false);
  });

  it('throws when it gets the handle of a stage directory', () => {
    const { handle } = openStage(scratch());
    expect(() => shim.probeRelease(handle)).toThrow(TypeError);
    expect(() => shim.probeRelease({})).toThrow(TypeError);
  });
});

describe('countMappings', () => {
  it('grows by what inspect foretold when an image is loaded', () => {
    const path = compile(scratch(), 'mapped', addonSource('char room[100000]; int set = 1;'));
    const image = shim.inspect(path as StagedPath);
    const before = shim.countMappings();
    const handles = Array.from({ length: COPIES }, (_, copy) => {
      copyFileSync(path, `${path}.${copy}`);
      return probe(`${path}.${copy}`).handle;
    });
    const added = shim.countMappings() - before;
    for (const handle of handles) shim.probeRelease(handle);
    expect(before).toBeGreaterThan(20);
    expect(Math.round(added / COPIES)).toBe(image.ok && image.mappings);
  });
});
