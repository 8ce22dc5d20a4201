/** Memory of a context: of one that the tests make, and of the one that a plain load has. */
import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildFlavour, type Everything, FLAVOURS, requireAnew } from './support.ts';

const BYTES = Float64Array.BYTES_PER_ELEMENT;
const ALIGNMENT = 64;
const REFUSED = 'Cannot get memory "table": the context gives no aligned Uint8Array of that size';

/** Whether V8 gave the buffer an aligned address, nobody can tell from JavaScript: one of these offsets has it. */
const OFFSETS = Array.from({ length: ALIGNMENT / 16 }, (_, index) => index * 16);

describe.each(FLAVOURS)('memory in $name', (flavour) => {
  let addon: Everything;

  beforeAll(() => {
    addon = requireAnew(buildFlavour(flavour));
  });

  /** A context whose memory is this. */
  const giving = (memory: (...args: unknown[]) => unknown) => ({ reason: 'first', memory });

  test('is the bytes of the view that the context gives, at an aligned address', () => {
    const buffer = new ArrayBuffer(4 * BYTES + ALIGNMENT);
    const outcomes = OFFSETS.map((offset) => {
      const view = new Uint8Array(buffer, offset, 4 * BYTES);
      try {
        const used = addon.useMemory(
          giving(() => view),
          'table',
          4,
        );
        return { used, seen: new Float64Array(buffer, offset, 4)[0] };
      } catch (error) {
        return (error as Error).message;
      }
    });
    expect(outcomes.filter((outcome) => outcome === REFUSED)).toHaveLength(OFFSETS.length - 1);
    expect(outcomes).toContainEqual({ used: { first: 1, last: 0, count: 4, isAligned: true }, seen: 1 });
  });

  test('is asked for by name and bytes, and with an option where it may grow', () => {
    const asked: unknown[][] = [];
    const refuse = giving((...args) => {
      asked.push(args);
      throw new Error('mine');
    });
    expect(() => addon.useMemory(refuse, 'a', 4)).toThrow(/^mine$/);
    expect(() => addon.useMemory(refuse, 'b', 5, true)).toThrow(/^mine$/);
    expect(asked).toEqual([
      ['a', 4 * BYTES],
      ['b', 5 * BYTES, { grow: true }],
    ]);
  });

  test.each([
    ['nothing', undefined],
    ['an array', [1, 2, 3]],
    ['too few bytes', new Uint8Array(8)],
    ['another type', new Float64Array(4)],
    ['a buffer', new ArrayBuffer(32)],
  ])('is refused by one error when the context gives %s', (_, given) => {
    expect(() =>
      addon.useMemory(
        giving(() => given),
        'table',
        4,
      ),
    ).toThrow('Cannot get memory "table": the context gives no aligned Uint8Array of that size');
  });

  test('is refused where the context has none, for no elements, and for more than there can be', () => {
    expect(() => addon.useMemory({}, 'table', 1)).toThrow(REFUSED);
    expect(() =>
      addon.useMemory(
        giving(() => new Uint8Array(0)),
        'table',
        0,
      ),
    ).toThrow(REFUSED);
    expect(() => addon.useMemory(addon.makePlain(), 'table', 2 ** 62)).toThrow(
      /^Invalid array buffer length$|^Cannot get memory "table": no memory has so many elements$/,
    );
  });

  test('is refused by a message that ends in the middle of a name without an end', () => {
    const name = 'x'.repeat(400);
    const message = `Cannot get memory "${name}`.slice(0, 255);
    expect(() => addon.useMemory({}, name, 1)).toThrow(new Error(message));
  });
});

describe.each(FLAVOURS)('the plain context in $name', (flavour) => {
  let addon: Everything;

  beforeAll(() => {
    addon = requireAnew(buildFlavour(flavour));
  });

  test('is a first load without a state', () => {
    expect(addon.lookPlain()).toEqual({ reason: 'first' });
    expect(addon.look(addon.makePlain())).toEqual({ reason: 'first' });
  });

  test('has the same aligned bytes for the same name, 0 at first', () => {
    const context = addon.makePlain();
    const used = (name: string) => addon.useMemory(context, name, 3);
    expect(used('a')).toEqual({ first: 1, last: 0, count: 3, isAligned: true });
    expect([used('a').first, used('b').first, used('a').first]).toEqual([2, 1, 3]);
    expect([used('__proto__').first, used('__proto__').first]).toEqual([1, 2]);
    expect(addon.useMemory(addon.makePlain(), 'a', 3).first).toBe(1);
  });

  test('keeps the bytes of memory that grows, and refuses another size otherwise', () => {
    const context = addon.makePlain();
    addon.useMemory(context, 'a', 2);
    const refusal = { code: 'ERR_MEMORY_SIZE', message: 'Cannot get memory "a": it has 16 bytes, not 800' };
    expect(() => addon.useMemory(context, 'a', 100)).toThrow(expect.objectContaining(refusal));
    expect(addon.useMemory(context, 'a', 100, true)).toEqual({
      first: 2,
      last: 0,
      count: 100,
      isAligned: true,
    });
    expect(addon.useMemory(context, 'a', 100).first).toBe(3);
    expect(() => addon.useMemory(context, 'a', 2, true)).toThrow(/^Cannot get memory "a": it has 800 bytes/);
  });

  test('throws, and does not end the process, when there is not so much memory', () => {
    const script = `
      const addon = require(${JSON.stringify(buildFlavour(flavour))});
      for (const count of [2 ** 40, 2 ** 50]) {
        try { addon.useMemory(addon.makePlain(), 'a', count); } catch (error) { console.log(error.name); }
      }
      console.log(addon.useMemory(addon.makePlain(), 'a', 1).first);`;
    const flags = ['--disallow-code-generation-from-strings', '-e', script];
    expect(execFileSync(process.execPath, flags, { encoding: 'utf8' })).toBe('RangeError\nRangeError\n1\n');
  });
});
