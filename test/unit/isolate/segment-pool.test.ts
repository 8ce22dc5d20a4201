/** Which segments a pool keeps, and for how long. */
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { SegmentPool, type SegmentPoolOptions } from '../../../src/isolate/segment-pool.ts';
import { loadNative } from '../../../src/native.ts';
import { collect, look } from './peer.ts';

const MIB = 2 ** 20;

/** Of earlier tests. */
beforeEach(collect);

interface Made {
  readonly pool: SegmentPool;
  readonly closed: readonly number[];
  /** Lets a period pass. False when nobody waits for one. */
  pass(): boolean;
  /** Takes one and gives it back, which makes it idle. @returns its id */
  use(bytes: number): number;
}

function makePool(options: Partial<SegmentPoolOptions> = {}): Made {
  const waiting: (() => void)[] = [];
  const after = (_: number, callback: () => void): void => void waiting.push(callback);
  const pool = new SegmentPool({ native: loadNative(), after, ...options });
  onTestFinished(() => pool.close());
  const closed: number[] = [];
  pool.onClosed((id) => closed.push(id));
  return {
    pool,
    closed,
    pass() {
      const callback = waiting.shift();
      callback?.();
      return callback !== undefined;
    },
    use(bytes) {
      const segment = pool.take(bytes) ?? expect.unreachable();
      pool.giveBack(segment);
      return segment.id;
    },
  };
}

test('a segment serves what is of about its size, and nothing else', () => {
  const { use } = makePool();
  expect([MIB, MIB - 100, 1.2 * MIB, 1.25 * MIB, MIB, 1, 65_536].map(use)).toEqual([1, 1, 2, 2, 1, 3, 3]);
});

test.each([
  [1, 65_536],
  [65_537, 81_920],
  [MIB, MIB],
  [MIB + 1, 1.25 * MIB],
  [1.75 * MIB + 1, 2 * MIB],
])('a segment for %i bytes has %i', (bytes, fileBytes) => {
  expect(makePool().pool.take(bytes)?.fileBytes).toBe(fileBytes);
});

test('idle segments are closed from the oldest on when they have too many bytes', () => {
  const { pool, closed, use } = makePool({ idleBytesMax: 4 * MIB });
  for (const bytes of [MIB, 2 * MIB, MIB, 1.5 * MIB]) use(bytes);
  expect([closed, pool.stats()]).toEqual([[2], { segments: 2, bytes: 2.5 * MIB, idleBytes: 2.5 * MIB }]);
  use(5 * MIB);
  expect([closed, pool.stats().idleBytes]).toEqual([[2, 4], 2.5 * MIB]);
});

test('a segment that nobody has used for a whole period is closed, and then nobody waits', () => {
  const { closed, pass, pool, use } = makePool();
  use(MIB);
  use(2 * MIB);
  pass();
  use(2 * MIB);
  expect(closed).toEqual([]);
  pass();
  expect(closed).toEqual([1]);
  pass();
  expect([closed, pool.stats().segments, pass()]).toEqual([[1, 2], 0, false]);
});

test('there are no more segments than that many; an idle one makes way', () => {
  const { closed, pool, use } = makePool({ segmentsMax: 2 });
  const first = pool.take(MIB) ?? expect.unreachable();
  use(2 * MIB);
  expect([pool.take(4 * MIB)?.id, closed, pool.take(MIB)]).toEqual([3, [2], null]);
  expect(pool.allocate(100).byteLength).toBe(100);
  pool.giveBack(first);
  expect(pool.take(MIB)?.id).toBe(1);
});

test('a segment that somebody sees is not used for anything else', async () => {
  const { pool, use } = makePool();
  let buffer: ArrayBuffer | null = pool.allocate(MIB);
  expect(pool.segmentOf(buffer)?.id).toBe(1);
  expect(use(MIB)).toBe(2);
  buffer = null;
  await collect();
  expect([use(MIB), pool.stats().segments]).toEqual([1, 2]);
});

test('what is allocated is 0, whoever had it before', () => {
  const { pool, closed } = makePool();
  const segment = pool.take(MIB) ?? expect.unreachable();
  expect(pool.write(segment, new Uint8Array(MIB).fill(1))).toBe(true);
  pool.giveBack(segment);
  const bytes = new Uint8Array(pool.allocate(MIB));
  expect([bytes.every((byte) => byte === 0), pool.stats().segments, closed]).toEqual([true, 1, []]);
  expect(pool.allocate(0).byteLength).toBe(0);
  expect(() => pool.allocate(-1)).toThrow(RangeError);
});

test('a pool that is closed leaves no file, and its buffers good', async () => {
  const { pool, pass, use } = makePool();
  const seen = new Uint8Array(pool.allocate(MIB));
  let dropped: ArrayBuffer | null = pool.allocate(MIB);
  use(MIB);
  pool.close();
  pool.close();
  seen.fill(1);
  expect([dropped.byteLength, pool.segmentOf(dropped), pool.take(MIB)]).toEqual([MIB, undefined, null]);
  dropped = null;
  await collect();
  pass();
  expect([look(), seen[MIB - 1]]).toEqual([{ files: 0, mappings: 1 }, 1]);
});
