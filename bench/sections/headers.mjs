// What the headers for addon authors add to a compilation: each beside what it includes anyway, in turns.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { include } from '../../dist/headers.js';
import { versionOf } from '../measure/machine.mjs';
import { hasHeaders, nodeHeaders } from '../measure/node.mjs';
import { inTurn } from '../measure/order.mjs';
import { inScratch } from '../measure/scratch.mjs';
import { spread, spreadWithLeast } from '../measure/statistics.mjs';

const TIMEOUT_MS = 60_000;
const ROUNDS = 21;
const ROUNDS_SHORT = 2;

const folders = [
  include,
  nodeHeaders,
  path.dirname(createRequire(import.meta.url).resolve('node-addon-api')),
];

/** Where `gcc` is ccache, that is not what is measured. */
const env = { ...process.env, CCACHE_DISABLE: '1' };

const HEADERS = [
  { header: 'napi_reload.h', base: 'node_api.h', compiler: 'gcc', standard: 'c99', suffix: 'c' },
  { header: 'napi_reload.hpp', base: 'napi.h', compiler: 'g++', standard: 'c++17', suffix: 'cc' },
];

/** @typedef {import('../measure/statistics.mjs').Figure} Figure */

/** @param {{ short: boolean }} how @returns {Promise<import('../measure/statistics.mjs').Results>} */
export async function measure({ short }) {
  /** @type {Record<string, Record<string, Figure>>} */
  const rows = {};
  /** @type {Record<string, string>} */
  const absent = {};
  for (const of of HEADERS) {
    const reason = reasonAgainst(of.compiler);
    if (reason !== null) absent[of.header] = reason;
    else
      rows[of.header] = await inScratch((scratch) =>
        measureHeader(of, scratch, short ? ROUNDS_SHORT : ROUNDS),
      );
  }
  return {
    subjects: {
      headers: {
        title: 'A syntax check of a file that includes a header of napi-reload',
        along: 'header',
        columns: {
          base: { title: 'with node_api.h, or napi.h for C++, alone', unit: 'ms' },
          with: { title: 'with the header, which includes that', unit: 'ms' },
          added: { title: 'added by the header', unit: 'ms' },
        },
        rows,
        draws: [],
        absent,
      },
    },
  };
}

/** @param {string} compiler @returns {string | null} why nothing can be measured with it */
function reasonAgainst(compiler) {
  if (versionOf(compiler) === null) return `${compiler} is not installed`;
  return hasHeaders ? null : 'this Node.js came without its headers';
}

/** @param {(typeof HEADERS)[number]} of @param {string} scratch @param {number} rounds @returns {Promise<Record<string, Figure>>} */
async function measureHeader({ header, base, compiler, standard, suffix }, scratch, rounds) {
  const sourceOf = (/** @type {string} */ name) => path.join(scratch, `${name}.${suffix}`);
  for (const name of [base, header]) writeFileSync(sourceOf(name), `#include <${name}>\n`);
  /** @param {string} name */
  const timeOf = (name) => {
    const flags = ['-fsyntax-only', `-std=${standard}`, ...folders.map((folder) => `-I${folder}`)];
    const startMs = performance.now();
    const { status, error, stderr } = spawnSync(compiler, [...flags, sourceOf(name)], {
      encoding: 'utf8',
      env,
      timeout: TIMEOUT_MS,
    });
    const tookMs = performance.now() - startMs;
    if (status !== 0) throw new Error(`${compiler} of ${name} failed: ${error?.message ?? stderr}`);
    return tookMs;
  };
  /** @type {Record<string, number[]>} */
  const ms = { [base]: [], [header]: [] };
  // The first round reads the files from the disk, and is not counted.
  for (let round = -1; round < rounds; round++)
    for (const name of inTurn([base, header], round)) {
      const tookMs = timeOf(name);
      if (round >= 0) ms[name]?.push(tookMs);
    }
  const [before = [], after = []] = [ms[base], ms[header]];
  return {
    base: spreadWithLeast(before),
    with: spreadWithLeast(after),
    // Pair by pair: a drift of the machine's speed is in both.
    added: spread(after.map((tookMs, round) => tookMs - (before[round] ?? Number.NaN))),
  };
}
