// From a built file to live code: ours, and the least that one can do by hand, in turn.
import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync, readFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { open } from '../../dist/index.js';
import { collect, quantile, round, summarise } from '../measure/statistics.mjs';

/** Loads before the first measured round, so that both ways run compiled code. */
const WARM_UP = 50;

/** @param {{ file: string }} example @param {number} rounds */
export async function measureReloads(example, rounds) {
  const folder = mkdtempSync(path.join(tmpdir(), 'napi-reload-bench-'));
  try {
    return await measureIn(folder, example.file, rounds);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} folder @param {string} built @param {number} rounds */
async function measureIn(folder, built, rounds) {
  const target = path.join(folder, 'kernel.node');
  const bytes = readFileSync(built);
  /** Each build has other bytes, as after an edit: a counter behind the last section. @param {number} round */
  const install = (round) => {
    writeFileSync(`${target}.new`, bytes);
    writeFileSync(`${target}.new`, Buffer.from(String(round).padStart(8, '0')), { flag: 'a' });
    renameSync(`${target}.new`, target);
  };
  install(0);
  const addon = await open(target, { stageDir: path.join(folder, 'stage') });
  const ours = [];
  const whole = [];
  const plain = [];
  /** @type {Record<string, number[]>} */
  const phases = {};
  for (let round = 1; round <= rounds + WARM_UP; round++) {
    install(round);
    const { liveMs, wholeMs } = await timeOurs(addon, phases, round > WARM_UP);
    const plainMs = timePlain(target, path.join(folder, `plain-${round}.node`));
    if (round <= WARM_UP) continue;
    ours.push(liveMs);
    whole.push(wholeMs);
    plain.push(plainMs);
  }
  await addon.close();
  const rounded = (/** @type {Record<string, number>} */ figures) =>
    Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${name} ms`, round(value)]));
  return {
    ours: rounded(summarise(ours)),
    whole: rounded(summarise(whole)),
    plain: rounded(summarise(plain)),
    ratio: round(quantile(ours, 0.5) / quantile(plain, 0.5)),
    pairRatio: round(
      quantile(
        ours.map((value, i) => value / plain[i]),
        0.5,
      ),
    ),
    phasesMs: Object.fromEntries(
      Object.entries(phases).map(([phase, values]) => [phase, round(quantile(values, 0.5))]),
    ),
  };
}

/** @param {import('../../dist/index.js').Addon} addon @param {Record<string, number[]>} phases @param {boolean} counts */
async function timeOurs(addon, phases, counts) {
  const startMs = performance.now();
  const report = await addon.reload();
  const elapsedMs = performance.now() - startMs;
  if (report.status !== 'reloaded') throw new Error('the reload did not happen');
  if (counts) for (const [phase, ms] of Object.entries(report.phasesMs)) collect(phases, phase, ms);
  const retireMs = report.phasesMs.retire ?? 0;
  return { liveMs: elapsedMs - retireMs, wholeMs: elapsedMs };
}

/** @param {string} source @param {string} copy */
function timePlain(source, copy) {
  const startMs = performance.now();
  copyFileSync(source, copy);
  const module = { exports: {} };
  process.dlopen(module, copy, constants.dlopen.RTLD_NOW);
  return performance.now() - startMs;
}
