import { describe, expect, onTestFinished, test } from 'vitest';
import { realOutside } from '../../../src/outside.ts';
import { createMemoryBlock } from '../../../src/state/memory-block.ts';
import { openFiles, sum, without } from './memory-support.ts';

const { native } = realOutside;
const subject = { addon: 'kernel.node', name: 'ring' };

test('a buffer that was transferred is made again over the same bytes', () => {
  const made: ArrayBuffer[] = [];
  const memoryBuffer = (_: object, byteLength: number): ArrayBuffer => {
    const buffer = new ArrayBuffer(byteLength);
    made.push(buffer);
    return buffer;
  };
  const { native: fake } = without({ memoryBuffer });
  const block = createMemoryBlock(subject, 100, fake);
  onTestFinished(() => block.close());
  const { buffer } = block.view();
  expect(block.view().buffer).toBe(buffer);
  structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
  expect([block.view().length, block.view().buffer === made[1], made.length]).toEqual([100, true, 2]);
});

test('what no process can map is ERR_MEMORY_UNAVAILABLE, and leaves the file closed', () => {
  const files = openFiles();
  const make = (): unknown => createMemoryBlock(subject, 2 ** 52, native);
  const details = { ...subject, wanted: 2 ** 52, operation: 'mmap', errno: 'ENOMEM' };
  expect(make).toThrow(expect.objectContaining({ code: 'ERR_MEMORY_UNAVAILABLE', details }));
  expect(openFiles()).toBe(files);
  const block = createMemoryBlock(subject, 100, native);
  onTestFinished(() => block.close());
  block.view().fill(1);
  expect(() => block.grow(2 ** 52)).toThrow(expect.objectContaining({ code: 'ERR_MEMORY_UNAVAILABLE' }));
  expect(sum(block.view())).toBe(100);
  expect(sum(block.grow(5_000).view())).toBe(100);
});

describe('where external buffers are not allowed', () => {
  const { native: fake } = without({ memoryBuffer: () => null });
  const refusal = expect.objectContaining({ code: 'ERR_MEMORY_UNAVAILABLE' });

  test('what V8 cannot allocate is ERR_MEMORY_UNAVAILABLE', () => {
    const created = { ok: true, handle: {} } as const;
    const native = { ...fake, memoryCreate: () => created, memoryClose: () => undefined };
    expect(() => createMemoryBlock(subject, 2 ** 52, native)).toThrow(refusal);
  });

  test('growth beyond the room is ERR_MEMORY_UNAVAILABLE, and the block stays good', () => {
    const block = createMemoryBlock(subject, 100, fake);
    block.view().fill(1);
    expect(() => block.grow(3 * 2 ** 30)).toThrow(refusal);
    expect([sum(block.view()), block.grow(5_000).view().length]).toEqual([100, 5_000]);
  });
});
