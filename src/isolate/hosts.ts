/** What a handle has to run versions in other threads or processes: how hosts are started, and what they share. */
import { errors } from '../errors.ts';
import type { Outside } from '../outside.ts';
import { startProcess, type ProcessOptions } from './process-line.ts';
import { SegmentPool } from './segment-pool.ts';
import type { Line, LineOptions } from './line.ts';
import { StandIns } from './stand-ins.ts';
import { startWorker, type WorkerOptions } from './worker-line.ts';

/** A rehearsal is a process whose memory nobody else sees. */
export type HostKind = 'worker' | 'process' | 'rehearsal';

export interface HostOptions extends ProcessOptions, WorkerOptions {
  /** Whether one is started ahead, for the next version or the next restart. */
  readonly spare: boolean;
  /** Whether one whose version was unloaded runs the next. */
  readonly reuse: boolean;
}

/** How long after a host was taken the next one is started: who has just begun has other things to do. */
const SPARE_DELAY_MS = 50;
/** Versions that one host runs: what they leak, such as memory that they never free, goes with it. */
export const REUSES_MAX = 100;

export class Hosts {
  readonly standIns: StandIns = new StandIns();
  readonly #kind: HostKind;
  readonly #options: HostOptions;
  readonly #addon: string;
  readonly #outside: Outside;
  /** How many versions a host has run. */
  readonly #uses = new WeakMap<Line, number>();
  readonly #inUse = new Set<Line>();
  #shared: LineOptions | null = null;
  #spare: Line | null = null;
  #cancelSpare: (() => void) | null = null;
  #isClosed = false;

  constructor(kind: HostKind, options: HostOptions, addon: string, outside: Outside) {
    this.#addon = addon;
    this.#outside = outside;
    this.#kind = kind;
    this.#options = options;
  }

  /**
   * A host that waits for a version: the spare one, or one that is started now.
   *
   * @throws `ERR_HOST_CRASHED` when Node.js refuses to start one
   */
  readonly start = (version: number): Line => {
    if (this.#spare?.isUp === false) this.#dropSpare();
    const line = this.#spare ?? this.#makeFor(version);
    this.#spare = null;
    // Where one is in use already, that one is to come back for the version after this.
    if (!this.#options.reuse || this.#inUse.size === 0) this.#prepareSpare();
    this.#inUse.add(line);
    return line;
  };

  /**
   * Takes back a host in which nothing of a version is left, as the spare one.
   *
   * @returns false where it is to end
   */
  readonly giveBack = (line: Line): boolean => {
    const uses = (this.#uses.get(line) ?? 0) + 1;
    if (!this.#options.reuse || this.#isClosed || this.#spare !== null || !line.isUp) return false;
    if (uses >= REUSES_MAX) return false;
    this.#uses.set(line, uses);
    this.#inUse.delete(line);
    line.reset();
    this.#keep(line);
    return true;
  };

  /** Waits until the spare one has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelSpare?.();
    const spare = this.#spare;
    this.#spare = null;
    if (spare !== null) {
      spare.hold(true);
      const ended = new Promise<void>((resolve) => spare.onEnd(() => resolve()));
      // It has nothing to lose.
      spare.kill('exit');
      await ended;
    }
    this.#shared?.pool.close();
  }

  /** Memory that each host sees without a copy. */
  allocate(byteLength: number): ArrayBuffer {
    return this.#lineOptions().pool.allocate(byteLength);
  }

  /** Whether `allocate` gave it. */
  readonly isShared = (buffer: ArrayBuffer): boolean => this.#shared?.pool.segmentOf(buffer) !== undefined;

  #lineOptions(): LineOptions {
    const { native } = this.#outside;
    this.#shared ??= { addon: this.#addon, native, pool: new SegmentPool({ native }) };
    return this.#shared;
  }

  #makeFor(version: number): Line {
    try {
      return this.#make();
    } catch (cause) {
      const about = { addon: this.#addon, version, exitCode: null, signal: null, stderr: '' };
      throw errors.hostCrashed({ ...about, reason: 'start-failed' }, cause);
    }
  }

  #make(): Line {
    const line = this.#startLine();
    line.onEnd(() => this.#hasEnded(line));
    return line;
  }

  #startLine(): Line {
    const shared = this.#lineOptions();
    switch (this.#kind) {
      case 'worker':
        return startWorker(this.#options, shared);
      case 'process':
        return startProcess(this.#options, shared);
      case 'rehearsal':
        return startProcess(this.#options, shared, 'rehearsal');
    }
  }

  #dropSpare(): void {
    this.#spare?.kill('exit');
    this.#spare = null;
  }

  /** Whoever needs one is told why there is none. */
  #tryToMake(): Line | null {
    try {
      return this.#make();
    } catch {
      return null;
    }
  }

  #keep(line: Line): void {
    this.#spare = line;
    line.hold(false);
  }

  #hasEnded(line: Line): void {
    if (this.#spare === line) this.#spare = null;
    // One that was to come back will not.
    if (this.#inUse.delete(line) && this.#options.reuse) this.#prepareSpare();
  }

  #prepareSpare(): void {
    if (!this.#options.spare || this.#isClosed || this.#cancelSpare !== null) return;
    const timer = setTimeout(() => {
      this.#cancelSpare = null;
      if (this.#isClosed || this.#spare !== null) return;
      const line = this.#tryToMake();
      if (line !== null) this.#keep(line);
    }, SPARE_DELAY_MS);
    // Nobody waits for it.
    timer.unref();
    this.#cancelSpare = () => clearTimeout(timer);
  }
}
