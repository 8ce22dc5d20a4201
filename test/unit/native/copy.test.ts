import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  copyFileSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ContentHash } from '../../../src/brands.ts';
import type { NativeStageResult } from '../../../src/native.ts';
import { addonSource, compile, openStage, SHIM_PATH, scratch, shim } from './shim.ts';

const HEADER_BYTES = 64;

/** Stages bytes that are written to a file first; nothing but a staged file may be left. */
async function stageBytes(bytes: Uint8Array | string): Promise<NativeStageResult> {
  const source = join(scratch(), 'source.node');
  writeFileSync(source, bytes);
  return await stagePath(source);
}

async function stagePath(source: string): Promise<NativeStageResult> {
  const { handle, path } = openStage(scratch());
  const result = await shim.stageCopy(handle, source, 1, null);
  expect(readdirSync(path)).toHaveLength(result.ok && result.kind === 'staged' ? 2 : 1);
  return result;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('stageCopy', () => {
  it('stages a copy that only its owner can open, under its id and hash', async () => {
    const { handle, path } = openStage(scratch());
    const bytes = readFileSync(SHIM_PATH);
    const hash = sha256(bytes);
    const result = await shim.stageCopy(handle, SHIM_PATH, 7, null);
    const staged = join(path, `7-${hash.slice(0, 16)}.node`);
    expect(result).toMatchObject({ ok: true, kind: 'staged', path: staged, hash, bytes: bytes.length });
    expect(lstatSync(staged).mode & 0o777).toBe(0o600);
    expect(readFileSync(staged).equals(bytes)).toBe(true);
  });

  it('stages nothing when the hash is the one to skip', async () => {
    const { handle, path } = openStage(scratch());
    const hash = sha256(readFileSync(SHIM_PATH)) as ContentHash;
    const same = { ok: true, kind: 'same', hash, fingerprint: hash, libraries: [], looked: [] };
    expect(await shim.stageCopy(handle, SHIM_PATH, 1, hash)).toEqual(same);
    expect(readdirSync(path)).toEqual(['.lock']);
  });

  it('never replaces a file', async () => {
    const { handle } = openStage(scratch());
    const first = await shim.stageCopy(handle, SHIM_PATH, 1, null);
    const again = await shim.stageCopy(handle, SHIM_PATH, 1, null);
    expect(first.ok && first.kind === 'staged' && first.path).toBe('path' in again && again.path);
    expect(again).toMatchObject({ ok: false, kind: 'io', operation: 'link', errno: 'EEXIST' });
  });

  it('copies a big file whole', async () => {
    const bytes = Buffer.concat([readFileSync(SHIM_PATH), randomBytes(30_000_001)]);
    const result = await stageBytes(bytes);
    expect(result).toMatchObject({ kind: 'staged', hash: sha256(bytes), bytes: bytes.length });
  });

  it('serves many copies at once', async () => {
    const { handle, path } = openStage(scratch());
    const ids = Array.from({ length: 20 }, (_, index) => index + 1);
    const results = await Promise.all(ids.map((id) => shim.stageCopy(handle, SHIM_PATH, id, null)));
    expect(results.every((result) => result.ok && result.kind === 'staged')).toBe(true);
    expect(readdirSync(path)).toHaveLength(21);
  });

  it('refuses a file whose size no memory has, although its headers are whole', async () => {
    const source = join(scratch(), 'sparse.node');
    copyFileSync(SHIM_PATH, source);
    truncateSync(source, 5 * 1024 ** 3);
    const found = 'a file of more than 4 GiB';
    expect(await stagePath(source)).toMatchObject({ ok: false, kind: 'foreign', found });
  });

  it('follows a symbolic link to the source', async () => {
    const link = join(scratch(), 'link.node');
    symlinkSync(SHIM_PATH, link);
    expect(await stagePath(link)).toMatchObject({ kind: 'staged' });
  });

  it('gives a failure when the source is missing', async () => {
    const path = join(scratch(), 'missing.node');
    expect(await stagePath(path)).toMatchObject({ kind: 'io', operation: 'open', errno: 'ENOENT', path });
  });
});

describe('stageCopy of a file that is still being written', () => {
  it('says so at every length', async () => {
    const whole = readFileSync(SHIM_PATH);
    const lengths = [1, 3, 4, 20, HEADER_BYTES - 1, HEADER_BYTES, 300, 4096, whole.length - 1];
    for (const length of lengths) {
      const result = await stageBytes(whole.subarray(0, length));
      expect(result, `${length} bytes`).toMatchObject({ ok: false, kind: 'incomplete', bytes: length });
    }
  });

  it('tells what is missing, and when the file was written', async () => {
    const whole = readFileSync(SHIM_PATH);
    const result = await stageBytes(whole.subarray(0, whole.length - 1));
    const found = `the section headers end at byte ${whole.length} of ${whole.length - 1}`;
    expect(result).toMatchObject({ kind: 'incomplete', found });
    expect(result.ok || result.kind !== 'incomplete' || result.mtimeMs).toBeGreaterThan(1.6e12);
    const start = await stageBytes(whole.subarray(0, 8_192));
    expect(start).toMatchObject({ found: expect.stringMatching(/^segment \d ends at byte \d+ of \d+$/) });
  });

  it('says so when the file is empty, or has its size and no content yet', async () => {
    expect(await stageBytes('')).toMatchObject({ kind: 'incomplete', found: 'it is empty', bytes: 0 });
    const zeros = await stageBytes(Buffer.alloc(10_000));
    expect(zeros).toMatchObject({ kind: 'incomplete', found: 'it begins with zeros' });
    const bytes = readFileSync(SHIM_PATH);
    bytes.fill(0, 0x1000);
    expect(await stageBytes(bytes)).toMatchObject({
      kind: 'incomplete',
      found: expect.stringMatching(/not written yet$/),
    });
  });
});

describe('stageCopy of what is no ELF file', () => {
  it.each([
    ['a Windows PE file', Buffer.from('MZ\x90\0\x03')],
    ['a Mach-O file', Buffer.from('cffaedfe07000001', 'hex')],
    ['a Mach-O file', Buffer.from('feedface00000007', 'hex')],
    ['a Mach-O file', Buffer.from('cafebabe00000002', 'hex')],
    ['a static library', Buffer.from('!<arch>\nx')],
    ['a script', Buffer.from('#!/bin/sh\n')],
    ['text', Buffer.from('module.exports = 1;\n')],
    ['not an ELF file', Buffer.from([1, 2, 3, 4, 5])],
  ])('calls it %s', async (found, bytes) => {
    expect(await stageBytes(bytes)).toMatchObject({ ok: false, kind: 'foreign', found });
  });

  it('calls a directory and a named pipe by their names', async () => {
    const folder = scratch();
    const found = { ok: false, kind: 'foreign', path: folder, found: 'a directory' };
    expect(await stagePath(folder)).toEqual(found);
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(await stagePath(pipe)).toEqual({ ...found, path: pipe, found: 'a named pipe' });
  });
});

describe('stageCopy of what is kept', () => {
  const wanted = { examine: true, rebind: true, libraries: true };

  async function stageRebound(folder: string, handle: object) {
    const init = '-DINIT=napi_value f; napi_create_function(env, "f", 1, NULL, NULL, &f);';
    const source = compile(folder, 'kernel', addonSource(), [init]);
    const bytes = readFileSync(source);
    const first = await shim.stageCopy(handle, source, 1, null, wanted);
    if (!first.ok || first.kind !== 'staged' || !first.binding?.ok) throw new Error('it was not rebound');
    const { path, hash, fingerprint, binding } = first;
    writeFileSync(source, 'another build');
    return {
      source,
      bytes,
      fingerprint,
      kept: { path, hash, libraries: binding.libraries, origin: binding.origin },
    };
  }

  it('gives the bytes before the rebind, and leaves the staged file as it is', async () => {
    const { handle } = openStage(scratch());
    const { source, bytes, fingerprint, kept } = await stageRebound(scratch(), handle);
    const rebound = readFileSync(kept.path);
    expect(rebound.equals(bytes)).toBe(false);
    const plain = { ...wanted, examine: false };
    const again = await shim.stageCopy(handle, source, 2, null, plain, kept);
    expect(again).toMatchObject({
      kind: 'staged',
      hash: kept.hash,
      fingerprint,
      bytes: bytes.length,
      binding: null,
    });
    if (!again.ok || again.kind !== 'staged') return;
    expect(readFileSync(again.path).equals(bytes)).toBe(true);
    expect(readFileSync(kept.path).equals(rebound)).toBe(true);
    // Still to be rebound, as any that was not.
    expect(lstatSync(again.path).mode & 0o777).toBe(0o600);
    expect(shim.rebind(again.path, source, [], kept)).toMatchObject({ ok: true });
    expect(readFileSync(again.path).equals(rebound)).toBe(true);
  });

  it('rebinds it on the way, as any small file', async () => {
    const { handle } = openStage(scratch());
    const { source, kept } = await stageRebound(scratch(), handle);
    const again = await shim.stageCopy(handle, source, 2, null, wanted, kept);
    expect(again).toMatchObject({ kind: 'staged', image: { ok: true }, binding: { ok: true } });
    if (!again.ok || again.kind !== 'staged') return;
    expect(readFileSync(again.path).equals(readFileSync(kept.path))).toBe(true);
    expect(lstatSync(again.path).mode & 0o777).toBe(0o400);
  });

  it('refuses a file that was changed, cut off or deleted since', async () => {
    const { handle, path: directory } = openStage(scratch());
    const { source, kept } = await stageRebound(scratch(), handle);
    const good = readFileSync(kept.path);
    const stage = () => shim.stageCopy(handle, source, 2, null, wanted, kept);
    const changed = Buffer.from(good);
    changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1);
    for (const bytes of [changed, good.subarray(0, 100), good.subarray(0, 2_000), Buffer.alloc(0)]) {
      rmSync(kept.path);
      writeFileSync(kept.path, bytes);
      expect(await stage()).toMatchObject({ ok: false, kind: 'io', operation: 'check', path: kept.path });
    }
    rmSync(kept.path);
    expect(await stage()).toMatchObject({ kind: 'io', operation: 'open', path: kept.path, errno: 'ENOENT' });
    expect(readdirSync(directory)).toEqual(['.lock']);
  });
});
