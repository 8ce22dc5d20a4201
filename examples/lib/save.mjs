/** Saves an edit of a source that a handle watches, and waits for what becomes of it. */
import { applyEdits } from './edits.mjs';

/** A build that takes longer has hung; five of them take seconds. */
const OUTCOME_TIMEOUT_MS = 120_000;
const STATUS_INTERVAL_MS = 100;

const OUTCOMES = ['reloaded', 'unchanged', 'failed'];

/**
 * @param {object} session
 * @param {import('napi-reload').Addon} session.kernel a handle that builds and watches
 * @param {string} session.root folder of its source
 * @param {object} session.terminal
 * @param {AbortSignal} session.signal
 * @param {readonly import('./edits.mjs').Edit[]} edits
 * @param {object} work what goes on meanwhile
 * @param {string} work.goesOn such as "rows keep flowing"
 * @param {() => string} work.describe how far it is, for the status line
 * @param {Promise<never>} work.broken rejects when it breaks
 * @returns {Promise<{ event: string, result: object, afterMs: number, builtMs: number | null }>} `afterMs` from the save
 * to the outcome, `builtMs` of it for the build
 * @throws when the work breaks, the run is stopped, or nothing happens in time
 */
export async function saveEdits({ kernel, root, terminal, signal }, edits, { goesOn, describe, broken }) {
  // Whoever waits for it is below; the edit itself may fail before.
  broken.catch(() => undefined);
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
    terminal.status(`  ${describe()}  building ${seconds} s  ${step}`);
  }, STATUS_INTERVAL_MS);
  const waiting = new AbortController();
  try {
    const outcome = nextOutcome(kernel, AbortSignal.any([signal, waiting.signal]));
    outcome.catch(() => undefined);
    applyEdits(root, edits);
    const files = new Set(edits.map(({ file }) => file));
    terminal.print(`  saved ${[...files].join(', ')}; ${goesOn}`);
    const { event, result } = await Promise.race([outcome, broken]);
    return { event, result, afterMs: performance.now() - startMs, builtMs };
  } finally {
    waiting.abort();
    clearInterval(ticker);
    terminal.status('');
    kernel.off('built', onBuilt).off('progress', onProgress);
  }
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
