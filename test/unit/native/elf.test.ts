import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StagedPath } from '../../../src/brands.ts';
import type { NativeImage } from '../../../src/native.ts';
import { addonSource, compile, SHIM_PATH, scratch, shim } from './shim.ts';

const MUTATIONS = 500;
const BYTES_CHANGED_MAX = 8;

function inspect(path: string): ReturnType<typeof shim.inspect> {
  return shim.inspect(path as StagedPath);
}

function facts(path: string): NativeImage {
  const result = inspect(path);
  if (!result.ok) throw new Error(JSON.stringify(result));
  return result;
}

function inspectBytes(bytes: Uint8Array | string): ReturnType<typeof shim.inspect> {
  const path = join(scratch(), 'file.node');
  writeFileSync(path, bytes);
  return inspect(path);
}

/** A generator with a fixed seed (mulberry32), so that a failure can be repeated. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

describe('inspect', () => {
  it('tells architecture, entry and API version of an addon', () => {
    const image = facts(compile(scratch(), 'plain', addonSource(), ['-Wl,--no-as-needed']));
    expect(image).toMatchObject({
      arch: process.arch,
      sharedObject: true,
      entry: 'symbol',
      hasApiVersion: true,
    });
    expect(image).toMatchObject({ uniqueSymbols: 0, noDelete: false, tlsBytes: 0, staticTls: false });
    expect(image.needed).toContain('libc.so.6');
    expect(image).toMatchObject({ soname: null, runpath: null });
  });

  it.each([
    ['constructor', 'void napi_module_register(void*); void f(void) { napi_module_register(0); }'],
    ['v8', 'void node_register_module_v115(void) {}'],
    ['v8', 'void node_module_register(void*); void f(void) { node_module_register(0); }'],
    ['none', 'int nothing;'],
  ])('says %s for %s', (entry, source) => {
    expect(facts(compile(scratch(), 'entry', source)).entry).toBe(entry);
  });

  it('tells the names, the flags and the thread-local storage', () => {
    const flags = [
      '-Wl,-soname,kernel.so',
      '-Wl,-rpath,$ORIGIN',
      '-Wl,-z,nodelete',
      '-ftls-model=initial-exec',
    ];
    const source = 'static __thread char room[100]; char* f(void) { return room; }';
    const image = facts(compile(scratch(), 'flags', source, flags));
    expect(image).toMatchObject({ soname: 'kernel.so', runpath: '$ORIGIN', noDelete: true });
    expect(image.staticTls).toBe(true);
    expect(image.tlsBytes).toBeGreaterThanOrEqual(100);
  });

  it('counts unique symbols', () => {
    const source =
      '__asm__(".globl u\\n.type u, @gnu_unique_object\\n.data\\nu: .quad 0\\n.size u, 8\\n.text\\n");';
    expect(facts(compile(scratch(), 'unique', source)).uniqueSymbols).toBe(1);
  });

  it.each(['sysv', 'gnu'])(
    'finds the symbols by the %s hash table when there are no section headers',
    (style) => {
      const bytes = readFileSync(compile(scratch(), 'bare', addonSource(), [`-Wl,--hash-style=${style}`]));
      bytes.fill(0, 0x28, 0x30); // e_shoff
      bytes.fill(0, 0x3c, 0x40); // e_shnum, e_shstrndx
      expect(inspectBytes(bytes)).toMatchObject({ ok: true, entry: 'symbol', hasApiVersion: true });
    },
  );

  it('names what is no ELF file', () => {
    expect(inspectBytes('MZ and more')).toMatchObject({ kind: 'foreign', found: 'a Windows PE file' });
    expect(inspectBytes('')).toMatchObject({ kind: 'foreign', found: 'it is empty' });
  });

  it('calls an image that contradicts itself malformed', () => {
    const bytes = readFileSync(SHIM_PATH);
    bytes.writeBigUInt64LE(2n ** 64n - 8n, 0x20); // e_phoff
    expect(inspectBytes(bytes)).toEqual({
      ok: false,
      kind: 'malformed',
      found: 'its program headers lie outside the file',
    });
  });

  it('sees another architecture, and a 32-bit file', () => {
    const other = readFileSync(SHIM_PATH);
    other.writeUInt16LE(process.arch === 'arm64' ? 62 : 183, 18);
    expect(inspectBytes(other)).toMatchObject({ arch: process.arch === 'arm64' ? 'x64' : 'arm64' });
    const narrow = readFileSync(SHIM_PATH);
    narrow.writeUInt8(1, 4); // EI_CLASS
    narrow.writeUInt16LE(3, 18);
    expect(inspectBytes(narrow)).toMatchObject({ ok: true, arch: 'ia32', sharedObject: false });
  });

  it('gives a failure when the file is missing', () => {
    const path = join(scratch(), 'missing.node');
    expect(inspect(path)).toMatchObject({ ok: false, kind: 'io', operation: 'open', errno: 'ENOENT', path });
  });

  it('returns whatever the bytes are', () => {
    const folder = scratch();
    const original = readFileSync(compile(folder, 'victim', addonSource()));
    const path = join(folder, 'mutant.node');
    const below = seeded(20_240_601);
    // Most of what the reader looks at lies in the first pages; the section headers are at the end.
    const regions = [
      [0, 0x400],
      [0, original.length],
      [original.length - 0x800, original.length],
    ] as const;
    for (let round = 0; round < MUTATIONS; round += 1) {
      const bytes = Buffer.from(
        original.subarray(0, below(8) === 0 ? below(original.length) : original.length),
      );
      const [start, end] = regions[below(regions.length)] ?? regions[0];
      for (let left = 1 + below(BYTES_CHANGED_MAX); left > 0; left -= 1) {
        const at = start + below(end - start);
        if (at < bytes.length) bytes[at] = below(3) === 0 ? 0xff : below(256);
      }
      writeFileSync(path, bytes);
      expect(typeof inspect(path).ok, `mutation ${round}`).toBe('boolean');
    }
  });
});
