/** One run of the tour: an open kernel, the rows that flow into it, and what was measured on the way. */
import { applyEdits } from '../edits.mjs';
import { computeReference, differences } from './reference.mjs';
import { formatCount } from './terminal.mjs';

/** A build that takes longer has hung; five of them take seconds. */
const OUTCOME_TIMEOUT_MS = 120_000;
const STATUS_INTERVAL_MS = 100;

const OUTCOMES = ['reloaded', 'unchanged', 'failed'];

/**
 * Rows flow while a session lives; it ends with the stream, not with an edit.
 *
 * @param {{ kernel: object, stream: object, flights: object, root: string, terminal: object, signal: AbortSignal }} parts
 */
export function createSession({ kernel, stream, flights, root, terminal, signal }) {
  const problems = [];
  let versionsLive = 1;
  kernel.on('reloaded', () => {
    versionsLive += 1;
  });
  return {
    kernel,
    stream,
    root,
    terminal,
    problems,

    /** Versions that have served so far. */
    get versionsLive() {
      return versionsLive;
    },

    /**
     * Saves an edit and waits for what the handle, which watches, makes of it.
     *
     * @returns {Promise<{ event: string, result: object, afterMs: number, builtMs: number | null }>} `afterMs` from
     * the save to the outcome, `builtMs` of it for the build
     * @throws when the stream breaks, the run is stopped, or nothing happens in time
     */
    async edit(edits) {
      const startMs = performance.now();
      let builtMs = null;
      let step = '';
      const onBuilt = ({ durationMs }) => {
        builtMs = durationMs;
      };
      const onProgress = (progress) => {
        step = progress.step ?? progress.phase;
      };
      kernel.on('built', onBuilt).on('progress', onProgress);
      const ticker = setInterval(() => {
        const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
        terminal.status(`  ${formatCount(stream.rows)} rows so far  building ${seconds} s  ${step}`);
      }, STATUS_INTERVAL_MS);
      const waiting = new AbortController();
      try {
        const outcome = nextOutcome(kernel, AbortSignal.any([signal, waiting.signal]));
        outcome.catch(() => undefined);
        applyEdits(root, edits);
        const files = new Set(edits.map(({ file }) => file));
        terminal.print(`  saved ${[...files].join(', ')}; rows keep flowing`);
        const { event, result } = await Promise.race([outcome, endOf(stream)]);
        return { event, result, afterMs: performance.now() - startMs, builtMs };
      } finally {
        waiting.abort();
        clearInterval(ticker);
        terminal.status('');
        kernel.off('built', onBuilt).off('progress', onProgress);
      }
    },

    /**
     * Compares all of the kernel's figures with plain JavaScript over the same rows. What differs is added to the
     * problems.
     *
     * @returns {{ summary: object, rowsLost: number, equal: boolean }}
     */
    compare() {
      const rows = stream.rows;
      const found = { summary: kernel.exports.summary(), groups: kernel.exports.groups() };
      const differing = differences(found, computeReference(flights, rows));
      const rowsLost = rows - found.summary.count;
      problems.push(...differing);
      if (rowsLost !== 0) problems.push(`${rowsLost} of ${rows} rows were lost`);
      return { summary: found.summary, rowsLost, equal: differing.length === 0 };
    },

    /** Records a problem unless `condition` holds. */
    expect(condition, problem) {
      if (!condition) problems.push(problem);
    },
  };
}

async function endOf(stream) {
  await stream.ended;
  throw new Error('The rows ended before the reload did');
}

function nextOutcome(kernel, signal) {
  return new Promise((resolve, reject) => {
    const listeners = OUTCOMES.map((event) => [event, (result) => settle(() => resolve({ event, result }))]);
    const timer = setTimeout(() => {
      settle(() => reject(new Error(`No outcome within ${OUTCOME_TIMEOUT_MS} ms of the edit`)));
    }, OUTCOME_TIMEOUT_MS);
    const onAbort = () => settle(() => reject(signal.reason));
    const settle = (finish) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      for (const [event, listener] of listeners) kernel.off(event, listener);
      finish();
    };
    for (const [event, listener] of listeners) kernel.on(event, listener);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
}
