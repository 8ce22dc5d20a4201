/**
 * Everything that reaches outside of the program's own memory enters here, so that a test can make any of it fail.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import chokidar, { type ChokidarOptions, type FSWatcher } from 'chokidar';
import { guardGroups } from './group-guard.ts';
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
  /** Whether this user may execute the file, or enter the folder. */
  mayExecute(path: string): Promise<boolean>;
  /** Deletes a file, if it is there. */
  remove(path: string): Promise<void>;
  /** Deletes a folder with all in it, if it is there. */
  removeFolder(path: string): Promise<void>;
  /** Makes a folder that this user alone can use, and those above it. Rejects when one of the name is another user's. */
  makePrivateFolder(path: string): Promise<void>;
  /** Writes a whole file under its name at once. */
  writeFile(path: string, text: string, mode: number): Promise<void>;
  /** Gives a file or folder another name. */
  rename(from: string, to: string): Promise<void>;
  /** Sets the time of the last change. */
  setModified(path: string, modifiedMs: number): Promise<void>;
  spawn(command: string, args: readonly string[], options: SpawnOptions): ChildProcess;
  /** Signals a whole process group; 0 only looks. Returns false when it has ended already. */
  killGroup(pid: number, signal: NodeJS.Signals | 0): boolean;
  /** Gives what has a process group killed when this thread ends, however it does; that returns what ends it. */
  guardGroups(): (pid: number) => () => void;
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

async function makePrivateFolder(folder: string): Promise<void> {
  await fs.mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await fs.lstat(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) {
    throw new Error(`${JSON.stringify(folder)} is not a folder of this user alone`);
  }
}

async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const scratch = `${file}.${process.pid}-${randomUUID()}`;
  try {
    await fs.writeFile(scratch, text, { mode });
    await fs.rename(scratch, file);
  } catch (error) {
    await fs.rm(scratch, { force: true });
    throw error;
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
  mayExecute: (path) =>
    fs.access(path, fs.constants.X_OK).then(
      () => true,
      () => false,
    ),
  async remove(path) {
    await fs.unlink(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  },
  removeFolder: (path) => fs.rm(path, { recursive: true, force: true }),
  makePrivateFolder,
  writeFile: writeWhole,
  rename: (from, to) => fs.rename(from, to),
  setModified: (path, modifiedMs) => fs.lutimes(path, new Date(), new Date(modifiedMs)),
  spawn: (command, args, options) => spawn(command, args, options),
  killGroup,
  guardGroups,
  watch: (paths, options) => chokidar.watch([...paths], options),
};
