// `npm run bench`: what a reload and a call cost, each beside its plain alternative in the same run.
// `--json` prints one JSON line last; `--quick` takes fewer rounds, to show that it runs.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CALL_VARIANTS } from './call-variants.mjs';
import { buildExample, buildMinimal } from './fixtures.mjs';
import { measureReloads } from './reload.mjs';
import { collect, quantile, round } from './statistics.mjs';

const json = process.argv.includes('--json');
const quick = process.argv.includes('--quick');
const reloads = quick ? 20 : 200;
const callRepeats = quick ? 1 : 3;

const example = buildExample();
const reload = await measureReloads(example, reloads);

const minimal = buildMinimal();
/** @param {string} variant */
function measureCalls(variant) {
  const child = spawnSync(
    process.execPath,
    [
      fileURLToPath(new URL('./call.mjs', import.meta.url)),
      variant,
      JSON.stringify(minimal),
      quick ? '200000' : '5000000',
    ],
    { encoding: 'utf8' },
  );
  if (child.status !== 0) throw new Error(`call benchmark "${variant}" failed: ${child.stderr}`);
  return JSON.parse(child.stdout);
}
/** @type {Record<string, { addNs: number, noopNs: number }[]>} */
const samples = {};
// Variants take turns, so that a drift of the machine's speed falls on all of them.
for (let round = 0; round < callRepeats; round++) {
  for (const variant of CALL_VARIANTS) collect(samples, variant, measureCalls(variant));
}
const calls = Object.fromEntries(
  Object.entries(samples).map(([variant, runs]) => [
    variant,
    {
      addNs: round(
        quantile(
          runs.map((r) => r.addNs),
          0.5,
        ),
      ),
      noopNs: round(
        quantile(
          runs.map((r) => r.noopNs),
          0.5,
        ),
      ),
    },
  ]),
);

console.log(`Node.js ${process.version}, ${process.platform} ${process.arch}\n`);
console.log(`From built file to live, example kernel (${example.bytes} bytes), ${reloads} reloads:`);
console.table({
  'napi-reload': reload.ours,
  'the same with the unload of the old version': reload.whole,
  'plain copy + process.dlopen, never unloaded': reload.plain,
});
console.log(`ratio of the medians ${reload.ratio}, median of the ratios pair by pair ${reload.pairRatio}`);
console.log('\nStages of those reloads, medians in ms:');
console.table(reload.phasesMs);
console.log('\nOne call after ten reloads, ns:');
console.table(calls);
if (json) console.log(JSON.stringify({ reload, calls }));
