/** What of the outside a version needs that runs: all that a host has. */
import fs from 'node:fs/promises';
import { constants } from 'node:os';
import type { ShimPath, StagedPath } from './brands.ts';
import { loadNative, type Native } from './native.ts';

/** The part of `NodeModule` that `process.dlopen` looks at. */
export interface LoadedModule {
  exports: unknown;
  readonly filename: string;
}

/** The part of `fs.Stats` that is looked at. */
export interface FileStats {
  readonly mtimeMs: number;
  /** When bytes, name or rights last changed. Unlike `mtimeMs`, nobody can set it back. */
  readonly ctimeMs: number;
  readonly size: number;
  isFile(): boolean;
}

export interface Here {
  readonly native: Native;
  /** Monotonic, in milliseconds. */
  nowMs(): number;
  /** Calls back once after `delayMs`, which keeps the process alive; returns what cancels it. */
  after(delayMs: number, callback: () => void): () => void;
  /** One turn of the event loop, in which finalizers run and messages of other threads come. Keeps the process alive. */
  turn(): Promise<void>;
  stat(path: string): Promise<FileStats>;
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
  stat: (path) => fs.stat(path),
  dlopen(module, path) {
    process.dlopen(module, path, constants.dlopen.RTLD_NOW);
  },
};
