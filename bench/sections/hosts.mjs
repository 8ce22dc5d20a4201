// What it costs that versions run in a Worker or in a process, beside the same inline: large arrays that they are given, a
// reload, a rehearsal, and memory.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { takeRounds, withChildren } from '../measure/child.mjs';
import { buildHosts } from '../measure/fixtures.mjs';
import { inTurn } from '../measure/order.mjs';
import { collect, ratios, spread } from '../measure/statistics.mjs';
import { treeOf } from '../measure/tree.mjs';

/** Of hosts of one kind, the first ones bring what all of them share. */
const HOSTS_BEFORE = 2;

/** @typedef {import('../measure/child.mjs').Child} Child */
/** @typedef {import('../measure/statistics.mjs').Figure} Figure */
/** @typedef {import('../measure/statistics.mjs').Subject} Subject */
/** @typedef {import('../children/hosts.mjs').Reload} Reload */
/** @typedef {import('../children/hosts.mjs').Sum} Sum */
/** @typedef {Record<string, Figure>} Row */

const INLINE = 'napi-reload, inline';

/** @type {Record<string, { options: object, isAllocated: boolean }>} */
const ARRAYS = {
  [INLINE]: { options: {}, isAllocated: false },
  'napi-reload, Worker, array of allocate()': { options: { isolation: 'worker' }, isAllocated: true },
  'napi-reload, Worker, ordinary array': { options: { isolation: 'worker' }, isAllocated: false },
  'napi-reload, process, array of allocate()': { options: { isolation: 'process' }, isAllocated: true },
  'napi-reload, process, ordinary array': { options: { isolation: 'process' }, isAllocated: false },
};

const REHEARSED = 'inline, rehearse: true, process started ahead';

/** @type {Record<string, object>} */
const RELOADS = {
  [INLINE]: {},
  'napi-reload, Worker, host started ahead': { isolation: 'worker' },
  'napi-reload, process, host started ahead': { isolation: 'process' },
  'napi-reload, process used again': { isolation: 'process', host: { reuse: true } },
  [REHEARSED]: { rehearse: true },
};

/** @type {Record<string, object>} */
const WEIGHED = {
  'napi-reload, Worker': { isolation: 'worker', host: { spare: false } },
  'napi-reload, process': { isolation: 'process', host: { spare: false } },
};

/** @param {{ short: boolean }} how @returns {Promise<import('../measure/statistics.mjs').Results>} */
export async function measure({ short }) {
  const built = buildHosts();
  const counts = short
    ? { mebibytes: 4, openings: 1, calls: 1, warmUp: 1, reloads: 1, weighings: 1, hosts: 1 }
    : { mebibytes: 64, openings: 5, calls: 5, warmUp: 3, reloads: 20, weighings: 3, hosts: 5 };
  const reloads = await measureReloads(built, counts);
  return {
    subjects: {
      arrays: await measureArrays(built, counts),
      hostReload: hostReloadOf(reloads),
      rehearsal: rehearsalOf(reloads),
      hostMemory: await measureMemory(built, counts),
    },
  };
}

/** @param {string[]} built @param {{ mebibytes: number, openings: number, calls: number }} counts @returns {Promise<Subject>} */
async function measureArrays(built, { mebibytes, openings, calls }) {
  /** @type {Record<string, number[]>} */
  const firstMs = {};
  /** @type {Record<string, number[]>} */
  const laterMs = {};
  const wanted = Object.fromEntries(
    Object.entries(ARRAYS).map(([name, { options }]) => [
      name,
      { script: 'hosts', settings: { built, options } },
    ]),
  );
  for (let opening = 0; opening < openings; opening++) {
    await withChildren(wanted, async (childOf) => {
      for (const [name, { isAllocated }] of Object.entries(ARRAYS))
        await childOf(name).turn('fill', { bytes: mebibytes * 2 ** 20, isAllocated });
      const sums = new Set();
      // Another one makes the first call at each opening.
      await takeRounds(inTurn(Object.keys(ARRAYS), opening), { rounds: 1 + calls }, async (name, call) => {
        const { ms, sum } = /** @type {Sum} */ (await childOf(name).turn('sum'));
        collect(call === 0 ? firstMs : laterMs, name, ms);
        sums.add(sum);
      });
      assert.equal(sums.size, 1, 'the sums differ');
    });
  }
  return {
    title: `A sum over ${mebibytes} MiB of numbers`,
    along: 'where and of what',
    columns: {
      first: { title: 'first call', unit: 'ms' },
      later: { title: 'later calls', unit: 'ms' },
      times: { title: 'later calls, times inline', unit: 'times' },
    },
    rows: rowsOf(ARRAYS, (name) => ({
      first: spread(firstMs[name] ?? []),
      later: spread(laterMs[name] ?? []),
      times: ratios(laterMs[name] ?? [], laterMs[INLINE] ?? []),
    })),
    draws: ['first', 'later'],
  };
}

/** @param {object} names @param {(name: string) => Row} rowOf */
const rowsOf = (names, rowOf) => Object.fromEntries(Object.keys(names).map((name) => [name, rowOf(name)]));

