/** Feeds rows to the kernel from the event loop, at the pace of a clock and not of the processor. */
import { setTimeout as pause } from 'node:timers/promises';
import { COLUMNS } from './flights.mjs';

/** Rows for one turn of the event loop: some 20 µs of work. */
const BATCH_ROWS = 100;
/** Shortest pause when the stream is ahead of its pace. */
const PAUSE_MS = 2;

/**
 * Starts to push rows, reading the data set again from its first row as often as it takes.
 *
 * @param {{ rows: number, cells: Float64Array }} flights
 * @param {(batch: Float64Array) => void} push
 * @param {{ rowsPerSecond: number, rowsMax?: number }} pace  the stream breaks at `rowsMax`; default: no bound
 */
export function startStream(flights, push, { rowsPerSecond, rowsMax = Number.POSITIVE_INFINITY }) {
  const startMs = performance.now();
  let rows = 0;
  let paced = true;
  let stopped = false;
  let settle;
  const ended = new Promise((resolve, reject) => {
    settle = { resolve, reject };
  });
  ended.catch(() => undefined);

  const pushBatch = () => {
    const first = rows % flights.rows;
    const last = Math.min(first + BATCH_ROWS, flights.rows);
    push(flights.cells.subarray(first * COLUMNS, last * COLUMNS));
    rows += last - first;
    if (rows >= rowsMax) throw new Error(`Stopped after ${rows} rows: nothing ended the stream`);
  };
  const turn = () => {
    try {
      if (stopped || (!paced && rows % flights.rows === 0)) {
        settle.resolve();
        return;
      }
      const aheadMs = paced ? (rows * 1000) / rowsPerSecond - (performance.now() - startMs) : 0;
      if (aheadMs > 0) {
        setTimeout(turn, Math.max(aheadMs, PAUSE_MS));
        return;
      }
      pushBatch();
      setImmediate(turn);
    } catch (error) {
      settle.reject(error);
    }
  };
  turn();

  return {
    /** Rows pushed so far. */
    get rows() {
      return rows;
    },
    /** Rejects when a push throws; resolves once the stream has ended. */
    ended,
    /** Resolves when so many rows were pushed. */
    async reached(count) {
      while (rows < count && !stopped) await Promise.race([pause(PAUSE_MS), ended]);
    },
    /** Pushes the rest of the data set without pauses, and ends. */
    finish() {
      paced = false;
      return ended;
    },
    /** Ends where it is. */
    stop() {
      stopped = true;
      return ended;
    },
  };
}
