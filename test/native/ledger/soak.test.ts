/** The short form of `npm run soak:random`. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SOAK = fileURLToPath(new URL('../../long/ledger-soak.mjs', import.meta.url));
const CYCLES = 300;

test('versions that are used and kept at random are all unloaded in the end', () => {
  const run = spawnSync(process.execPath, [SOAK, String(CYCLES)], { encoding: 'utf8' });
  expect({ status: run.status, signal: run.signal, errors: run.stderr }).toEqual({
    status: 0,
    signal: null,
    errors: '',
  });
  const report: unknown = JSON.parse(run.stdout);
  expect(report).toMatchObject({ cycles: CYCLES, unloaded: CYCLES, mappingsLeft: 0, imagesLeft: 0 });
});
