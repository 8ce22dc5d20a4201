/** Random versions one after another: the facade always equals a plain object of the live version, and nothing moves. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstVersion } from './support.ts';

const RUNS = 150;

type Model = { readonly [name: string]: Leaf | Model };
type Leaf = 'function' | 'class' | number;

const names = fc.constantFrom('a', 'b', 'c');
const leaf = fc.oneof(fc.constantFrom('function' as const, 'class' as const), fc.nat(3));
const model: fc.Arbitrary<Model> = fc.letrec<{ tree: Model }>((tie) => ({
  tree: fc.dictionary(names, fc.oneof({ depthSize: 'small' }, leaf, tie('tree')), { maxKeys: 3 }),
})).tree;

function versioned(version: number): object {
  return class {
    readonly #version = version;
    which(): number {
      return this.#version === version ? version : -1;
    }
  };
}

function rawOf(tree: Model, version: number): object {
  const entry = (value: Leaf | Model): unknown => {
    if (value === 'function') return () => version;
    if (value === 'class') return versioned(version);
    return typeof value === 'number' ? value : rawOf(value, version);
  };
  return Object.fromEntries(Object.entries(tree).map(([name, value]) => [name, entry(value)]));
}

interface Instance {
  which(): number;
}
/** What was seen so far. */
interface Memory {
  readonly identities: Map<string, unknown>;
  readonly instances: [Instance, number][];
}

function compare(facade: unknown, tree: Model, version: number, path: string, memory: Memory): void {
  const object = facade as Record<string, unknown>;
  expect(Object.keys(object).sort()).toEqual(Object.keys(tree).sort());
  for (const [name, wanted] of Object.entries(tree)) {
    const value = object[name];
    if (typeof wanted === 'number') {
      expect(value).toBe(wanted);
      continue;
    }
    const kind = typeof wanted === 'object' ? 'object' : wanted;
    const key = `${path}.${name}:${kind}`;
    if (memory.identities.has(key)) expect(value).toBe(memory.identities.get(key));
    memory.identities.set(key, value);
    if (wanted === 'function') expect((value as () => number)()).toBe(version);
    else if (wanted === 'class') memory.instances.push([new (value as new () => Instance)(), version]);
    else compare(value, wanted, version, `${path}.${name}`, memory);
  }
}

test('the facade equals the live version and keeps every identity and instance, whatever versions follow each other', () => {
  fc.assert(
    fc.property(fc.array(model, { minLength: 1, maxLength: 6 }), (versions) => {
      const { exports, reload } = firstVersion<object>({});
      const memory: Memory = { identities: new Map(), instances: [] };
      versions.forEach((tree, index) => {
        reload(rawOf(tree, index));
        compare(exports, tree, index, '', memory);
        for (const [instance, made] of memory.instances) expect(instance.which()).toBe(made);
      });
    }),
    { numRuns: RUNS },
  );
});
