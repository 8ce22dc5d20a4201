/** The shim's own refusals: what our TypeScript never asks for must not crash. */
import { expect, onTestFinished, test } from 'vitest';
import type { NativeMemory } from '../../../src/native.ts';
import { openStage, scratch, shim } from './shim.ts';

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
