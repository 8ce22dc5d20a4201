// From a built file to the first result of its code, each way beside the others: with napi-reload, and without.
import { inScratch } from '../measure/scratch.mjs';
import { ratios, spread } from '../measure/statistics.mjs';
import { takeTurns, withRunners } from '../measure/turns.mjs';
import { listWays, OURS } from '../rivals/ways.mjs';

/** @typedef {import('../measure/statistics.mjs').Figure} Figure */
/** @typedef {import('../measure/turns.mjs').Round} Round */

/** @param {{ short: boolean }} options @returns {Promise<import('../measure/statistics.mjs').Results>} */
export function measure({ short }) {
  const counts = short ? { warmUp: 1, rounds: 1 } : { warmUp: 10, rounds: 30 };
  return inScratch(async (folder) => {
    const { ways, absent, versions } = listWays(folder, { collects: false, pins: false });
    const taken = await withRunners(ways, folder, (runners) => takeTurns(runners, counts));
    const ours = taken[OURS] ?? [];
    const rows = Object.entries(taken).map(([name, rounds]) => [
      name,
      rowOf(rounds, name === OURS ? null : ours),
    ]);
    return { subjects: { ways: subjectOf(Object.fromEntries(rows), absent) }, versions };
  });
}

/** @param {readonly Round[]} rounds @param {readonly Round[] | null} ours of the same rounds @returns {Record<string, Figure>} */
function rowOf(rounds, ours) {
  const first = rounds.map(({ first }) => first);
  const ended = rounds.flatMap(({ ended }) => ended ?? []);
  return {
    first: spread(first),
    ...(ended.length === rounds.length && { ended: spread(ended) }),
    ...(ours !== null && {
      times: ratios(
        first,
        ours.map(({ first }) => first),
      ),
    }),
  };
}

/** @param {Record<string, Record<string, Figure>>} rows @param {Record<string, string>} absent @returns {import('../measure/statistics.mjs').Subject} */
const subjectOf = (rows, absent) => ({
  title: 'From a built file to the first result of its code',
  along: 'way',
  columns: {
    first: { title: 'first result', unit: 'ms' },
    ended: { title: 'old version ended', unit: 'ms' },
    times: { title: `first result, to that of ${OURS}`, unit: 'times' },
  },
  rows,
  draws: ['first'],
  absent,
});
