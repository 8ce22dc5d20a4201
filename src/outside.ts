/**
 * Everything that reaches outside of the program's own memory enters here, so that a test can make any of it fail.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { constants } from 'node:os';
import fs from 'node:fs/promises';
import chokidar, { type ChokidarOptions, type FSWatcher } from 'chokidar';
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

export interface Outside {
  readonly native: Native;
  /** Monotonic, in milliseconds. */
  nowMs(): number;
  /** Calls back once after `delayMs`, which keeps the process alive; returns what cancels it. */
  after(delayMs: number, callback: () => void): () => void;
  /** One turn of the event loop, in which finalizers run and messages of other threads come. Keeps the process alive. */
  turn(): Promise<void>;
  readFile(path: string): Promise<Buffer>;
  stat(path: string): Promise<FileStats>;
  readdir(path: string): Promise<readonly { readonly name: string; isDirectory(): boolean }[]>;
  /** Deletes a file, if it is there. */
  remove(path: string): Promise<void>;
  spawn(command: string, args: readonly string[], options: SpawnOptions): ChildProcess;
  /** Signals a whole process group; 0 only looks. Returns false when it has ended already. */
  killGroup(pid: number, signal: NodeJS.Signals | 0): boolean;
  watch(paths: readonly string[], options: ChokidarOptions): FSWatcher;
  /** `process.dlopen`, RTLD_NOW and local: of a staged copy, or of the shim for a version that the shim opened. */
  dlopen(module: LoadedModule, path: StagedPath | ShimPath): void;
}

function killGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

export const realOutside: Outside = {
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
  readFile: (path) => fs.readFile(path),
  stat: (path) => fs.stat(path),
  readdir: (path) => fs.readdir(path, { withFileTypes: true }),
  async remove(path) {
    await fs.unlink(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  },
  spawn: (command, args, options) => spawn(command, args, options),
  killGroup,
  watch: (paths, options) => chokidar.watch([...paths], options),
  dlopen(module, path) {
    process.dlopen(module, path, constants.dlopen.RTLD_NOW);
  },
};
