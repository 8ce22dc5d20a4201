// What a reload leaves in its process for good, in each of the ways. Those that start a Node.js for each reload are asked less often.
import { heldBy } from '../measure/memory.mjs';
import { inScratch } from '../measure/scratch.mjs';
import { slope } from '../measure/statistics.mjs';
import { withRunners } from '../measure/turns.mjs';
import { HOSTED, listWays, OURS, PINNED } from '../rivals/ways.mjs';

/** @typedef {import('../measure/memory.mjs').Held} Held */
/** @typedef {import('../measure/statistics.mjs').Figure} Figure */
/** @typedef {import('../measure/turns.mjs').Runner} Runner */
/** @typedef {{ segments: number, warmUp: number, reloads: number }} Counts `reloads` of a segment, which is between two looks */

const WHOLE = {
  // What V8 and the allocator take once comes with the first thousand, and is much more than what is asked.
  ours: { segments: 10, warmUp: 2_000, reloads: 400 },
  // Fewer, as there is a bound on what may stay.
  pinned: { segments: 10, warmUp: 1_000, reloads: 100 },
  inside: { segments: 10, warmUp: 200, reloads: 100 },
  // Two hosts take turns, each for 100 versions: a segment is a life of both.
  reused: { segments: 10, warmUp: 200, reloads: 200 },
  hosted: { segments: 10, warmUp: 20, reloads: 20 },
};
const SHORT = {
  ours: { segments: 2, warmUp: 10, reloads: 10 },
  pinned: { segments: 2, warmUp: 10, reloads: 10 },
  inside: { segments: 2, warmUp: 10, reloads: 10 },
  reused: { segments: 1, warmUp: 2, reloads: 2 },
  hosted: { segments: 1, warmUp: 1, reloads: 1 },
};

/** @param {{ short: boolean }} options @returns {Promise<import('../measure/statistics.mjs').Results>} */
export function measure({ short }) {
  const { ours, pinned, inside, reused, hosted } = short ? SHORT : WHOLE;
  const hostedNames = new Set(Object.values(HOSTED));
  const countsOf = (/** @type {string} */ name) => {
    if (name === OURS) return ours;
    if (name === PINNED) return pinned;
    if (name === HOSTED.reused) return reused;
    return hostedNames.has(name) ? hosted : inside;
  };
  return inScratch(async (folder) => {
    const { ways, absent, versions } = listWays(folder, { collects: true, pins: true });
    // When its host is started is no matter here.
    const { [HOSTED.workerLate]: _worker, [HOSTED.processLate]: _process, ...asked } = ways;
    const rows = await withRunners(asked, folder, async (runners) => {
      const isSlow = (/** @type {Runner} */ { name }) => countsOf(name) === hosted;
      const fast = runners.filter((runner) => !isSlow(runner));
      // No time is measured: both at once take less of it.
      const figures = Object.assign(
        {},
        ...(await Promise.all([runners.filter(isSlow), fast].map((some) => weighAll(some, countsOf)))),
      );
      return Object.fromEntries(runners.map(({ name }) => [name, figures[name] ?? {}]));
    });
    return { subjects: { left: subjectOf(rows, absent) }, versions };
  });
}

/** One after the other. @param {readonly Runner[]} runners @param {(name: string) => Counts} countsOf */
async function weighAll(runners, countsOf) {
  /** @type {Record<string, Record<string, Figure>>} */
  const figures = {};
  for (const runner of runners) {
    const counts = countsOf(runner.name);
    figures[runner.name] = figuresOf(await weigh(runner, counts), counts);
  }
  return figures;
}

/** @param {Runner} runner @param {Counts} counts @returns {Promise<Held[]>} at each look */
async function weigh(runner, { segments, warmUp, reloads }) {
  await reload(runner, warmUp);
  const looks = [await look(runner)];
  for (let number = 0; number < segments; number++) {
    await reload(runner, reloads);
    looks.push(await look(runner));
  }
  return looks;
}

/** @param {Runner} runner @param {number} times */
async function reload(runner, times) {
  for (let number = 0; number < times; number++) await runner.round();
}

/** With the same hosts at each look: those that end have ended, and what starts ahead has started. @param {Runner} runner */
async function look(runner) {
  await runner.collect();
  await runner.rest();
  return heldBy(runner.pid, runner.folder);
}

/** What one reload leaves, over all segments; `rounds` counts reloads. @param {readonly Held[]} looks @param {Counts} counts */
function figuresOf(looks, { segments, reloads }) {
  const left = (/** @type {keyof Held} */ of) => ({
    ...slope(looks.map((held) => held[of] / reloads)),
    rounds: segments * reloads,
  });
  return { mappings: left('mappings'), memory: left('bytes') };
}

/**
 * @param {Record<string, Record<string, Figure>>} rows @param {Record<string, string>} absent
 * @returns {import('../measure/statistics.mjs').Subject}
 */
const subjectOf = (rows, absent) => ({
  title: 'What a reload leaves for good',
  along: 'way',
  columns: {
    mappings: { title: 'mappings', unit: 'count' },
    memory: { title: 'memory', unit: 'bytes' },
  },
  rows,
  draws: [],
  absent,
});
