// A reload by the bytes of state: in memory that stays, saved and taken, and handed over through a file by a process that is
// started again.
import { readFileSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { takeRounds, withChildren } from '../measure/child.mjs';
import { buildState } from '../measure/fixtures.mjs';
import { inTurn } from '../measure/order.mjs';
import { collect, spread } from '../measure/statistics.mjs';

const KIBIBYTE = 2 ** 10;
const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;
/** Of the size of the state: what one group of manners needs at most, and the file with a little more room. */
const MEMORY_NEEDED = 4;
const DISK_NEEDED = 2;
/** A state that is saved is copied several times at each reload. */
const SAVED_BYTES_MAX = 64 * MEBIBYTE;

/** @typedef {{ script: string, kind: 'memory' | 'saved', options?: object, staysInPlace?: boolean, bytesMax?: number }} Manner */

/**
 * In two groups, of which one is there at a time: of the largest state, not all of them fit into the memory of a small machine.
 *
 * @type {readonly Record<string, Manner>[]}
 */
const GROUPS = [
  {
    memory: { script: 'state', kind: 'memory', staysInPlace: true },
    saved: { script: 'state', kind: 'saved', bytesMax: SAVED_BYTES_MAX },
    restart: { script: 'restart', kind: 'saved' },
  },
  {
    memoryWorker: { script: 'state', kind: 'memory', options: { isolation: 'worker' } },
    memoryProcess: { script: 'state', kind: 'memory', options: { isolation: 'process' } },
    savedProcess: {
      script: 'state',
      kind: 'saved',
      options: { isolation: 'process' },
      bytesMax: SAVED_BYTES_MAX,
    },
  },
];

/** @type {Record<string, import('../measure/statistics.mjs').Column>} */
const COLUMNS = {
  memory: { title: 'memory that stays, inline', unit: 'ms' },
  memoryWorker: { title: 'memory that stays, Worker', unit: 'ms' },
  memoryProcess: { title: 'memory that stays, process', unit: 'ms' },
  saved: { title: 'saved as a Buffer, inline', unit: 'ms' },
  savedProcess: { title: 'saved as a Buffer, process', unit: 'ms' },
  restart: { title: 'process started again, state through a file', unit: 'ms' },
};

/** @typedef {{ bytes: number, blocks: number, warmUp: number, rounds: number }} Size `rounds` of each of the blocks */

/** @type {readonly Size[]} */
const WHOLE = [
  { bytes: KIBIBYTE, blocks: 2, warmUp: 5, rounds: 8 },
  { bytes: MEBIBYTE, blocks: 2, warmUp: 5, rounds: 8 },
  { bytes: 64 * MEBIBYTE, blocks: 2, warmUp: 3, rounds: 6 },
  { bytes: GIBIBYTE, blocks: 2, warmUp: 1, rounds: 3 },
];

/** @type {readonly Size[]} */
const SHORT = [
  { bytes: KIBIBYTE, blocks: 1, warmUp: 0, rounds: 1 },
  { bytes: MEBIBYTE, blocks: 1, warmUp: 0, rounds: 1 },
];

/** @param {{ short: boolean }} how @returns {Promise<import('../measure/statistics.mjs').Results>} */
export async function measure({ short }) {
  /** @type {import('../measure/statistics.mjs').Subject['rows']} */
  const rows = {};
  /** @type {Record<string, string>} */
  const absent = {};
  for (const size of short ? SHORT : WHOLE) {
    const why = whyNot(size.bytes);
    if (why !== null) {
      absent[size.bytes] = why;
      continue;
    }
    const ms = await measureSize(size);
    rows[size.bytes] = Object.fromEntries(Object.entries(ms).map(([name, all]) => [name, spread(all)]));
  }
  return {
    subjects: {
      state: {
        title: 'A reload by the bytes of state, to the first result',
        along: 'bytes of state',
        grows: 'bytes',
        columns: COLUMNS,
        rows,
        absent,
        draws: Object.keys(COLUMNS),
      },
    },
  };
}

/** @param {number} bytes @returns {string | null} why so much state cannot be measured here */
function whyNot(bytes) {
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'latin1'));
  if (Number(available?.[1]) * KIBIBYTE < bytes * MEMORY_NEEDED) return 'too little memory is free';
  const { bavail, bsize } = statfsSync(tmpdir());
  return bavail * bsize < bytes * DISK_NEEDED ? 'too little room for files is free' : null;
}

/** @param {Size} size @returns {Promise<Record<string, number[]>>} ms by manner */
async function measureSize({ bytes, blocks, warmUp, rounds }) {
  const built = { memory: buildState('memory', bytes), saved: buildState('saved', bytes) };
  /** @type {Record<string, number[]>} */
  const times = {};
  for (let block = 0; block < blocks; block++) {
    for (const group of inTurn(GROUPS, block)) {
      const wanted = wantedOf(group, bytes, built);
      await withChildren(wanted, async (childOf) => {
        const taken = await takeRounds(Object.keys(wanted), { warmUp, rounds }, async (name, round) => {
          // All of a large state is looked at where it is as new as it gets, and where it is as old as it gets.
          const looks = round === -warmUp || round === rounds - 1;
          return Number(await childOf(name).turn('reload', looks));
        });
        for (const [name, ms] of Object.entries(taken)) for (const one of ms) collect(times, name, one);
      });
    }
  }
  return times;
}

/** @param {Record<string, Manner>} group @param {number} bytes @param {Record<Manner['kind'], string[]>} built */
function wantedOf(group, bytes, built) {
  const fitting = Object.entries(group).filter(([, { bytesMax = GIBIBYTE }]) => bytes <= bytesMax);
  return Object.fromEntries(
    fitting.map(([name, { script, kind, options = {}, staysInPlace = false }]) => [
      name,
      { script, settings: { built: built[kind], options, staysInPlace } },
    ]),
  );
}
