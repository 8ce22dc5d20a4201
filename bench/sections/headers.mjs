// What the headers for addon authors add to a compilation: each beside what it includes anyway, turn by turn.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { include } from '../../dist/headers.js';
import { quantile, round } from '../measure/statistics.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const folders = [
  include,
  path.resolve(path.dirname(realpathSync(process.execPath)), '../include/node'),
  path.join(root, 'node_modules/node-addon-api'),
];

/** Where `gcc` is ccache, that is not what is measured. */
const env = { ...process.env, CCACHE_DISABLE: '1' };

const HEADERS = [
  { header: 'napi_reload.h', base: 'node_api.h', compiler: 'gcc', standard: 'c99', suffix: 'c' },
  { header: 'napi_reload.hpp', base: 'napi.h', compiler: 'g++', standard: 'c++17', suffix: 'cc' },
];

/** @param {number} rounds @returns {Record<string, { baseMs: number, withMs: number, addedMs: number }>} medians */
export function measureHeaders(rounds) {
  const scratch = mkdtempSync(path.join(tmpdir(), 'napi-reload-bench-'));
  try {
    return Object.fromEntries(HEADERS.map((of) => [of.header, measure(of, scratch, rounds)]));
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** @param {(typeof HEADERS)[number]} of @param {string} scratch @param {number} rounds */
function measure({ header, base, compiler, standard, suffix }, scratch, rounds) {
  /** @param {string} name */
  const timeOf = (name) => {
    const source = path.join(scratch, `include.${suffix}`);
    writeFileSync(source, `#include <${name}>\n`);
    const flags = ['-fsyntax-only', `-std=${standard}`, ...folders.map((folder) => `-I${folder}`)];
    const startMs = performance.now();
    const { status, stderr } = spawnSync(compiler, [...flags, source], { encoding: 'utf8', env });
    const tookMs = performance.now() - startMs;
    if (status !== 0) throw new Error(`${compiler} failed: ${stderr}`);
    return tookMs;
  };
  timeOf(header);
  /** @type {number[]} */ const before = [];
  /** @type {number[]} */ const after = [];
  for (let number = 0; number < rounds; number++) {
    before.push(timeOf(base));
    after.push(timeOf(header));
  }
  const [baseMs, withMs] = [quantile(before, 0.5), quantile(after, 0.5)];
  // Pair by pair: a drift of the machine's speed is in both.
  const added = after.map((ms, index) => ms - (before[index] ?? Number.NaN));
  return { baseMs: round(baseMs), withMs: round(withMs), addedMs: round(quantile(added, 0.5)) };
}
