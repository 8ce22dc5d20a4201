/** The example kernel alone, without the library: its figures, its state and the edits that the tour makes to it. */
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildExample } from '../../support/examples.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const EXAMPLE = path.join(ROOT, 'examples/stream-stats');
const BUILD_TIMEOUT_MS = 120_000;

interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}
interface Figures {
  readonly [name: string]: number;
}
interface Kernel {
  push(batch: Float64Array): number;
  summary(): Figures;
  groups(): readonly Figures[];
  readonly napiReload: {
    readonly schema: number;
    init(context: { readonly state: unknown }): void;
    save(): Readonly<Record<string, Float64Array>>;
    dispose(): void;
  };
}
interface Flights {
  readonly rows: number;
  readonly cells: Float64Array;
}
interface Reference {
  readonly summary: Figures;
  readonly groups: readonly Figures[];
}
interface Example {
  readonly addSpread: readonly Edit[];
  readonly forgetParenthesis: readonly Edit[];
  readonly forgetSquare: readonly Edit[];
  applyEdits(root: string, edits: readonly Edit[]): void;
  reversed(edits: readonly Edit[]): readonly Edit[];
  readonly migrate: {
    readonly 1: Record<'up' | 'down', (state: unknown) => unknown>;
  };
  readFlights(): Promise<Flights>;
  computeReference(flights: Flights, rows: number): Reference;
  differences(found: Reference, reference: Reference): readonly string[];
}

/** The example is plain JavaScript; this is the one place that says what it offers. */
async function loadExample(): Promise<Example> {
  const files = ['../lib/edits.mjs', 'edits.mjs', 'migrate.mjs', 'lib/flights.mjs', 'lib/reference.mjs'];
  const modules = await Promise.all(
    files.map(async (file): Promise<object> => import(pathToFileURL(path.join(EXAMPLE, file)).href)),
  );
  return Object.assign({}, ...modules) as Example;
}

let scratch: string;
let example: Example;
let flights: Flights;
let first: Kernel;
let second: Kernel;

async function copyOfSource(): Promise<string> {
  const root = await mkdtemp(path.join(scratch, 'copy-'));
  await cp(path.join(EXAMPLE, 'src'), path.join(root, 'src'), { recursive: true });
  return root;
}

async function textOf(root: string, file: string): Promise<string> {
  return readFile(path.join(root, file), 'utf8');
}

function figuresOf(kernel: Kernel): Reference {
  return { summary: kernel.summary(), groups: kernel.groups() };
}

function rowsOf(from: number, to: number): Float64Array {
  return flights.cells.subarray(from * 2, to * 2);
}

beforeAll(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), 'stream-stats-'));
  example = await loadExample();
  flights = await example.readFlights();
  const edited = await copyOfSource();
  example.applyEdits(edited, example.addSpread);
  const built = await Promise.all(
    [EXAMPLE, edited].map((folder) => buildExample('stream_stats', path.join(folder, 'src'))),
  );
  const require = createRequire(import.meta.url);
  [first, second] = built.map((file) => require(file) as Kernel) as [Kernel, Kernel];
}, BUILD_TIMEOUT_MS);

afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
});

function reset(): void {
  first.napiReload.dispose();
  second.napiReload.dispose();
}

describe('edits', () => {
  it('each apply to the source that the tour has when it makes them, and back', async () => {
    const root = await copyOfSource();
    const { addSpread, forgetParenthesis, forgetSquare, applyEdits, reversed } = example;
    const files = [...new Set(addSpread.map(({ file }) => file))];
    const read = async (): Promise<string[]> => Promise.all(files.map(async (file) => textOf(root, file)));
    const original = await read();
    applyEdits(root, addSpread);
    const withSpread = await read();
    applyEdits(root, forgetParenthesis);
    applyEdits(root, [...reversed(forgetParenthesis), ...forgetSquare]);
    applyEdits(root, reversed(forgetSquare));
    expect(await read()).toEqual(withSpread);
    applyEdits(root, reversed(addSpread));
    expect(await read()).toEqual(original);
  });

  it('change no file when one of them does not match', async () => {
    const root = await copyOfSource();
    const before = await textOf(root, 'src/addon.cc');
    const edits = [
      { file: 'src/addon.cc', find: 'kSchema = 1;', replace: 'kSchema = 9;' },
      { file: 'src/state.h', find: 'not in there', replace: '' },
    ];
    expect(() => example.applyEdits(root, edits)).toThrow('found "not in there" 0 times, wanted it once');
    expect(await textOf(root, 'src/addon.cc')).toBe(before);
  });
});

