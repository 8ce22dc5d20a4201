/** What a handle has to run versions in other threads or processes: how hosts are started, and what they share. */
import { startProcess, type ProcessOptions } from './process-line.ts';
import type { Line } from './session.ts';
import { StandIns } from './stand-ins.ts';
import { startWorker, type WorkerOptions } from './worker-line.ts';

export type Isolation = 'inline' | 'worker' | 'process';

export interface HostOptions extends ProcessOptions, WorkerOptions {
  /** Whether one is started ahead, for the next version or the next restart. */
  readonly spare: boolean;
}

/** How long after a host was taken the next one is started: who has just begun has other things to do. */
const SPARE_DELAY_MS = 50;

export class Hosts {
  readonly standIns: StandIns = new StandIns();
  readonly #kind: 'worker' | 'process';
  readonly #options: HostOptions;
  #spare: Line | null = null;
  #cancelSpare: (() => void) | null = null;
  #isClosed = false;

  constructor(kind: 'worker' | 'process', options: HostOptions) {
    this.#kind = kind;
    this.#options = options;
  }

  /** A host that waits for a version: the spare one, or one that is started now. */
  readonly start = (): Line => {
    const line = this.#spare?.isUp ? this.#spare : this.#make();
    this.#spare = null;
    this.#prepareSpare();
    return line;
  };

  /** Waits until the spare one has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelSpare?.();
    const spare = this.#spare;
    this.#spare = null;
    if (spare === null) return;
    spare.hold(true);
    const ended = new Promise<void>((resolve) => spare.onEnd(() => resolve()));
    // It has nothing to lose.
    spare.kill('exit');
    await ended;
  }

  #make(): Line {
    return this.#kind === 'process' ? startProcess(this.#options) : startWorker(this.#options);
  }

  #prepareSpare(): void {
    if (!this.#options.spare || this.#isClosed || this.#cancelSpare !== null) return;
    const timer = setTimeout(() => {
      this.#cancelSpare = null;
      if (this.#isClosed || this.#spare !== null) return;
      const line = this.#make();
      line.hold(false);
      line.onEnd(() => {
        if (this.#spare === line) this.#spare = null;
      });
      this.#spare = line;
    }, SPARE_DELAY_MS);
    // Nobody waits for it.
    timer.unref();
    this.#cancelSpare = () => clearTimeout(timer);
  }
}
