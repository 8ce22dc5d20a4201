/** What of the outside a version needs that runs: all that a host has. */
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import type { ShimPath, StagedPath } from './brands.ts';
import { Rest } from './later.ts';
import { loadNative, type Native } from './native.ts';

/** The part of `NodeModule` that `process.dlopen` looks at. */
export interface LoadedModule {
  exports: unknown;
  readonly filename: string;
}

export interface Here {
  readonly native: Native;
  /** Monotonic, in milliseconds. */
  nowMs(): number;
  /** Calls back once after `delayMs`, which keeps the process alive; returns what cancels it. */
  after(delayMs: number, callback: () => void): () => void;
  /** One turn of the event loop, in which finalizers run and messages of other threads come. Keeps the process alive. */
  turn(): Promise<void>;
  /** Whether a file or folder has that path. */
  isThere(path: string): boolean;
  /** `process.dlopen`, RTLD_NOW and local: of a staged copy, or of the shim for a version that the shim opened. */
  dlopen(module: LoadedModule, path: StagedPath | ShimPath): void;
}

/** Without the watcher and the builders: a host that is started is waited for. */
export const realHere: Here = {
  get native() {
    return loadNative();
  },
  nowMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  turn: () =>
    new Promise((resolve) => {
      setImmediate(resolve);
    }),
  isThere: existsSync,
  dlopen(module, path) {
    // Its init may load others: only this one is ours.
    own.add(path);
    try {
      process.dlopen(module, path, constants.dlopen.RTLD_NOW);
    } finally {
      own.delete(path);
    }
  },
};

const own = new Set<string>();

/** Whether the file is one that a handle of this thread loads right now: a copy, or the shim. */
export function isOwnLoad(file: string): boolean {
  return own.has(file);
}

/** A rest of `ms` milliseconds, by the clock of the outside. */
export function rest(ms: number, outside: Pick<Here, 'after'>): Rest {
  return new Rest(
    ms,
    () =>
      new Promise((resolve) => {
        outside.after(ms, resolve);
      }),
  );
}
