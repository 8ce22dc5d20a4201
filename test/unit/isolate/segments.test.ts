/** Arrays that this process shares with a forked one. */
import { beforeEach, describe, expect, test } from 'vitest';
import { loadNative } from '../../../src/native.ts';
import { SegmentPool } from '../../../src/isolate/segment-pool.ts';
import { collect, forkPeer, kill, look } from './peer.ts';

const MIB = 2 ** 20;
const NOTHING = { files: 0, mappings: 0 };

/** Of earlier tests. */
beforeEach(collect);

describe('an array of 64 MB', () => {
  const bytes = new Uint8Array(64 * MIB).map((_, index) => index * 7);
  const { buffer } = bytes;

  test.each([
    ['Int8Array', new Int8Array(buffer)],
    ['Uint8Array', bytes],
    ['Uint8ClampedArray', new Uint8ClampedArray(buffer)],
    ['Int16Array', new Int16Array(buffer)],
    ['Uint16Array', new Uint16Array(buffer)],
    ['Int32Array', new Int32Array(buffer)],
    ['Uint32Array', new Uint32Array(buffer)],
    ['BigInt64Array', new BigInt64Array(buffer)],
    ['BigUint64Array', new BigUint64Array(buffer)],
    ['Float32Array', new Float32Array(buffer)],
    ['Float64Array', new Float64Array(buffer)],
    ['Buffer', Buffer.from(buffer)],
    ['DataView', new DataView(buffer)],
    ['ArrayBuffer', buffer],
  ])('comes back equal as a %s', async (_, array) => {
    const { get } = await forkPeer();
    const back = await get<typeof array>('copy', array);
    expect(Object.getPrototypeOf(back)).toBe(Object.getPrototypeOf(array));
    expect(back.byteLength).toBe(64 * MIB);
    const found = ArrayBuffer.isView(back) ? Buffer.from(back.buffer) : Buffer.from(back);
    expect(found.equals(bytes)).toBe(true);
  });
});

test('a part of an array is lent without the rest', async () => {
  const { get } = await forkPeer();
  const whole = new Float64Array(MIB).map((_, index) => index);
  const back = await get<Float64Array>('echo', whole.subarray(1_000, 101_000));
  expect([back.length, back[0], back.at(-1), back.buffer.byteLength]).toEqual([
    100_000, 1_000, 100_999, 800_000,
  ]);
});

describe('what is not lent', () => {
  test.each([
    ['a small array', () => new Float64Array(100)],
    ['shared memory of V8', () => new Uint8Array(new SharedArrayBuffer(MIB))],
    ['a resizable buffer', () => Reflect.construct(ArrayBuffer, [MIB, { maxByteLength: 2 * MIB }])],
    ['an empty array', () => new Uint8Array(0)],
  ])('%s', async (_, make) => {
    const { arrays } = await forkPeer();
    expect(arrays.lend(make())).toBeNull();
    expect(arrays.stats().lent).toBe(0);
  });

  test.each([
    ['there is no memory', { memoryCreate: () => failure }],
    ['a file has no path', { memoryPath: () => null }],
    ['nothing can be copied to it', { memoryWrite: () => failure }],
  ])('anything, where %s', async (_, changes) => {
    const native = { ...loadNative(), ...changes };
    const pool = new SegmentPool({ native });
    const segment = pool.take(MIB);
    if (segment !== null) {
      expect(pool.write(segment, new Uint8Array(MIB))).toBe(false);
      pool.giveBack(segment);
    }
    expect(pool.allocate(100).byteLength).toBe(100);
    pool.close();
  });
  const failure = {
    ok: false,
    kind: 'io',
    operation: 'any',
    path: '',
    errno: 'ENOMEM',
    message: '',
  } as const;
});

describe('an array that came from the other side', () => {
  test('is the same bytes there, and is passed back without a copy', async () => {
    const { arrays, call, get } = await forkPeer();
    const array = await get<Uint8Array>('allocate', MIB);
    array[5] = 1;
    expect(await call('at', 5)).toBe(1);
    await call('fill', array, 7);
    expect([array[5], array[MIB - 1], await call('at', MIB - 1)]).toEqual([7, 7, 7]);
    const again = await get<Uint8Array>('echo', array.subarray(10, 20));
    expect([again.buffer === array.buffer, again.byteOffset, again.length]).toEqual([true, 10, 10]);
    expect(arrays.stats()).toMatchObject({ segments: 1, borrowed: 1 });
  });

  test('is kept by either side alone', async () => {
    const { arrays, call, get, left } = await forkPeer();
    let array: Uint8Array | null = await get<Uint8Array>('allocate', MIB);
    array.fill(3);
    await call('drop');
    expect(await left()).toMatchObject({ segments: 2, idleBytes: 65_536 });
    expect(array[MIB - 1]).toBe(3);
    await call('keep', array);
    array = null;
    await collect();
    expect(await call('at', 9)).toBe(3);
    await call('drop');
    expect(await left()).toMatchObject({ segments: 2, idleBytes: MIB + 65_536, lent: 0 });
    expect(arrays.stats()).toMatchObject({ lent: 0, idleBytes: 65_536 });
  });
});

