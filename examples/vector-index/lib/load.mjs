/** Queries without end: some at a time, again and again, while the event loop is free for everything else. */
import { setTimeout as pause } from 'node:timers/promises';
import { faultOf } from './truth.mjs';
import { DIMENSIONS } from './vectors.mjs';

/** Queries that are sent in one turn of the event loop, and are under way together. */
const BATCH_QUERIES = 16;
/** Between two batches, so that a compiler has a processor too. */
const PAUSE_MS = 20;
/** An answer takes milliseconds; one that is not there by then is lost. */
const ANSWER_TIMEOUT_MS = 60_000;
/** Messages of failed queries that are kept. */
const FAULTS_MAX = 5;

/**
 * Starts to ask, and checks every answer.
 *
 * @param {import('napi-reload').Addon} kernel
 * @param {{ vectors: Float32Array, queries: Float32Array, neighbors: number }} data
 */
export function startLoad(kernel, { vectors, queries, neighbors }) {
  // Taken once: what it leads to changes with each reload.
  const { search } = kernel.exports;
  const count = queries.length / DIMENSIONS;
  const progress = { sent: 0, failed: 0, acrossReloads: 0 };
  const faults = [];
  let stopped = false;

  const ask = async (query) => {
    const version = kernel.current.id;
    try {
      const answer = await search(queries.subarray(query * DIMENSIONS, (query + 1) * DIMENSIONS), neighbors);
      if (kernel.current.id !== version) progress.acrossReloads += 1;
      return faultOf(answer, neighbors, vectors, queries, query);
    } catch (error) {
      return error.message;
    }
  };
  const askBatch = async () => {
    const batch = Array.from({ length: BATCH_QUERIES }, (_, index) => ask((progress.sent + index) % count));
    progress.sent += BATCH_QUERIES;
    for (const fault of await inTime(Promise.all(batch))) {
      if (fault === null) continue;
      progress.failed += 1;
      if (faults.length < FAULTS_MAX) faults.push(fault);
    }
  };
  // Some are always under way when versions change places: the next stage is the switch.
  let beforeSwitch = Promise.resolve();
  const onProgress = ({ phase }) => {
    if (phase !== 'prepare' || stopped) return;
    beforeSwitch = Promise.all([beforeSwitch, askBatch()]);
    beforeSwitch.catch(() => undefined);
  };
  kernel.on('progress', onProgress);
  const run = async () => {
    while (!stopped) {
      await askBatch();
      await pause(PAUSE_MS);
    }
    kernel.off('progress', onProgress);
    await beforeSwitch;
  };
  const ended = run();
  ended.catch(() => undefined);

  return {
    /** Counts of queries: `acrossReloads` of them ended under a version that was not live when they were sent. */
    progress,
    /** What the first failed queries failed with. */
    faults,
    /** Rejects when asking itself breaks; resolves once it was stopped. */
    ended,
    /** Resolves when so many queries were sent. */
    async reached(sent) {
      while (progress.sent < sent && !stopped) await Promise.race([pause(PAUSE_MS), ended]);
    },
    /** Resolves when the last answer is there. */
    stop() {
      stopped = true;
      return ended;
    },
  };
}

async function inTime(answers) {
  const waiting = new AbortController();
  const tooLate = pause(ANSWER_TIMEOUT_MS, undefined, { signal: waiting.signal }).then(() => {
    throw new Error(`A query had no answer within ${ANSWER_TIMEOUT_MS} ms`);
  });
  tooLate.catch(() => undefined);
  try {
    return await Promise.race([answers, tooLate]);
  } finally {
    waiting.abort();
  }
}
