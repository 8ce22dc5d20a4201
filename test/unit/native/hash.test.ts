import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { shim } from './shim.ts';

const SIZES = [...Array.from({ length: 200 }, (_, size) => size), 1000, 4095, 4096, 65_537, 1_000_003];
const CHUNKS = [1, 7, 63, 64, 65, 4096, 2 ** 31];

describe.each([
  ['portable', true],
  ['accelerated', false],
])('sha256, %s', (_, portable) => {
  const isAbsent = !portable && !shim.internals.sha256Accelerated;

  it.skipIf(isAbsent)(
    `equals that of node:crypto for every size${isAbsent ? ' (this processor has no SHA instructions)' : ''}`,
    () => {
      for (const size of SIZES) {
        const bytes = randomBytes(size);
        const expected = createHash('sha256').update(bytes).digest('hex');
        expect(shim.internals.sha256(bytes, portable, 2 ** 31), `${size} bytes`).toBe(expected);
      }
    },
  );

  it('does not depend on how the bytes are cut', () => {
    const bytes = randomBytes(1021);
    const expected = createHash('sha256').update(bytes).digest('hex');
    for (const chunk of CHUNKS) expect(shim.internals.sha256(bytes, portable, chunk)).toBe(expected);
  });
});
