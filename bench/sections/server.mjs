// What a server under load notices of ten reloads in a second: examples/http-server, run again and again where its kernel
// runs in turn.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { inTurn } from '../measure/order.mjs';
import { collect, ratios, spread } from '../measure/statistics.mjs';

const RUN = path.resolve(import.meta.dirname, '../../examples/http-server/run.mjs');
const PLACES = { inline: 'inline', worker: 'Worker, used again', process: 'process, used again' };
const TIMEOUT_MS = 300_000;

/** @typedef {keyof typeof PLACES} Place */
/** @typedef {{ requests: number, p99Ms: number, maxMs: number }} Load */
/** @typedef {{ without: Load, with: Load, reloadMs: number }} Run */

/** @param {Place} place @param {number} seconds @param {boolean} reloadsFirst @returns {Promise<Run>} */
async function runOnce(place, seconds, reloadsFirst) {
  const args = [RUN, '--json', '--seconds', String(seconds), '--isolation', place];
  if (reloadsFirst) args.push('--reloads-first');
  // It ends with 1 where a request failed or an answer was wrong, and then there is no figure.
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: TIMEOUT_MS });
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '').runs[0];
}

/** @param {readonly Run[]} runs @param {number} seconds */
function figuresOf(runs, seconds) {
  const without = runs.map((run) => run.without.p99Ms);
  const during = runs.map((run) => run.with.p99Ms);
  return {
    perSecond: spread(runs.map((run) => run.without.requests / seconds)),
    perSecondDuring: spread(runs.map((run) => run.with.requests / seconds)),
    withoutMs: spread(without),
    duringMs: spread(during),
    times: ratios(during, without),
    longestMs: spread(runs.map((run) => run.without.maxMs)),
    longestDuringMs: spread(runs.map((run) => run.with.maxMs)),
    reloadMs: spread(runs.map((run) => run.reloadMs)),
  };
}

/** @param {{ short: boolean }} options @returns {Promise<import('../measure/statistics.mjs').Results>} */
export async function measure({ short }) {
  // As many rounds of each order: code that goes on getting faster does so for both.
  const [rounds, seconds] = short ? [2, 1] : [6, 2];
  const places = /** @type {Place[]} */ (Object.keys(PLACES));
  /** @type {Record<string, Run[]>} */
  const runs = {};
  for (let round = 0; round < rounds; round++) {
    for (const place of inTurn(places, round))
      collect(runs, place, await runOnce(place, seconds, round % 2 === 1));
  }
  return {
    subjects: {
      server: {
        title: 'An HTTP server under load, whose kernel is reloaded every 100 ms',
        along: 'where versions run',
        columns: {
          perSecond: { title: 'requests per second, without reloads', unit: 'count' },
          perSecondDuring: { title: 'requests per second, with reloads', unit: 'count' },
          withoutMs: { title: 'p99 without reloads', unit: 'ms' },
          duringMs: { title: 'p99 with reloads', unit: 'ms' },
          times: { title: 'p99, times without', unit: 'times' },
          longestMs: { title: 'longest request without reloads', unit: 'ms' },
          longestDuringMs: { title: 'longest request with reloads', unit: 'ms' },
          reloadMs: { title: 'a reload', unit: 'ms' },
        },
        rows: Object.fromEntries(
          places.map((place) => [PLACES[place], figuresOf(runs[place] ?? [], seconds)]),
        ),
        draws: ['withoutMs', 'duringMs'],
      },
    },
  };
}
