/** The short form of the model that `npm run test:sanitize` runs at length. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const MODEL = fileURLToPath(new URL('../long/ledger-model.mjs', import.meta.url));
const OPERATIONS = 600;
const FIXED_SEED = 20_241_122;
const MAX_MS = 120_000;

test(
  'the ledger equals its model, whatever is done to versions',
  () => {
    const seeds = [FIXED_SEED, Date.now() % 2 ** 31];
    const run = spawnSync(process.execPath, [MODEL, ...[OPERATIONS, ...seeds].map(String)], {
      encoding: 'utf8',
    });
    // Its errors name the seed and the shortest list of operations.
    expect({ status: run.status, signal: run.signal, errors: run.stderr }).toEqual({
      status: 0,
      signal: null,
      errors: '',
    });
    const report: unknown = JSON.parse(run.stdout);
    expect(report).toMatchObject({ seeds, findings: 0 });
  },
  MAX_MS,
);
