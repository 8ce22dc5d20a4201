// What it costs to move live instances of a native class, by their number, beside a reload of the same addon without any. Each
// number is a process of its own; they take turns, so that a drift of the machine's speed falls on all.
import { takeRounds, withChildren } from '../measure/child.mjs';
import { buildInstances } from '../measure/fixtures.mjs';
import { slope, spread } from '../measure/statistics.mjs';

const WHOLE = { counts: [10, 1_000, 100_000, 1_000_000], rounds: 15, roundsOfLarge: 5 };
const SHORT = { counts: [10, 1_000], rounds: 2, roundsOfLarge: 2 };
/** Of so many and more a reload takes long. */
const LARGE = 1_000_000;
/** Of fewer, what the heap happens to hold is more than what is asked. */
const WEIGHED_FROM = 1_000;
const NONE = '0';

/** @typedef {import('../children/instances.mjs').Move} Move */
/** @typedef {import('../measure/statistics.mjs').Figure} Figure */

/** @param {{ short: boolean }} how @returns {Promise<import('../measure/statistics.mjs').Results>} */
export async function measure({ short }) {
  const how = short ? SHORT : WHOLE;
  const moves = await measureMoves(how);
  const without = moves[NONE] ?? [];
  const rows = how.counts.map((count) => [count, figuresOf(count, moves[count] ?? [], without)]);
  return {
    subjects: {
      instances: {
        title: 'A reload by the live instances that move',
        along: 'live instances',
        grows: 'count',
        columns: {
          switch: { title: 'the switch', unit: 'ms' },
          whole: { title: 'the whole reload', unit: 'ms' },
          each: { title: 'the switch, for each instance', unit: 'µs' },
          memory: { title: 'memory that each reload leaves more, for each instance', unit: 'bytes' },
        },
        rows: Object.fromEntries(rows),
        draws: ['whole'],
      },
    },
  };
}

/** @param {typeof WHOLE} how @returns {Promise<Record<string, Move[]>>} by the number of instances, round by round */
function measureMoves({ counts, rounds, roundsOfLarge }) {
  const names = [NONE, ...counts.map(String)];
  const builds = buildInstances();
  const wanted = names.map((name) => [
    name,
    { script: 'instances', settings: { builds, count: Number(name) } },
  ]);
  return withChildren(Object.fromEntries(wanted), async (childOf) => {
    const turn = async (/** @type {string} */ name) =>
      /** @type {Move} */ (await childOf(name).turn('reload'));
    const moves = await takeRounds(names, { rounds: roundsOfLarge }, turn);
    const small = names.filter((name) => Number(name) < LARGE);
    const more = await takeRounds(small, { rounds: rounds - roundsOfLarge }, turn);
    return Object.fromEntries(names.map((name) => [name, [...(moves[name] ?? []), ...(more[name] ?? [])]]));
  });
}

/** @param {number} count @param {readonly Move[]} moves @param {readonly Move[]} without of the same rounds, and maybe more @returns {Record<string, Figure>} */
function figuresOf(count, moves, without) {
  /** @param {keyof Move} of @returns what it is more than without instances, round by round, for each of them */
  const more = (of) => moves.map((move, round) => (move[of] - (without[round]?.[of] ?? Number.NaN)) / count);
  const memory = count < WEIGHED_FROM || moves.length < 2 ? {} : { memory: slope(more('heldBytes')) };
  return {
    switch: spread(moves.map(({ switchMs }) => switchMs)),
    whole: spread(moves.map(({ wholeMs }) => wholeMs)),
    each: spread(more('switchMs').map((ms) => ms * 1000)),
    ...memory,
  };
}
