/** The vector index: its kernel alone, without the library, and the run that edits it under load. */
import { execFile, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildExample } from '../../support/examples.ts';
import { readDocument, ROOT, sectionOf } from '../docs/markdown.ts';

const EXAMPLE = path.join(ROOT, 'examples/vector-index');
const RUN = path.join(EXAMPLE, 'run.mjs');
const RUN_TIMEOUT_MS = 300_000;
const VECTORS = 20_000;
const NEIGHBORS = 10;
const DIMENSIONS = 64;

interface Answer {
  readonly ids: Uint32Array;
  readonly distances: Float32Array;
}
interface Kernel {
  build(vectors: Float32Array): void;
  search(query: Float32Array, count: number): Promise<Answer>;
  describe(): Readonly<Record<string, unknown>>;
}
interface Library {
  makeVectors(count: number): Float32Array;
  makeQueries(count: number): Float32Array;
  searchAll(vectors: Float32Array, queries: Float32Array, count: number): readonly (readonly number[])[];
  recallOf(answer: Answer, nearest: readonly number[]): number;
  faultOf(
    answer: Answer,
    count: number,
    vectors: Float32Array,
    queries: Float32Array,
    query: number,
  ): string | null;
}
interface Figures {
  readonly queries: number;
  readonly acrossReloads: number;
  readonly versions: readonly {
    readonly id: number;
    readonly recall: number;
    readonly queryUs: number;
    readonly reloadMs: number | null;
  }[];
}

/** The example is plain JavaScript; this is the one place that says what it offers. */
async function loadLibrary(): Promise<Library> {
  const files = ['lib/vectors.mjs', 'lib/truth.mjs'];
  const modules = await Promise.all(
    files.map(async (file): Promise<object> => import(pathToFileURL(path.join(EXAMPLE, file)).href)),
  );
  return Object.assign({}, ...modules) as Library;
}

describe('kernel', () => {
  let library: Library;
  let kernel: Kernel;
  let vectors: Float32Array;
  const queries = (): Float32Array => library.makeQueries(20);
  const vector = (of: Float32Array, index: number): Float32Array =>
    of.subarray(index * DIMENSIONS, (index + 1) * DIMENSIONS);

  beforeAll(async () => {
    library = await loadLibrary();
    vectors = library.makeVectors(VECTORS);
    const file = await buildExample('vector_index', path.join(EXAMPLE, 'src'));
    kernel = createRequire(import.meta.url)(file) as Kernel;
  });

  it('takes whole vectors only, and answers nothing before it has some', () => {
    const wanted = /wanted 256 to 131072 vectors of 64 components/;
    expect(() => kernel.build(vectors.subarray(1))).toThrow(wanted);
    expect(() => kernel.build(vectors.subarray(0, 255 * DIMENSIONS))).toThrow(wanted);
    expect(() => Reflect.apply(kernel.build, null, [[1, 2]])).toThrow('wanted a Float32Array');
    expect(() => kernel.search(vector(vectors, 0), NEIGHBORS)).toThrow(RangeError);
    expect(kernel.describe()).toMatchObject({ vectors: 0, builds: 0, answered: 0 });
  });

  it('finds each vector that it has, and most of the nearest ones to others', async () => {
    kernel.build(vectors);
    for (const id of [0, 1_234, VECTORS - 1]) {
      const { ids, distances } = await kernel.search(vector(vectors, id), 1);
      expect([...ids, ...distances]).toEqual([id, 0]);
    }
    const asked = queries();
    const recalls = [];
    for (const [query, nearest] of library.searchAll(vectors, asked, NEIGHBORS).entries()) {
      const answer = await kernel.search(vector(asked, query), NEIGHBORS);
      expect(library.faultOf(answer, NEIGHBORS, vectors, asked, query)).toBeNull();
      recalls.push(library.recallOf(answer, nearest));
    }
    expect(recalls.reduce((sum, recall) => sum + recall) / recalls.length).toBeGreaterThan(0.9);
    expect(kernel.describe()).toMatchObject({ vectors: VECTORS, builds: 1, answered: 23 });
  });

  it('keeps the index that it has', () => {
    const before = kernel.describe();
    expect(() => kernel.build(vectors)).toThrow('there is an index');
    expect(kernel.describe()).toEqual(before);
  });
});

