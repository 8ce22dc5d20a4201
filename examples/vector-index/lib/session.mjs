/** One run: an open kernel, the queries that it answers, and what was measured of each version. */
import { saveEdits } from '../../lib/save.mjs';
import { formatCount } from '../../lib/terminal.mjs';
import { recallOf } from './truth.mjs';
import { DIMENSIONS } from './vectors.mjs';

/** The part of the nearest vectors that every version must find. */
const RECALL_MIN = 0.9;

/**
 * @param {object} parts
 * @param {import('napi-reload').Addon} parts.kernel
 * @param {object} parts.load the queries that run, as `startLoad` gives them
 * @param {object} parts.data `sample` has the first queries, `truth` their nearest vectors
 */
export function createSession({ kernel, load, data, root, terminal, signal }) {
  const versions = [];
  const problems = [];
  let sampled = 0;
  return {
    kernel,
    load,
    root,
    terminal,
    /** What was measured of each version that went live. */
    versions,
    problems,

    /** Queries that were sent to measure versions. */
    get sampled() {
      return sampled;
    },

    /** Saves an edit while queries run, and waits for what the handle, which watches, makes of it. */
    async edit(edits) {
      return saveEdits({ kernel, root, terminal, signal }, edits, {
        goesOn: 'queries keep running',
        describe: () => `${formatCount(load.progress.sent)} queries so far`,
        broken: endOf(load),
      });
    },

    /**
     * Asks the live version for the nearest vectors of the sample, which plain JavaScript has found too. Too little
     * recall is a problem.
     *
     * @returns {Promise<{ measured: object, answers: Uint32Array[] }>}
     */
    async measure(reloadMs = null) {
      const { sample, truth, neighbors } = data;
      let recall = 0;
      const timesUs = [];
      const answers = [];
      for (const [query, nearest] of truth.entries()) {
        const vector = sample.subarray(query * DIMENSIONS, (query + 1) * DIMENSIONS);
        const startMs = performance.now();
        const answer = await kernel.exports.search(vector, neighbors);
        timesUs.push((performance.now() - startMs) * 1000);
        recall += recallOf(answer, nearest) / truth.length;
        answers.push(answer.ids);
      }
      sampled += truth.length;
      timesUs.sort((a, b) => a - b);
      const measured = { id: kernel.current.id, recall, queryUs: timesUs[timesUs.length >> 1], reloadMs };
      versions.push(measured);
      if (recall < RECALL_MIN) problems.push(`version ${measured.id} finds ${recall} of the nearest vectors`);
      return { measured, answers };
    },

    /** Records a problem unless `condition` holds. */
    expect(condition, problem) {
      if (!condition) problems.push(problem);
    },
  };
}

async function endOf(load) {
  await load.ended;
  throw new Error('The queries ended before the reload did');
}
