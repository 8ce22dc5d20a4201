/** The short form of `npm run test:mutations`. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { runMutations } from '../long/mutations.mjs';
import { compiledSource } from '../support/compiled.ts';

const MUTATIONS = 200;
const FIXED_SEED = 20_241_122;

test('a process that opens addons whose headers and tables were changed goes on', async () => {
  const library = path.join(compiledSource(), 'index.js');
  const { findings, outcomes } = await runMutations(MUTATIONS, FIXED_SEED, library);
  expect(findings).toEqual([]);
  expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(MUTATIONS);
  for (const wanted of ['loaded', 'ERR_NOT_AN_ADDON', 'ERR_LOAD_FAILED', 'ERR_STAGE_INCOMPLETE']) {
    expect(outcomes).toHaveProperty(wanted);
  }
});
