/**
 * Objects that look newer than what they were compiled from.
 *
 * A compiler reads a source, the source is edited, the object is written: make compares times and keeps the object.
 * So objects of files that changed during a build are deleted at its end, however it ended.
 */
import path from 'node:path';
import type { Outside } from '../outside.ts';
import { parseDepfile } from './depfiles.ts';
import { hasChangedSince, isFile, isInside, modifiedMs, readText, walk } from './files.ts';

/** A second after the epoch, in milliseconds: before any source's. ninja takes 0 for a file that is not there. */
export const OLD_MS = 1_000;

export interface CompiledObject {
  /** Absolute path of what was compiled. */
  readonly file: string;
  /** What it was compiled from, as the tool names it: in a depfile of this absolute path, or known already. */
  readonly from: { readonly depfile: string } | { readonly names: readonly string[] };
}

/** Of others, and of version control. */
const FOREIGN: readonly string[] = ['node_modules', '.git'];
const OBJECT = /\.(?:o|obj)$/;

/** @returns absolute paths of all objects below `folder`, but for those of dependencies */
export async function listObjects(outside: Outside, folder: string): Promise<readonly string[]> {
  return (await walk(outside, folder, { enters: isOwnFolder, wants: (file) => OBJECT.test(file) })) ?? [];
}

const isOwnFolder = (folder: string): boolean => !FOREIGN.includes(path.basename(folder));

/** Deletes all objects below `folder`, so that the next build compiles everything. The addon stays. */
export async function removeAllObjects(outside: Outside, folder: string): Promise<void> {
  for (const file of await listObjects(outside, folder)) await outside.remove(file).catch(() => {});
}

/**
 * Gives an old time to all that looks as if it were made in the future, as the clock was set back since: else an edit of
 * what it was made from, which looks older, would have no effect. Never rejects.
 *
 * @param folder absolute, of what builds make alone: no source is below it
 */
export async function makeOld(outside: Outside, folder: string): Promise<void> {
  const nowMs = Date.now();
  for (const file of (await walk(outside, folder, { enters: isOwnFolder, wants: () => true })) ?? []) {
    const madeMs = await modifiedMs(outside, file);
    if (madeMs !== null && madeMs > nowMs) await outside.setModified(file, OLD_MS).catch(() => {});
  }
}

/** @returns objects with a depfile beside them, below `folder`: `x.o` with `x.d` or `x.o.d` */
export async function findObjects(outside: Outside, folder: string): Promise<readonly CompiledObject[]> {
  const found: CompiledObject[] = [];
  for (const depfile of await findDepfiles(outside, folder, /\.d$/)) {
    const stem = depfile.slice(0, -'.d'.length);
    const file = stem.endsWith('.o') ? stem : `${stem}.o`;
    if (await isFile(outside, file)) found.push({ file, from: { depfile } });
  }
  return found;
}

/**
 * @param build absolute folder that make runs in
 * @param depsFolder absolute folder in which gyp keeps depfiles, under the names of the objects
 */
export async function findGypObjects(
  outside: Outside,
  build: string,
  depsFolder: string,
): Promise<readonly CompiledObject[]> {
  const depfiles = await findDepfiles(outside, depsFolder, /\.o\.d(?:\.raw)?$/);
  return depfiles.map((depfile) => {
    const name = path.relative(depsFolder, depfile).replace(/\.d(?:\.raw)?$/, '');
    return { file: path.join(build, name), from: { depfile } };
  });
}

async function findDepfiles(outside: Outside, folder: string, name: RegExp): Promise<readonly string[]> {
  return (
    (await walk(outside, folder, { enters: () => true, wants: (file) => name.test(path.basename(file)) })) ??
    []
  );
}

export interface StaleSearch {
  readonly objects: readonly CompiledObject[];
  /** Absolute folders that a relative name in a depfile may start from. */
  readonly bases: readonly string[];
  /** Absolute folder that the build writes to, if sources are elsewhere: what is read from there changes in each build. */
  readonly output: string | null;
  /** Start of the build by the wall clock, in milliseconds. */
  readonly sinceMs: number;
}

/** Deletes each object that was compiled from a file that has changed since the build began. Never rejects. */
export async function removeStaleObjects(
  outside: Outside,
  { objects, bases, output, sinceMs }: StaleSearch,
): Promise<void> {
  const looked = new Map<string, Promise<boolean>>();
  const look = async (name: string): Promise<boolean> => {
    const files = bases.map((base) => path.resolve(base, name));
    const read = [...new Set(files)].filter((file) => output === null || !isInside(output, file));
    return (await Promise.all(read.map((file) => hasChangedSince(outside, file, sinceMs)))).includes(true);
  };
  const isLate = (name: string): Promise<boolean> => {
    const found = looked.get(name) ?? look(name);
    looked.set(name, found);
    return found;
  };
  for (const { file, from } of objects) {
    if (!(await isStale(outside, from, isLate))) continue;
    // What cannot be deleted could not be written by the build either.
    await outside.remove(file).catch(() => {});
  }
}

async function isStale(
  outside: Outside,
  from: CompiledObject['from'],
  isLate: (name: string) => Promise<boolean>,
): Promise<boolean> {
  // Left over from a compilation that was stopped: what it read is in no finished depfile.
  if ('depfile' in from && from.depfile.endsWith('.raw')) return true;
  const names = 'names' in from ? from.names : parseDepfile((await readText(outside, from.depfile)) ?? '');
  return (await Promise.all(names.map(isLate))).includes(true);
}
