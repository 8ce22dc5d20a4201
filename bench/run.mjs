// `npm run bench`: what a reload, a call, a Worker or process for each version and an include of the headers cost, each
// beside its plain alternative in the same run, and how that grows.
// `--json` prints one JSON line last, `--json FILE` writes a file instead; `--short` takes few rounds, to show that it runs.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CALL_VARIANTS } from './call-variants.mjs';
import { measureCycle } from './cycle.mjs';
import { buildExample, buildMinimal } from './fixtures.mjs';
import { measureGrowth } from './growth.mjs';
import { measureHeaders } from './headers.mjs';
import { measureHosts } from './hosts.mjs';
import { describeMachine } from './machine.mjs';
import { measureMemory } from './memory.mjs';
import { measureReloads } from './reload.mjs';
import { collect, quantile, round } from './statistics.mjs';
import { measureWays } from './ways.mjs';

const KIB = 1024;
const MIB = 1024 * KIB;
const jsonAt = process.argv.indexOf('--json');
const json = jsonAt !== -1;
const jsonFile = json ? process.argv[jsonAt + 1] : undefined;
const quick = process.argv.includes('--short');
const reloads = quick ? 20 : 200;
const memoryReloads = quick ? 5 : 50;
const callRepeats = quick ? 1 : 5;
const includes = quick ? 1 : 21;
const hostRounds = quick ? { calls: 250, arrays: 2, reloads: 2 } : { calls: 20_000, arrays: 15, reloads: 30 };
const wayRounds = quick
  ? { rounds: 1, rivalRounds: 5, weighed: 20 }
  : { rounds: 30, rivalRounds: 200, weighed: 3_000 };
const growth = quick
  ? { bytes: [KIB, MIB], functions: [1, 10], pinned: [0, 2], rounds: 1 }
  : {
      bytes: [KIB, 64 * KIB, MIB, 8 * MIB, 64 * MIB],
      functions: [1, 10, 100, 1_000, 4_000],
      pinned: [0, 10, 100, 1_000, 3_000],
      rounds: 15,
    };
const stateBytes = quick ? [] : [MIB, 64 * MIB];

const machine = describeMachine();
const ways = await measureWays(wayRounds);
const example = buildExample();
const reload = await measureReloads(example, reloads);
const cycle = measureCycle(example.file, reloads);
const memory = await measureMemory(memoryReloads, stateBytes);
const grown = await measureGrowth(growth);
const hosts = await measureHosts(hostRounds);

