/** Ctrl-C and its like, as an AbortSignal: the first one ends in good order, the second one at once. */
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Why the signal fired. */
export class Stopped extends Error {
  /** @param {NodeJS.Signals} by */
  constructor(by) {
    super(`Stopped by ${by}`);
    /** What a shell reports of a process that such a signal ended. */
    this.exitCode = 128 + constants.signals[by];
  }
}

/** @returns {AbortSignal} that fires with {@link Stopped} */
export function stopSignal() {
  const controller = new AbortController();
  for (const name of SIGNALS) process.once(name, () => controller.abort(new Stopped(name)));
  return controller.signal;
}
