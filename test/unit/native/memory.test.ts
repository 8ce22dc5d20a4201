/** The shim's own refusals: what our TypeScript never asks for must not crash. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { NativeMemory } from '../../../src/native.ts';
import { openStage, scratch, shim, startNode } from './shim.ts';

function create(byteLength: number): object {
  const created = shim.memoryCreate('ring', byteLength);
  expect(created).toMatchObject({ ok: true });
  const { handle } = created as NativeMemory;
  onTestFinished(() => shim.memoryClose(handle));
  return handle;
}

test('memory that is closed gives no buffer, and is closed twice without harm', () => {
  const handle = create(100);
  const view = new Uint8Array(shim.memoryBuffer(handle, 100) ?? expect.unreachable());
  shim.memoryClose(handle);
  shim.memoryClose(handle);
  expect(() => shim.memoryBuffer(handle, 100)).toThrow('the memory is closed');
  expect(() => shim.memoryResize(handle, 200)).toThrow('the memory is closed');
  view.fill(1);
  expect(view[99]).toBe(1);
});

test('memory gives no buffer of more bytes than it has', () => {
  const handle = create(100);
  expect(shim.memoryResize(handle, 50)).toBeNull();
  expect(() => shim.memoryBuffer(handle, 51)).toThrow('the memory has fewer bytes');
});

test('memory that is made smaller and larger again is 0 where it grew', () => {
  const handle = create(10_000);
  const view = new Uint8Array(shim.memoryBuffer(handle, 10_000) ?? expect.unreachable());
  view.fill(1);
  expect(shim.memoryResize(handle, 5_000)).toBeNull();
  view.fill(1);
  expect(shim.memoryResize(handle, 7_000)).toBeNull();
  expect([view[4_999], view[5_000], view[6_999], view[7_000]]).toEqual([1, 0, 0, 1]);
});

test('memory is refused with what the system said', () => {
  const handle = create(100);
  const refused = { ok: false, kind: 'io', operation: 'mmap', path: 'ring', errno: 'ENOMEM' };
  expect(shim.memoryCreate('ring', 2 ** 52)).toMatchObject(refused);
  expect(shim.memoryCreate('ring', 2 ** 60)).toMatchObject(refused);
  expect(shim.memoryResize(handle, 2 ** 52)).toMatchObject(refused);
  expect(shim.memoryBuffer(handle, 100)?.byteLength).toBe(100);
  const tooLong = { ok: false, operation: 'memfd_create', errno: 'EINVAL' };
  expect(shim.memoryCreate('x'.repeat(238), 1)).toMatchObject(tooLong);
});

test('wrong arguments are exceptions', () => {
  const { handle: other } = openStage(scratch());
  const bytes = create(100);
  for (const size of [0, -1, Number.NaN, '1' as never]) {
    expect(() => shim.memoryCreate('ring', size)).toThrow('a size must be a number from 1');
    expect(() => shim.memoryResize(bytes, size)).toThrow('a size must be a number from 1');
  }
  for (const handle of [{}, other]) {
    expect(() => shim.memoryResize(handle, 1)).toThrow('the handle is not one');
    expect(() => shim.memoryBuffer(handle, 1)).toThrow('the handle is not one');
    expect(() => shim.memoryClose(handle)).toThrow('the handle is not one');
  }
  expect(() => shim.addressOf({} as never)).toThrow('addressOf takes a typed array');
});

test('memory that is opened by its path is the same, has no path, and keeps its size', () => {
  const handle = create(5_000);
  const bytes = new Uint8Array(shim.memoryBuffer(handle, 5_000) ?? expect.unreachable());
  const opened = shim.memoryOpen(shim.memoryPath(handle) ?? expect.unreachable(), 4_000);
  expect(opened).toMatchObject({ ok: true });
  const { handle: other } = opened as NativeMemory;
  const view = new Uint8Array(shim.memoryBuffer(other, 4_000) ?? expect.unreachable());
  bytes[3_999] = 7;
  view[0] = 8;
  expect([view[3_999], bytes[0]]).toEqual([7, 8]);
  expect(shim.memoryPath(other)).toBeNull();
  expect(shim.memoryResize(other, 100)).toMatchObject({ operation: 'ftruncate', errno: 'EPERM' });
  expect(() => shim.memoryBuffer(other, 4_001)).toThrow('the memory has fewer bytes');
  shim.memoryClose(other);
  expect(() => shim.memoryPath(other)).toThrow('the memory is closed');
  shim.memoryClose(handle);
  expect([view[0], bytes[3_999]]).toEqual([8, 7]);
});

test('only memory is opened, and no more of it than there is', () => {
  const folder = scratch();
  const file = join(folder, 'file');
  writeFileSync(file, 'x'.repeat(100));
  execFileSync('mkfifo', [join(folder, 'fifo')]);
  const refused = { ok: false, kind: 'io', errno: 'EINVAL' };
  expect(shim.memoryOpen(file, 10)).toMatchObject({ ...refused, operation: 'fcntl' });
  expect(shim.memoryOpen(join(folder, 'fifo'), 10)).toMatchObject({ ...refused, operation: 'fcntl' });
  expect(shim.memoryOpen(join(folder, 'none'), 10)).toMatchObject({ operation: 'open', errno: 'ENOENT' });
  const path = shim.memoryPath(create(100)) ?? expect.unreachable();
  expect(shim.memoryOpen(path, 101)).toMatchObject({ ...refused, operation: 'fstat' });
  for (const size of [0, -1, Number.NaN]) expect(() => shim.memoryOpen(path, size)).toThrow('a size must be');
  expect(() => shim.memoryOpen('', 1)).toThrow('a path must not be empty');
});

test.each([
  ['made', (handle: object) => handle],
  [
    'opened',
    (handle: object) => (shim.memoryOpen(shim.memoryPath(handle) ?? '', 200_000) as NativeMemory).handle,
  ],
])('memory that was %s has what was last copied to it', (_, of) => {
  const handle = create(200_000);
  const target = of(handle);
  const view = new Uint8Array(shim.memoryBuffer(handle, 200_000) ?? expect.unreachable());
  for (const [value, length] of [
    [1, 100_000],
    [2, 200_000],
    [3, 50_000],
    [4, 1],
  ] as const) {
    expect(shim.memoryWrite(target, new Uint8Array(length + 8).fill(value).subarray(8))).toBeNull();
    expect([view[0], view[length - 1], view[length] === value]).toEqual([value, value, false]);
  }
  expect([view[1], view[50_000], view[199_999]]).toEqual([3, 2, 2]);
  for (const wrong of [new Uint8Array(200_001), new Float64Array(1), {}]) {
    expect(() => shim.memoryWrite(target, wrong as never)).toThrow('memoryWrite takes a Uint8Array');
  }
});

test('the end of a buffer is told once its bytes are nobody’s, wherever they were transferred to', async () => {
  const script = `
    require('v8').setFlagsFromString('--expose-gc');
    const gc = require('vm').runInNewContext('gc');
    const { handle } = shim.memoryCreate('ring', 100);
    let told = [];
    const make = (name) => shim.memoryBuffer(handle, 100, () => told.push(name));
    let first = make('first'), kept = make('kept');
    const moves = typeof kept.transfer === 'function';
    if (moves) kept = kept.transfer();
    const collect = async () => {
      for (let i = 0; i < 20; i++) { gc(); await new Promise((resolve) => setImmediate(resolve)); }
    };
    first = null;
    collect().then(() => { told.push(kept.byteLength); kept = null; return collect(); })
      .then(() => console.log(told.join()));
  `;
  const [, line] = await startNode(script);
  expect(line).toBe('first,100,kept');
});
