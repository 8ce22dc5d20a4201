/** Edits of the configuration, and what is to be done by each. */
import type { ResolvedConfig } from '../../config/resolve.ts';
import { type ConfigWatch, watchConfig } from '../../config/watch.ts';
import { describe } from '../../errors.ts';

export interface EditListener<Request> {
  /** It was edited: this is to be done from now on. */
  wanted(request: Request): void;
  /** It was edited and cannot be used, or edits may be missed. What was in force stays so. */
  warn(message: string): void;
}

/** None is lost: what happens before somebody listens, or while one is planned by, is told of afterwards. */
export class Edits<Request> {
  readonly #plan: (config: ResolvedConfig) => Promise<Request>;
  #watch: ConfigWatch | null = null;
  #listener: EditListener<Request> | null = null;
  /** Of before somebody listened. */
  #warnings: string[] = [];
  /** The last one that was not planned by yet. */
  #edited: ResolvedConfig | null = null;
  #isPlanning = false;
  #isClosed = false;

  /** @param plan what is to be done by a configuration; rejects where that cannot be done */
  constructor(plan: (config: ResolvedConfig) => Promise<Request>) {
    this.#plan = plan;
  }

  /**
   * Watches, which keeps no process running.
   *
   * @param folder as of `loadConfigSync`
   * @returns what is in force at first
   * @throws `ERR_CONFIG_INVALID` when that cannot be used
   */
  async open(folder: string): Promise<ResolvedConfig> {
    this.#watch = await watchConfig(
      folder,
      {
        onChange: (config) => {
          this.#edited = config;
          void this.#planAll();
        },
        onError: ({ message }) => this.#warn(message),
        onWarning: (message) => this.#warn(message),
      },
      { persistent: false },
    );
    // One that was made meanwhile is in it.
    this.#edited = null;
    return this.#watch.current;
  }

  listen(listener: EditListener<Request>): void {
    this.#listener = listener;
    for (const message of this.#warnings) listener.warn(message);
    this.#warnings = [];
    void this.#planAll();
  }

  /** Nothing is told of afterwards. Safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#watch?.close();
  }

  async #planAll(): Promise<void> {
    if (this.#isPlanning) return;
    this.#isPlanning = true;
    while (this.#listener !== null && this.#edited !== null && !this.#isClosed) {
      const config = this.#edited;
      this.#edited = null;
      try {
        const request = await this.#plan(config);
        // Closing does not wait for it.
        if (!this.#isClosed) this.#listener.wanted(request);
      } catch (error) {
        this.#warn(describe(error));
      }
    }
    this.#isPlanning = false;
  }

  #warn(message: string): void {
    if (this.#isClosed) return;
    if (this.#listener === null) this.#warnings.push(message);
    else this.#listener.warn(message);
  }
}
