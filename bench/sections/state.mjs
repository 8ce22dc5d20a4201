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

/** @typedef {Record<string, number[]>} Times in ms, by the manner */
/** @typedef {{ bytes: number, warmUp: number, rounds: number }} Size `rounds` of each block */

/** @type {{ blocks: number, sizes: readonly Size[] }} in a block all sizes take a turn: a drift of the machine's speed falls on all */
const WHOLE = {
  blocks: 4,
  sizes: [
    { bytes: KIBIBYTE, warmUp: 5, rounds: 4 },
    { bytes: MEBIBYTE, warmUp: 5, rounds: 4 },
    { bytes: 64 * MEBIBYTE, warmUp: 2, rounds: 3 },
    { bytes: GIBIBYTE, warmUp: 1, rounds: 2 },
  ],
};

/** @type {typeof WHOLE} */
const SHORT = {
  blocks: 1,
  sizes: [
    { bytes: KIBIBYTE, warmUp: 0, rounds: 1 },
    { bytes: MEBIBYTE, warmUp: 0, rounds: 1 },
  ],
};

/** @param {{ short: boolean }} how @returns {Promise<import('../measure/statistics.mjs').Results>} */
export async function measure({ short }) {
  const { blocks, sizes } = short ? SHORT : WHOLE;
  const reasons = sizes.map(({ bytes }) => [bytes, whyNot(bytes)]);
  const absent = Object.fromEntries(reasons.filter(([, why]) => why !== null));
  const present = sizes.filter(({ bytes }) => absent[bytes] === undefined);
  /** @type {Record<string, Times>} */
  const taken = Object.fromEntries(present.map(({ bytes }) => [bytes, {}]));
  for (let block = 0; block < blocks; block++)
    for (const size of inTurn(present, block)) await measureSize(size, block, taken[size.bytes] ?? {});
  const rows = Object.entries(taken).map(([bytes, times]) => [
    bytes,
    Object.fromEntries(Object.entries(times).map(([name, ms]) => [name, spread(ms)])),
  ]);
  return {
    subjects: {
      state: {
        title: 'A reload by the bytes of state, to the first result',
        along: 'bytes of state',
        grows: 'bytes',
        columns: COLUMNS,
        rows: Object.fromEntries(rows),
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

/** @param {Size} size @param {number} block @param {Times} times which it adds to */
async function measureSize({ bytes, warmUp, rounds }, block, times) {
  const built = { memory: buildState('memory', bytes), saved: buildState('saved', bytes) };
  for (const group of inTurn(GROUPS, block)) {
    const wanted = wantedOf(group, bytes, built);
    const taken = await withChildren(wanted, (childOf) =>
      takeRounds(Object.keys(wanted), { warmUp, rounds }, async (name, round) => {
        // All of a large state is looked at where it is as new as it gets, and where it is as old as it gets.
        const looks = round === -warmUp || round === rounds - 1;
        return Number(await childOf(name).turn('reload', looks));
      }),
    );
    for (const [name, ms] of Object.entries(taken)) for (const one of ms) collect(times, name, one);
  }
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
