// From a built file to live code: ours, and the least that one can do by hand, in turn. The kernel is the example, as node-gyp
// builds it. Ours carries its state over, which by hand is lost.
import { buildExampleVersions } from '../measure/fixtures.mjs';
import { measureCycle } from '../measure/cycle.mjs';
import { inScratch } from '../measure/scratch.mjs';
import { collect, ratios, spread, spreadWithLeast } from '../measure/statistics.mjs';
import { takeTurns, withRunners } from '../measure/turns.mjs';
import { OURS, oursOf, PLAIN, plainOf } from '../rivals/ways.mjs';

/** @typedef {import('../measure/statistics.mjs').Subject} Subject */
/** @typedef {import('../measure/turns.mjs').Round} Round */

/** @param {{ short: boolean }} options @returns {Promise<import('../measure/statistics.mjs').Results>} */
export function measure({ short }) {
  const builds = buildExampleVersions();
  const counts = short ? { warmUp: 10, rounds: 15 } : { warmUp: 50, rounds: 200 };
  return inScratch(async (folder) => {
    const ways = { [OURS]: oursOf('example', builds), [PLAIN]: plainOf('example', builds) };
    const taken = await withRunners(ways, folder, (runners) => takeTurns(runners, counts));
    const [ours = [], plain = []] = [taken[OURS], taken[PLAIN]];
    const steps = measureCycle(builds, folder, counts.rounds);
    return { subjects: { reload: reloadOf(ours, plain), stages: stagesOf(ours), cycle: cycleOf(steps) } };
  });
}

/** @param {readonly Round[]} ours @param {readonly Round[]} plain of the same rounds @returns {Subject} */
function reloadOf(ours, plain) {
  const live = ours.map(({ first }) => first);
  const whole = ours.map(({ first, ended = first }) => ended);
  const plainLive = plain.map(({ first }) => first);
  return {
    title: 'A reload of the example, from the built file',
    along: 'way',
    columns: {
      live: { title: 'first result', unit: 'ms' },
      whole: { title: 'old version unloaded', unit: 'ms' },
      liveTimes: { title: 'first result, to that by hand', unit: 'times' },
      wholeTimes: { title: 'unloaded, to the first result by hand', unit: 'times' },
    },
    rows: {
      [OURS]: {
        live: spread(live),
        whole: spread(whole),
        liveTimes: ratios(live, plainLive),
        wholeTimes: ratios(whole, plainLive),
      },
      [PLAIN]: { live: spread(plainLive) },
    },
    draws: ['live', 'whole'],
  };
}

/** @param {readonly Round[]} ours @returns {Subject} */
function stagesOf(ours) {
  /** @type {Record<string, number[]>} */
  const phases = {};
  for (const { phasesMs = {} } of ours)
    for (const [phase, ms] of Object.entries(phasesMs)) collect(phases, phase, ms);
  return {
    title: 'The stages of a reload',
    along: 'stage',
    columns: { ms: { title: 'time', unit: 'ms' } },
    rows: Object.fromEntries(Object.entries(phases).map(([phase, ms]) => [phase, { ms: spread(ms) }])),
    draws: [],
  };
}

/** @param {Record<string, number[]>} steps @returns {Subject} */
const cycleOf = (steps) => ({
  title: "The shim's part of a reload",
  along: 'step',
  columns: { ms: { title: 'time', unit: 'ms' } },
  rows: Object.fromEntries(Object.entries(steps).map(([step, ms]) => [step, { ms: spreadWithLeast(ms) }])),
  draws: [],
});