describe('faultOf', () => {
  it('finds an answer that is short, repeats, errs or is out of order', async () => {
    const { makeVectors, faultOf } = await loadLibrary();
    const vectors = makeVectors(3);
    const distance = (id: number): number =>
      vectors
        .subarray(0, DIMENSIONS)
        .reduce((sum, x, i) => sum + (x - (vectors[id * DIMENSIONS + i] ?? Number.NaN)) ** 2, 0);
    const order = [1, 2].sort((a, b) => distance(a) - distance(b));
    const check = (ids: readonly number[], distances = ids.map(distance)): string | null =>
      faultOf(
        { ids: Uint32Array.from(ids), distances: Float32Array.from(distances) },
        3,
        vectors,
        vectors,
        0,
      );
    expect(check([0, ...order])).toBeNull();
    expect(check([0, 1])).toBe('found 2 vectors, wanted 3');
    expect(check([0, 1, 1])).toBe('a vector is named twice');
    expect(check([0, ...order.toReversed()])).toContain('is out of order');
    expect(check([0, ...order], [0, 0, 0])).toContain('not 0');
  });
});

describe('the run', () => {
  // It imports what is compiled. Whoever runs this file alone may have changed src/ since.
  beforeAll(() => {
    const { status, stderr } = spawnSync(process.execPath, [path.join(ROOT, '.ci/setup.mjs')], {
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
  });

  it('refuses arguments that it does not know', () => {
    const run = (...args: string[]): readonly unknown[] => {
      const { status, stderr } = spawnSync(process.execPath, [RUN, ...args], { encoding: 'utf8' });
      return [status, stderr.trim()];
    };
    expect(run('--vectors', '255')).toEqual([2, 'Cannot make "255" vectors: wanted 256 to 131072']);
    expect(run('--speed')).toEqual([2, expect.stringContaining("'--speed'")]);
  });

  it(
    'loses no query, keeps the index, and prints what the page shows',
    async () => {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [RUN, '--json'], { cwd: ROOT });
      const figures = JSON.parse(stdout) as Figures;
      expect(figures).toMatchObject({
        vectors: 100_000,
        failedQueries: 0,
        rebuilds: 0,
        addressesEqual: true,
        checksumEqual: true,
        sameAnswers: true,
        refused: ['ERR_BUILD_FAILED', 'ERR_HOOK_THREW'],
        versions: [{ id: 1, reloadMs: null }, { id: 2 }, { id: 4 }],
        unloaded: 3,
      });
      expect(figures.queries).toBeGreaterThan(600);
      expect(figures.acrossReloads).toBeGreaterThan(0);
      for (const { recall, queryUs } of figures.versions) {
        expect(recall).toBeGreaterThanOrEqual(0.9);
        expect(queryUs).toBeGreaterThan(0);
      }
      for (const { reloadMs } of figures.versions.slice(1)) expect(reloadMs).toBeGreaterThan(0);

      const [shown] = sectionOf(
        readDocument('docs/memory.md'),
        'An index that is edited while it serves',
      ).blocks;
      const printed = linesOf(stderr);
      const wanted = linesOf(shown?.text ?? '');
      expect(wanted.length).toBeGreaterThan(15);
      expect(printed.filter((line) => wanted.includes(line))).toEqual(wanted);
    },
    RUN_TIMEOUT_MS,
  );
});

/** Without what differs from run to run: times, counts of queries, and what was there to begin with. */
function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) =>
      line
        .replace(/[\d.,]+ (?:s|ms|µs)\b/g, 'a time')
        .replace(/[\d,]+ (queries|of them)\b/g, '# $1')
        .replace(', from the objects of the last run', ''),
    );
}
