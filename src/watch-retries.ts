/** What a watch has asked for and others were too busy for is tried again: no other change will tell of it. */
import { isReloadError } from './errors.ts';

/** In a row. With their delays they take 37 s: who is busy for longer is told of by `failed`. */
const RETRIES_MAX = 12;
const DELAY_MIN_MS = 100;
const DELAY_MAX_MS = 5_000;

export interface WatchRetriesOptions {
  /** Calls back once after `delayMs`; returns what cancels it. */
  after(delayMs: number, callback: () => void): () => void;
  again(): void;
}

export class WatchRetries {
  readonly #options: WatchRetriesOptions;
  #count = 0;
  #cancel: (() => void) | null = null;

  constructor(options: WatchRetriesOptions) {
    this.#options = options;
  }

  /** What a watch asked for has failed. */
  failed(error: unknown): void {
    this.#stop();
    if (!isPassing(error) || this.#count === RETRIES_MAX) return;
    const delayMs = Math.min(DELAY_MIN_MS * 2 ** this.#count, DELAY_MAX_MS);
    this.#count += 1;
    this.#cancel = this.#options.after(delayMs, () => {
      this.#cancel = null;
      this.#options.again();
    });
  }

  /** There is nothing to try again, or something else to try. */
  reset(): void {
    this.#stop();
    this.#count = 0;
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }
}

/** Calls end, and threads come; other handles stay open until somebody closes them. */
function isPassing(error: unknown): boolean {
  return isReloadError(error, 'ERR_BUSY') && error.details.reason !== 'shared';
}