/** @typedef {Record<string, Reload[]>} Reloads by the name of the manner, round by round */

/** @param {string[]} built @param {{ warmUp: number, reloads: number }} counts @returns {Promise<Reloads>} */
function measureReloads(built, { warmUp, reloads }) {
  const wanted = Object.fromEntries(
    Object.entries(RELOADS).map(([name, options]) => [
      name,
      { script: 'hosts', settings: { built, options } },
    ]),
  );
  // The hosts for the next one have started when a turn ends.
  return withChildren(wanted, (childOf) =>
    takeRounds(
      Object.keys(RELOADS),
      { warmUp, rounds: reloads },
      async (name) => /** @type {Reload} */ (await childOf(name).turn('reload')),
    ),
  );
}

/** @param {Reloads} reloads @param {string} name @param {'firstMs' | 'wholeMs' | 'rehearsalMs'} what @returns {number[]} */
const msOf = (reloads, name, what) => (reloads[name] ?? []).map((reload) => reload[what] ?? Number.NaN);

/** @param {Reloads} reloads @returns {Subject} */
function hostReloadOf(reloads) {
  const { [REHEARSED]: _, ...names } = RELOADS;
  return {
    title: 'A reload by where versions run',
    along: 'manner',
    columns: {
      first: { title: 'first result', unit: 'ms' },
      whole: { title: 'with the end of the old version', unit: 'ms' },
      times: { title: 'first result, times inline', unit: 'times' },
    },
    rows: rowsOf(names, (name) => ({
      first: spread(msOf(reloads, name, 'firstMs')),
      whole: spread(msOf(reloads, name, 'wholeMs')),
      times: ratios(msOf(reloads, name, 'firstMs'), msOf(reloads, INLINE, 'firstMs')),
    })),
    draws: ['first', 'whole'],
  };
}

/** @param {Reloads} reloads @returns {Subject} */
function rehearsalOf(reloads) {
  const wholeOf = (/** @type {string} */ name) => ({
    whole: spread(msOf(reloads, name, 'wholeMs')),
    times: ratios(msOf(reloads, name, 'wholeMs'), msOf(reloads, INLINE, 'wholeMs')),
  });
  return {
    title: 'A reload that is rehearsed in a process that is thrown away',
    along: 'manner',
    columns: {
      rehearsal: { title: 'rehearsal', unit: 'ms' },
      whole: { title: 'whole reload', unit: 'ms' },
      times: { title: 'times without', unit: 'times' },
    },
    rows: {
      'inline, no rehearsal': wholeOf(INLINE),
      [REHEARSED]: {
        rehearsal: spread(msOf(reloads, REHEARSED, 'rehearsalMs')),
        ...wholeOf(REHEARSED),
      },
    },
    draws: [],
  };
}

/**
 * Pages that processes share count in each of them by its share, so what one more host adds is what all of them have more.
 *
 * @param {readonly string[]} pids @returns {number}
 */
function proportionalBytes(pids) {
  const kibibytes = pids.map((pid) => {
    const pss = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'));
    return Number(pss?.[1] ?? Number.NaN);
  });
  return kibibytes.reduce((sum, each) => sum + each, 0) * 1024;
}

/** @returns {string | null} why memory cannot be weighed here */
function whyNoWeighing() {
  try {
    proportionalBytes([String(process.pid)]);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** @param {string[]} built @param {{ weighings: number, hosts: number }} counts @returns {Promise<Subject>} */
async function measureMemory(built, { weighings, hosts }) {
  const why = whyNoWeighing();
  /** @type {Record<string, number[]>} */
  const bytes = {};
  for (let weighing = 0; weighing < weighings && why === null; weighing++) {
    for (const [name, options] of inTurn(Object.entries(WEIGHED), weighing)) {
      await withChildren({ [name]: { script: 'hosts', settings: { built, options } } }, async (childOf) => {
        for (const more of await weigh(childOf(name), hosts)) collect(bytes, name, more);
      });
    }
  }
  return {
    title: 'Memory that one more host takes',
    along: 'host',
    columns: { bytes: { title: 'memory', unit: 'bytes' } },
    rows: why === null ? rowsOf(WEIGHED, (name) => ({ bytes: spread(bytes[name] ?? []) })) : {},
    draws: [],
    ...(why !== null && { absent: Object.fromEntries(Object.keys(WEIGHED).map((name) => [name, why])) }),
  };
}

/**
 * @param {Child} child @param {number} hosts
 * @returns {Promise<number[]>} the bytes that each host more takes
 */
async function weigh(child, hosts) {
  const held = async () => {
    await child.rest();
    globalThis.gc?.();
    // This process and the one that started it run the same program: what is shared with them has to be counted whole, too.
    return proportionalBytes([...treeOf(child.pid), String(process.pid), String(process.ppid)]);
  };
  for (let host = 1; host < HOSTS_BEFORE; host++) await child.ask('openMore');
  const bytes = [];
  let before = await held();
  for (let host = 0; host < hosts; host++) {
    await child.ask('openMore');
    const after = await held();
    bytes.push(after - before);
    before = after;
  }
  return bytes;
}
