// `npm run soak [-- reloads in main, reloads in a Worker]`: an addon of node-addon-api is reloaded through the public API
// again and again, in main and then in a Worker. Prints figures and a verdict; the exit code is 1 when a bound is missed.
import { Worker } from 'node:worker_threads';
import { mallocOfNode, soak } from './soak-thread.mjs';

const inMain = Number(process.argv[2] ?? 100_000);
const inWorker = Number(process.argv[3] ?? 10_000);
const MAPPINGS_GROWTH_MAX = 20;
/** Fewer reloads after the first thousand say nothing of memory: a page of V8's heap, or what it compiled, decides. */
const RELOADS_MEASURED_MIN = { main: 20_000, worker: 5_000 };
/** Node.js itself keeps half of it, for the environment that each load makes. In fewer reloads V8 has not settled. */
const RESIDENT_BYTES_PER_RELOAD_MAX = { main: 1.5 * 1024, worker: 4 * 1024 };
const RELOADS_PER_MINUTE_MIN = 20_000;

/** @param {number} reloads @returns {ReturnType<typeof soak>} */
function soakInWorker(reloads) {
  const file = new URL('./soak-thread.mjs', import.meta.url);
  const worker = new Worker(file, { workerData: { reloads } });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the Worker ended before it was done')));
  });
}

/**
 * @param {'main' | 'worker'} where @param {Awaited<ReturnType<typeof soak>>} figures
 * @returns figures for one line, and the bounds that were missed
 */
function judge(where, { warmReloads, minutes, warm, end, ...counts }) {
  const { reloads, unloaded, stillPinned, leftMapped, keptCalls } = counts;
  const measured = reloads - warmReloads;
  const reloadsPerMinute = Math.round(reloads / minutes);
  const residentBytesPerReload = Math.round((end.residentBytes - warm.residentBytes) / measured);
  const heapBytesPerReload = Math.round((end.heapBytes - warm.heapBytes) / measured);
  const mallocBytesPerReload = Math.round((end.mallocBytes - warm.mallocBytes) / measured);
  const isLong = measured >= RELOADS_MEASURED_MIN[where];
  const bounds = {
    unloaded: unloaded === reloads && stillPinned === 0 && leftMapped === 0,
    revoked: keptCalls.live > 0 && keptCalls.refused > 0,
    mappings: end.mappings - warm.mappings <= MAPPINGS_GROWTH_MAX,
    resident: !isLong || residentBytesPerReload <= RESIDENT_BYTES_PER_RELOAD_MAX[where],
    speed: !isLong || reloadsPerMinute >= RELOADS_PER_MINUTE_MIN,
  };
  const missed = Object.entries(bounds).flatMap(([bound, holds]) => (holds ? [] : [bound]));
  const mappings = { warm: warm.mappings, end: end.mappings };
  const perReload = { residentBytesPerReload, heapBytesPerReload, mallocBytesPerReload };
  return { ...counts, reloadsPerMinute, mappings, ...perReload, missed };
}

const main = judge('main', await soak(inMain));
const worker = judge('worker', await soakInWorker(inWorker));
const verdict = main.missed.length + worker.missed.length > 0 ? 'missed' : 'held';
const mallocBytesOfNode = await mallocOfNode();
console.log(JSON.stringify({ verdict, node: process.version, mallocBytesOfNode, main, worker }));
if (verdict === 'missed') process.exitCode = 1;