test('an array that was allocated here is lent as it is, begins as zeros, and comes home as itself', async () => {
  const { arrays, call, get, left } = await forkPeer();
  await call('keep', new Uint8Array(MIB).fill(9));
  await call('drop');
  await left();
  const array = new Uint8Array(arrays.allocate(MIB));
  expect([arrays.stats().segments, array.every((byte) => byte === 0)]).toEqual([2, true]);
  await call('keep', array);
  array[3] = 4;
  expect(await call('at', 3)).toBe(4);
  expect((await get<Uint8Array>('kept')).buffer).toBe(array.buffer);
  const { lent, segments } = arrays.stats();
  for (let times = 0; times < 100; times++) await call('echo', array);
  await left();
  expect(arrays.stats()).toMatchObject({ lent, segments });
});

test('segments return to the pool once nobody sees them', async () => {
  const { arrays, call, left } = await forkPeer();
  for (let times = 0; times < 5; times++) await call('keep', new Uint8Array(MIB));
  expect(arrays.stats()).toMatchObject({ segments: 6, lent: 5, idleBytes: 65_536 });
  await call('drop');
  expect(await left()).toMatchObject({ borrowed: 5, mappings: 6 });
  expect(arrays.stats()).toMatchObject({ segments: 6, lent: 0, idleBytes: 5 * MIB + 65_536 });
  arrays.close();
  await collect();
  expect(look()).toEqual(NOTHING);
});

test('a thousand round trips take no more than a few', async () => {
  const { arrays, call, left } = await forkPeer();
  const array = new Float64Array(MIB / 8);
  const rounds = async (count: number): Promise<void> => {
    for (let times = 0; times < count; times++) {
      array[0] = times;
      const back = (await call('copy', array)) as Float64Array;
      expect(back[0]).toBe(times);
    }
  };
  await rounds(300);
  const before = [process.memoryUsage.rss(), (await call('rss')) as number];
  await rounds(1_000);
  const after = [process.memoryUsage.rss(), (await call('rss')) as number];
  for (const [index, rss] of after.entries()) expect(rss - (before[index] ?? 0)).toBeLessThan(200 * MIB);
  expect(look().files).toBeLessThan(300);
  expect(arrays.stats().idleBytes).toBeLessThanOrEqual(256 * MIB);
  await collect();
  await left();
  expect(arrays.stats().lent).toBe(0);
});

describe('a process that is killed while arrays are lent both ways', () => {
  test('leaves nothing behind', async () => {
    const peer = await forkPeer();
    await peer.call('keep', new Uint8Array(MIB));
    let array: Uint8Array | null = await peer.get<Uint8Array>('allocate', MIB);
    array.fill(5);
    await kill(peer);
    peer.arrays.peerGone();
    expect(peer.arrays.stats()).toMatchObject({ lent: 0, borrowed: 0, segments: 1, idleBytes: 65_536 });
    expect([array[0], array[MIB - 1]]).toEqual([5, 5]);
    expect([peer.arrays.lend(array), peer.arrays.lend(new Uint8Array(MIB))]).toEqual([null, null]);
    array = null;
    peer.arrays.close();
    await collect();
    expect(look()).toEqual(NOTHING);
  });

  test('takes no array of a shared pool with it', async () => {
    const pool = new SegmentPool({ native: loadNative() });
    const first = await forkPeer({ pool });
    const array = new Uint8Array(first.arrays.allocate(MIB));
    await first.call('keep', array);
    await kill(first);
    first.arrays.close();
    const second = await forkPeer({ pool });
    await second.call('fill', array, 6);
    expect(array[MIB - 1]).toBe(6);
    pool.close();
    expect(look().files).toBe(0);
    expect(second.arrays.lend(array)).toBeNull();
  });
});

test('a loan that is not sent, and one that nobody borrows, are over', async () => {
  const { arrays } = await forkPeer();
  const loan = arrays.lend(new Uint8Array(MIB)) ?? expect.unreachable();
  expect(arrays.stats().lent).toBe(1);
  arrays.cancel(loan);
  arrays.cancel(loan);
  expect(arrays.stats()).toMatchObject({ lent: 0, idleBytes: MIB + 65_536 });
});

test('a loan that cannot be opened is ERR_MEMORY_UNAVAILABLE', async () => {
  const { arrays } = await forkPeer();
  const loan = arrays.lend(new Uint8Array(MIB)) ?? expect.unreachable();
  const borrow = (path: string) => () => arrays.borrow({ ...loan, owner: 'lender', segment: 99, path });
  expect(borrow('/proc/self/fd/none')).toThrow(
    expect.objectContaining({
      code: 'ERR_MEMORY_UNAVAILABLE',
      details: { addon: 'kernel.node', name: 'Uint8Array', wanted: MIB, operation: 'open', errno: 'ENOENT' },
    }),
  );
});
