/**
 * Everything that reaches outside of the program's own memory enters here, so that a test can make any of it fail.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import chokidar, { type ChokidarOptions, type FSWatcher } from 'chokidar';
import { type Here, realHere } from './here.ts';

export type { LoadedModule } from './here.ts';

/** The part of `fs.Stats` that is looked at. */
export interface FileStats {
  readonly mtimeMs: number;
  /** When bytes, name or rights last changed. Unlike `mtimeMs`, nobody can set it back. */
  readonly ctimeMs: number;
  readonly size: number;
  isFile(): boolean;
}

export interface Outside extends Here {
  stat(path: string): Promise<FileStats>;
  readFile(path: string): Promise<Buffer>;
  /** The same, at once. */
  readNow(path: string): Buffer;
  readdir(path: string): Promise<readonly { readonly name: string; isDirectory(): boolean }[]>;
  /** Deletes a file, if it is there. */
  remove(path: string): Promise<void>;
  spawn(command: string, args: readonly string[], options: SpawnOptions): ChildProcess;
  /** Signals a whole process group; 0 only looks. Returns false when it has ended already. */
  killGroup(pid: number, signal: NodeJS.Signals | 0): boolean;
  watch(paths: readonly string[], options: ChokidarOptions): FSWatcher;
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
    return realHere.native;
  },
  nowMs: realHere.nowMs,
  after: realHere.after,
  turn: realHere.turn,
  isThere: realHere.isThere,
  dlopen: realHere.dlopen,
  stat: (path) => fs.stat(path),
  readFile: (path) => fs.readFile(path),
  readNow: (path) => readFileSync(path),
  readdir: (path) => fs.readdir(path, { withFileTypes: true }),
  async remove(path) {
    await fs.unlink(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  },
  spawn: (command, args, options) => spawn(command, args, options),
  killGroup,
  watch: (paths, options) => chokidar.watch([...paths], options),
};