/** @param {number} count */
function measureInstances(count) {
  const script = fileURLToPath(new URL('./instances.mjs', import.meta.url));
  const child = spawnSync(process.execPath, [script, String(count)], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(`benchmark of ${count} instances failed: ${child.stderr}`);
  return JSON.parse(child.stdout);
}
const instances = Object.fromEntries(
  (quick ? [10, 1_000] : [10, 1_000, 100_000, 1_000_000]).map((count) => [count, measureInstances(count)]),
);

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
/** @type {Record<string, Record<'before' | 'after', { addNs: number, noopNs: number }>[]>} */
const samples = {};
// Variants take turns, so that a drift of the machine's speed falls on all of them.
for (let round = 0; round < callRepeats; round++) {
  for (const variant of CALL_VARIANTS) collect(samples, variant, measureCalls(variant));
}
/** @param {string} variant @param {'before' | 'after'} when @param {'addNs' | 'noopNs'} what */
const median = (variant, when, what) =>
  quantile(
    (samples[variant] ?? []).map((sample) => sample[when][what]),
    0.5,
  );
/** @param {string} variant @param {'before' | 'after'} when */
const callFigures = (variant, when) => ({
  addNs: round(median(variant, when, 'addNs')),
  noopNs: round(median(variant, when, 'noopNs')),
  addTimesDirect: round(median(variant, when, 'addNs') / median('direct', when, 'addNs')),
  noopTimesDirect: round(median(variant, when, 'noopNs') / median('direct', when, 'noopNs')),
});
const calls = Object.fromEntries(
  CALL_VARIANTS.map((variant) => [
    variant,
    { before: callFigures(variant, 'before'), after: callFigures(variant, 'after') },
  ]),
);

console.log(`Node.js ${process.version}, ${process.platform} ${process.arch}\n`);
console.log('From a built file to the first result of its code, ms, beside other ways:');
console.table(ways.ms);
console.log('\nWhat each reload leaves in its process:');
console.table(ways.left);
for (const [title, table] of [
  ['bytes of the image', grown.byBytes],
  ['exported functions', grown.byFunctions],
  ['versions that stay in memory', grown.byPinned],
]) {
  console.log(`\nMedian ms of a reload by ${title}:`);
  console.table(
    Object.fromEntries(
      Object.entries(table).map(([point, by]) => [
        point,
        Object.fromEntries(Object.entries(by).map(([way, { median }]) => [way, median])),
      ]),
    ),
  );
}
console.log(`\nFrom built file to live, example kernel (${example.bytes} bytes), ${reloads} reloads:`);
console.table({
  'napi-reload': reload.ours,
  'the same with the unload of the old version': reload.whole,
  'plain copy + process.dlopen, never unloaded': reload.plain,
});
console.log(`ratio of the medians ${reload.ratio}, median of the ratios pair by pair ${reload.pairRatio}`);
console.log('\nStages of those reloads, medians in ms:');
console.table(reload.phasesMs);
console.log('\nThe parts of a cycle, each by itself, medians in ms:');
console.table(cycle);
console.log(`\nWith memory that stays, ms of ${memory.reloads} reloads by its bytes:`);
console.table(memory.ms);
console.log(
  `${memory.moreMs} ms more; addresses ${memory.isAddressEqual ? 'equal' : 'DIFFER'}, checksums ${memory.isChecksumEqual ? 'equal' : 'DIFFER'}`,
);
console.log('\nLive instances of a class that move in a reload, by their number, medians:');
console.table(instances);
console.log('\nWhere versions run: the round trip of a small call that is awaited:');
console.table(hosts.callUs);
console.log('\nA sum over 64 MiB of numbers: the first call, and the median of later ones:');
console.table(hosts.arrays);
console.log(
  `\nFrom built file to live, the next host started ahead, medians of ${hostRounds.reloads} reloads:`,
);
console.table(hosts.reloadMs);
console.log('\nA reload that is rehearsed in a process which was started ahead, medians in ms:');
console.table(hosts.rehearseMs);
console.log('\nResident memory of one host more, MiB:');
console.table(hosts.hostMiB);
for (const when of /** @type {const} */ (['before', 'after'])) {
  console.log(`\nOne call ${when === 'before' ? 'before a reload' : 'after ten reloads'}, ns:`);
  console.table(Object.fromEntries(Object.entries(calls).map(([variant, of]) => [variant, of[when]])));
}
const headers = measureHeaders(includes);
console.log('\nAn include of the headers, medians in ms of a syntax check, beside what they include anyway:');
console.table(headers);

/** By the benchmark of the builders, a process for itself. */
function measureBuilders() {
  const script = fileURLToPath(new URL('./builders.mjs', import.meta.url));
  const child = spawnSync(process.execPath, [script, '--json'], {
    encoding: 'utf8',
  });
  if (child.status !== 0) throw new Error(`benchmark of builders failed: ${child.stderr}`);
  console.log(child.stdout.slice(0, child.stdout.lastIndexOf('\n{')));
  return JSON.parse(child.stdout.trimEnd().split('\n').at(-1) ?? '');
}
// It has a short form of its own.
const builders = quick ? null : measureBuilders();

const report = {
  machine,
  ways,
  reload,
  cycle,
  growth: grown,
  instances,
  memory,
  hosts,
  calls,
  headers,
  builders,
};
if (jsonFile !== undefined && !jsonFile.startsWith('--')) {
  writeFileSync(jsonFile, `${JSON.stringify(report, null, 2)}\n`);
} else if (json) console.log(JSON.stringify(report));
