// What it costs that versions run in a Worker or in a process, beside the same inline, in the same run. They take turns, so
// that a drift of the machine's speed falls on all of them.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { open } from '../../dist/index.js';
import { buildHosts, installer } from '../measure/fixtures.mjs';
import { quantile, round } from '../measure/statistics.mjs';

const ISOLATIONS = /** @type {const} */ (['inline', 'worker', 'process']);
const CALLS_WARM_UP = 1_000;
const CALLS_IN_TURN = 250;
const ARRAY_BYTES = 64 * 2 ** 20;
const RELOADS_WARM_UP = 3;
/** In which the host for the next reload starts. Nothing tells that it has. */
const SPARE_MS = 500;
const HOSTS_FOR_MEMORY = 4;
const PAGE_BYTES = 4096;

/** @typedef {(typeof ISOLATIONS)[number]} Isolation */
/** @typedef {{ add(a: number, b: number): number, sum(values: Float64Array): number, pid(): number }} Kernel */
/** @typedef {import('../../dist/index.js').Addon<import('../../dist/index.js').Remote<Kernel>>} Remote */

/** @param {{ calls: number, arrays: number, reloads: number }} rounds */
export async function measureHosts({ calls, arrays, reloads }) {
  const built = buildHosts();
  return {
    callUs: await inFolder(built, (openIn) => measureCalls(openIn, calls)),
    arrays: await inFolder(built, (openIn) => measureArrays(openIn, arrays)),
    reloadMs: await inFolder(built, (openIn, install) => measureReloads(openIn, install, reloads)),
    rehearseMs: await inFolder(built, (openIn, install) => measureRehearsals(openIn, install, reloads)),
    hostMiB: {
      worker: await measureHostMemory(built, 'worker'),
      process: await measureHostMemory(built, 'process'),
    },
  };
}

/**
 * Gives a folder with the addon, a way to open it there, and one to put other bytes in its place, as after an edit.
 *
 * @template T
 * @param {string} built
 * @param {(openIn: (isolation: Isolation, options?: object) => Promise<Remote>, install: () => void) => Promise<T>} work
 */
