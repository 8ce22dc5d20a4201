/** Memory that stays, compared with a plain model of names and bytes, over random lives of versions. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { realOutside } from '../../src/outside.ts';
import { type MemoryClaim, NamedMemory } from '../../src/state/memory.ts';
import { openFiles } from '../unit/state/memory-support.ts';

const RUNS = 200;
const NAMES = ['a', 'b', 'c'] as const;
/** Around a page, and far beyond it. */
const SIZES = [1, 100, 4_095, 4_096, 4_097, 70_000] as const;

type Step =
  | { readonly kind: 'ask'; readonly name: string; readonly bytes: number; readonly grow: boolean }
  /** Fills a view that somebody got at some time, also of a version that was refused. */
  | { readonly kind: 'fill'; readonly which: number; readonly value: number };

interface Life {
  readonly afresh: boolean;
  readonly steps: readonly Step[];
  readonly serves: boolean;
}

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('ask' as const),
    name: fc.constantFrom(...NAMES),
    bytes: fc.constantFrom(...SIZES),
    grow: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('fill' as const),
    which: fc.nat(20),
    value: fc.integer({ min: 1, max: 255 }),
  }),
);
const life: fc.Arbitrary<Life> = fc.record({
  afresh: fc.boolean(),
  steps: fc.array(step, { maxLength: 8 }),
  serves: fc.boolean(),
});

/** The bytes of a block are as long as it ever was; `size` is how many of them count. */
interface Model {
  readonly bytes: Uint8Array;
  size: number;
}

class Pair {
  readonly #memory: NamedMemory;
  readonly #clearsAtOnce: boolean;
  #model = new Map<string, Model>();
  /** Each view with the model's bytes under it. */
  readonly #views: { readonly real: Uint8Array; readonly model: Uint8Array }[] = [];

  /** @param clearsAtOnce whether bytes are 0 as soon as their growth is undone; else when they come again */
  constructor(memory: NamedMemory, clearsAtOnce: boolean) {
    this.#memory = memory;
    this.#clearsAtOnce = clearsAtOnce;
  }

  live({ afresh, steps, serves }: Life): void {
    const before = afresh ? new Map<string, Model>() : this.#model;
    const model = new Map([...before].map(([name, block]) => [name, { ...block }]));
    const claim = this.#memory.claim(1, afresh);
    for (const each of steps) {
      if (each.kind === 'ask') this.#ask(claim, model, each);
      else this.#fill(each);
      this.#compare();
    }
    if (serves) {
      claim.keep();
      this.#model = model;
    } else {
      claim.undo();
      if (this.#clearsAtOnce) clearGrowth(before, model);
    }
    this.#compare();
  }

  #ask(claim: MemoryClaim, model: Map<string, Model>, { name, bytes, grow }: Step & { kind: 'ask' }): void {
    const block = model.get(name) ?? { bytes: new Uint8Array(Math.max(...SIZES)), size: bytes };
    const isRefused = bytes < block.size || (bytes > block.size && !grow);
    const ask = (): Uint8Array => claim.ask(name, bytes, { grow });
    if (isRefused) {
      expect(ask).toThrow(expect.objectContaining({ code: 'ERR_MEMORY_SIZE' }));
      return;
    }
    const real = ask();
    expect(real.length).toBe(bytes);
    block.bytes.fill(0, block.size, bytes);
    block.size = bytes;
    model.set(name, block);
    this.#views.push({ real, model: block.bytes.subarray(0, bytes) });
  }

  #fill({ which, value }: Step & { kind: 'fill' }): void {
    const view = this.#views[which % (this.#views.length || 1)];
    view?.real.fill(value);
    view?.model.fill(value);
  }

  #compare(): void {
    const sizes = [...this.#model].map(([name, { size }]) => ({ name, bytes: size }));
    expect(this.#memory.list()).toEqual(sizes);
    for (const { real, model } of this.#views) expect(Buffer.compare(real, model)).toBe(0);
  }
}

function clearGrowth(before: ReadonlyMap<string, Model>, after: ReadonlyMap<string, Model>): void {
  for (const [name, { bytes, size }] of before) {
    bytes.fill(0, size, after.get(name)?.size);
  }
}

const { native } = realOutside;
test.each([
  ['over mappings', native],
  ['where external buffers are not allowed', { ...native, memoryBuffer: () => null }],
])('memory is what a model of it is, %s', (_, shim) => {
  const isMapped = shim === native;
  const property = fc.property(fc.array(life, { maxLength: 8 }), (lives) => {
    const files = openFiles();
    const memory = new NamedMemory('kernel.node', shim);
    const pair = new Pair(memory, isMapped);
    for (const each of lives) pair.live(each);
    const blocks = isMapped ? memory.list().length : 0;
    expect(openFiles() - files).toBe(blocks);
    memory.close();
    expect([openFiles(), memory.list()]).toEqual([files, []]);
  });
  fc.assert(property, { numRuns: RUNS });
});
