import fs from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SourcePath } from '../../../src/brands.ts';
import type { Builder } from '../../../src/build/builder.ts';
import { createBuilder } from '../../../src/build/create-builder.ts';
import { isBuiltHere, noteProducts } from '../../../src/build/turns.ts';
import { isReloadError } from '../../../src/errors.ts';
import { realOutside } from '../../../src/outside.ts';
import { createScratch, type Scratch } from '../../support/addons.ts';

let scratch: Scratch;
let source: SourcePath;

beforeEach(() => {
  scratch = createScratch();
  scratch.write('project/package.json', '{}');
  source = scratch.file('project/out/kernel.node') as SourcePath;
  fs.mkdirSync(scratch.file('project/out'));
  fs.symlinkSync('project', scratch.file('link'));
});

afterEach(() => scratch[Symbol.dispose]());

/** Fails when another one of them runs in the folder. */
const SCRIPT =
  'mkdir lock || exit 1; echo "[1/1] begun"; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; : > out/kernel.node; rmdir lock';

async function builder(folder: string): Promise<Builder> {
  const cwd = scratch.file(folder);
  const made = await createBuilder(
    { kind: 'command', command: 'sh', args: ['-c', SCRIPT], cwd, env: {} },
    source,
    realOutside,
  );
  if (made === null) throw new Error('no builder');
  return made;
}

const run = (made: Builder, signal: AbortSignal, onBegun = (): void => {}) =>
  made.build({ signal, timeoutMs: 60_000, onProgress: onBegun });

test('builds of one folder run one after the other, by whatever name they know it', async () => {
  const { signal } = new AbortController();
  const made = [await builder('project'), await builder('link'), await builder('project')];
  await Promise.all(made.map((one) => run(one, signal)));
  expect(fs.existsSync(source)).toBe(true);
});

test('a build that waits for its turn ends at once when it is aborted, and holds up no other', async () => {
  const { signal } = new AbortController();
  const [first, second, third] = [
    await builder('project'),
    await builder('project'),
    await builder('project'),
  ];
  const abort = new AbortController();
  const ended: string[] = [];
  const waits = (): void => void abort.abort();
  const results = await Promise.all([
    run(first, signal, waits).then(() => ended.push('first')),
    run(second, abort.signal).catch((error: unknown) =>
      ended.push(isReloadError(error) ? error.code : 'other'),
    ),
    run(third, signal).then(() => ended.push('third')),
  ]);
  expect(results.length).toBe(3);
  expect(ended).toEqual(['ERR_ABORTED', 'first', 'third']);
});

test('an addon and its products are built here until somebody else writes them', async () => {
  const library = scratch.write('project/libcore.so', 'bytes');
  const isBuilt = (folder: string, file: string) =>
    isBuiltHere(scratch.file(folder), source, file, realOutside);
  expect(await isBuilt('project', source)).toBe(false);
  noteProducts(scratch.file('link'), source, [library]);
  await run(await builder('project'), new AbortController().signal);
  expect(await isBuilt('link', source)).toBe(true);
  expect(await isBuilt('project', library)).toBe(true);
  expect(await isBuilt('project', scratch.file('project/libother.so'))).toBe(false);
  fs.writeFileSync(source, 'other bytes');
  fs.writeFileSync(library, 'other bytes');
  expect(await isBuilt('project', source)).toBe(false);
  expect(await isBuilt('project', library)).toBe(false);
});