async function inFolder(built, work) {
  const folder = mkdtempSync(path.join(tmpdir(), 'napi-reload-bench-'));
  const file = path.join(folder, 'hosts.node');
  /** @type {Remote[]} */
  const opened = [];
  const install = installer(built, file);
  install();
  try {
    return await work(async (isolation, options = {}) => {
      const all = { stageDir: path.join(folder, 'stage'), isolation, ...options };
      const addon = /** @type {Remote} */ (await open(file, /** @type {any} */ (all)));
      opened.push(addon);
      return addon;
    }, install);
  } finally {
    for (const addon of opened) await addon.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {(isolation: Isolation) => Promise<Remote>} openIn @param {number} count */
async function measureCalls(openIn, count) {
  const adds = new Map();
  for (const isolation of ISOLATIONS) {
    const { add } = (await openIn(isolation)).exports;
    // Whoever calls an asynchronous function of its own waits for a promise, too.
    adds.set(
      isolation,
      isolation === 'inline' ? async (/** @type {[number, number]} */ ...args) => add(...args) : add,
    );
  }
  const times = new Map(ISOLATIONS.map((isolation) => [isolation, /** @type {number[]} */ ([])]));
  for (let done = -CALLS_WARM_UP; done < count; done += CALLS_IN_TURN) {
    for (const [isolation, add] of adds) {
      for (let call = 0; call < CALLS_IN_TURN; call++) {
        const startMs = performance.now();
        const sum = await add(done, call);
        const us = (performance.now() - startMs) * 1000;
        assert.equal(sum, done + call);
        if (done >= 0) times.get(isolation)?.push(us);
      }
    }
  }
  return Object.fromEntries(
    [...times].map(([isolation, us]) => [
      isolation,
      { 'median µs': round(quantile(us, 0.5)), 'p99 µs': round(quantile(us, 0.99)) },
    ]),
  );
}

/** @param {(isolation: Isolation) => Promise<Remote>} openIn @param {number} rounds */
async function measureArrays(openIn, rounds) {
  const [inline, host] = [await openIn('inline'), await openIn('process')];
  /** @param {ArrayBuffer} buffer */
  const fill = (buffer) => new Float64Array(buffer).map((_, index) => (index % 1000) / 500);
  const values = fill(new ArrayBuffer(ARRAY_BYTES));
  const shared = new Float64Array(host.allocate(ARRAY_BYTES));
  shared.set(values);
  const wanted = inline.exports.sum(values);
  /** @type {Record<string, () => unknown>} */
  const ways = {
    inline: () => inline.exports.sum(values),
    'process, allocated': () => host.exports.sum(shared),
    'process, ordinary': () => host.exports.sum(values),
  };
  /** @type {Record<string, number[]>} */
  const times = {};
  for (let number = 0; number <= rounds; number++) {
    for (const [way, call] of Object.entries(ways)) {
      const startMs = performance.now();
      const sum = await call();
      const ms = performance.now() - startMs;
      assert.equal(sum, await wanted);
      times[way] = [...(times[way] ?? []), ms];
    }
  }
  const medians = Object.fromEntries(
    Object.entries(times).map(([way, ms]) => [way, quantile(ms.slice(1), 0.5)]),
  );
  return Object.fromEntries(
    Object.entries(times).map(([way, [first]]) => [
      way,
      {
        'first ms': round(first ?? Number.NaN),
        'later ms': round(medians[way] ?? Number.NaN),
        'times inline': round((medians[way] ?? Number.NaN) / (medians['inline'] ?? Number.NaN)),
      },
    ]),
  );
}

/**
 * @param {(isolation: Isolation) => Promise<Remote>} openIn @param {() => void} install @param {number} rounds
 */
async function measureReloads(openIn, install, rounds) {
  const addons = new Map();
  for (const isolation of ISOLATIONS) addons.set(isolation, await openIn(isolation));
  const times = new Map(
    ISOLATIONS.map((name) => [
      name,
      { live: /** @type {number[]} */ ([]), all: /** @type {number[]} */ ([]) },
    ]),
  );
  for (let number = 0; number < rounds + RELOADS_WARM_UP; number++) {
    await pause(SPARE_MS);
    install();
    for (const [isolation, addon] of addons) {
      const { ms, phasesMs } = await timeReload(addon);
      if (number < RELOADS_WARM_UP) continue;
      times.get(isolation)?.all.push(ms);
      times.get(isolation)?.live.push(ms - (phasesMs['retire'] ?? 0));
    }
  }
  return Object.fromEntries(
    [...times].map(([isolation, { live, all }]) => [
      isolation,
      {
        'until live ms': round(quantile(live, 0.5)),
        'with the end of the old ms': round(quantile(all, 0.5)),
      },
    ]),
  );
}

/**
 * @param {(isolation: Isolation, options: object) => Promise<Remote>} openIn @param {() => void} install
 * @param {number} rounds
 */
async function measureRehearsals(openIn, install, rounds) {
  const addon = await openIn('inline', { rehearse: true });
  const rehearsals = [];
  const reloads = [];
  for (let number = 0; number < rounds + RELOADS_WARM_UP; number++) {
    await pause(SPARE_MS);
    install();
    const { ms, phasesMs } = await timeReload(addon);
    if (number < RELOADS_WARM_UP) continue;
    rehearsals.push(phasesMs['rehearse'] ?? Number.NaN);
    reloads.push(ms);
  }
  return { rehearsal: round(quantile(rehearsals, 0.5)), 'whole reload': round(quantile(reloads, 0.5)) };
}

/** @param {Remote} addon @returns {Promise<{ ms: number, phasesMs: Record<string, number> }>} */
async function timeReload(addon) {
  const startMs = performance.now();
  const { status, phasesMs } = await addon.reload();
  const ms = performance.now() - startMs;
  assert.equal(status, 'reloaded');
  return { ms, phasesMs };
}

/** What a host more takes, of several. @param {string} built @param {'worker' | 'process'} isolation @returns {Promise<number>} */
function measureHostMemory(built, isolation) {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [built, isolation], { execArgv: ['--expose-gc'] });
    child.once('message', (mebibytes) => resolve(Number(mebibytes)));
    child.once('exit', (code) => reject(new Error(`the benchmark of memory ended with ${code}`)));
  });
}

/** @param {string} pid */
const residentBytes = (pid) =>
  Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE_BYTES;

/** @param {string} built @param {'worker' | 'process'} isolation */
async function weigh(built, isolation) {
  const bytes = await inFolder(built, async (openIn) => {
    const options = { host: { spare: false } };
    const look = async (/** @type {Remote} */ addon) => residentBytes(String(await addon.exports.pid()));
    // The first one brings what all of them share.
    const first = await openIn(isolation, options);
    globalThis.gc?.();
    const before = await look(first);
    let last = first;
    for (let host = 0; host < HOSTS_FOR_MEMORY; host++) last = await openIn(isolation, options);
    globalThis.gc?.();
    const after = await look(last);
    return isolation === 'process' ? after : (after - before) / HOSTS_FOR_MEMORY;
  });
  process.send?.(round(bytes / 2 ** 20), () => process.disconnect());
}

if (process.send !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) {
  await weigh(process.argv[2] ?? '', process.argv[3] === 'worker' ? 'worker' : 'process');
}
