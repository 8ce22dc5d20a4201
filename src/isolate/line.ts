/** The way to a host, whether that is a Worker or a process, and how a host ends. */
import type { Native } from '../native.ts';
import type { Arrays } from './arrays.ts';
import type { FromHost, MemoryAnswer, MemoryAsk, ToHost } from './messages.ts';
import type { SegmentPool } from './segment-pool.ts';

/** How a host ended. */
export interface HostEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Last lines of what it wrote to its standard error. */
  readonly stderr: string;
  /** Why we ended it, where we did because of what it did. */
  readonly reason: 'exit' | 'call-timeout' | 'memory-limit' | 'start-failed';
  /** What an uncaught exception of a Worker was, or why there is no process. */
  readonly cause?: unknown;
}

/** A Worker or a process that has started, whichever it is. */
export interface Line {
  post(message: ToHost): void;
  /** One listener, called in order; also with those that came before anybody listened. */
  onMessage(listener: (message: FromHost) => void): void;
  /** Whoever asks waits with its whole thread. */
  onMemoryAsk(listener: (request: MemoryAsk) => MemoryAnswer): void;
  /** Called once. @returns what takes the listener off */
  onEnd(listener: (end: HostEnd) => void): () => void;
  /** Makes it as if it had just started, for another version. Nothing of the one before may be left in it. */
  reset(): void;
  /** Whether it keeps this process alive. */
  hold(on: boolean): void;
  /** Ends it whatever it does; `reason` is told to who listens. */
  kill(reason: HostEnd['reason']): void;
  /** Asks it to end. */
  end(): void;
  /** False from the first sign of its end, which is told only after its last words. */
  readonly isUp: boolean;
  readonly arrays: Arrays;
  /** Of a process; null for a Worker. */
  readonly pid: number | null;
}

/** What lines of one handle share. */
export interface LineOptions {
  /** Path of the addon, for messages. */
  readonly addon: string;
  readonly native: Native;
  /** Arrays of ours in it go to each host without a copy. */
  readonly pool: SegmentPool;
}