describe('kernel', () => {
  it('agrees with plain JavaScript in version 1 over the whole data set', () => {
    reset();
    expect(first.push(flights.cells)).toBe(flights.rows);
    expect(example.differences(figuresOf(first), example.computeReference(flights, flights.rows))).toEqual(
      [],
    );
    expect(Object.keys(first.summary())).toEqual(['count', 'mean', 'min', 'max', 'median']);
  });

  it('agrees with plain JavaScript in version 2, also about rows that version 1 counted', () => {
    reset();
    const half = 101_234;
    first.push(rowsOf(0, half));
    second.napiReload.init({ state: example.migrate[1].up(first.napiReload.save()) });
    expect(example.differences(figuresOf(second), example.computeReference(flights, half))).toEqual([]);
    second.push(rowsOf(half, flights.rows));
    const reference = example.computeReference(flights, flights.rows);
    expect(example.differences(figuresOf(second), reference)).toEqual([]);
    expect(Object.keys(second.summary())).toEqual(Object.keys(reference.summary));
  });

  it('takes nothing of a batch in which one cell is no whole number', () => {
    reset();
    expect(() => first.push(Float64Array.of(5, 1, Number.NaN, 2))).toThrow(RangeError);
    expect(() => first.push(Float64Array.of(5, 1, 2))).toThrow('pairs of delay and hour');
    expect(() => Reflect.apply(first.push, null, [[5, 1]])).toThrow(TypeError);
    expect(first.summary()).toEqual({ count: 0 });
  });
});

describe('state', () => {
  it('comes back whole from what save() returned, in both versions', () => {
    for (const kernel of [first, second]) {
      reset();
      kernel.push(rowsOf(0, 50_000));
      const before = figuresOf(kernel);
      const state = kernel.napiReload.save();
      kernel.napiReload.dispose();
      expect(kernel.summary()).toEqual({ count: 0 });
      kernel.napiReload.init({ state });
      expect(figuresOf(kernel)).toEqual(before);
      expect(kernel.napiReload.save()).toEqual(state);
    }
  });

  it('is a copy: what save() returned stays as it was when more rows come', () => {
    reset();
    first.push(rowsOf(0, 1_000));
    const state = first.napiReload.save();
    const before = structuredClone(state);
    first.push(rowsOf(1_000, 2_000));
    expect(state).toEqual(before);
    expect(first.summary()['count']).toBe(2_000);
  });

  it('is the same in version 2 whether its rows were counted there or carried over', () => {
    reset();
    first.push(flights.cells);
    second.push(flights.cells);
    const migrated = example.migrate[1].up(first.napiReload.save());
    expect(migrated).toEqual(second.napiReload.save());
    expect(example.migrate[1].down(migrated)).toEqual(first.napiReload.save());
  });

  it('of another layout is refused, and the kernel keeps its own', () => {
    reset();
    second.push(rowsOf(0, 1_000));
    const ofFirst = first.napiReload.save();
    expect(() => second.napiReload.init({ state: ofFirst })).toThrow('no column "sumsOfSquares"');
    const state = second.napiReload.save();
    for (const end of [0, 1_000_000]) {
      const binEnds = state['binEnds']?.map(() => end);
      expect(() => second.napiReload.init({ state: { ...state, binEnds } })).toThrow(RangeError);
    }
    expect(second.summary()['count']).toBe(1_000);
  });
});
