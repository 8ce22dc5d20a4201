/**
 * Objects that look newer than what they were compiled from.
 *
 * A compiler reads a source, the source is edited, the object is written: make compares times and keeps the object.
 * So objects of files that changed during a build are deleted at its end, however it ended.
 */
import path from 'node:path';
import type { Outside } from '../outside.ts';
import { parseDepfile } from './depfiles.ts';
import { hasChangedSince, isFile, isInside, readText, walk } from './files.ts';

export interface CompiledObject {
  /** Absolute path of what was compiled. */
  readonly file: string;
  /** Absolute path of the depfile that names what it was compiled from. */
  readonly depfile: string;
}

/** @returns objects with a depfile beside them, below `folder`: `x.o` with `x.d` or `x.o.d` */
export async function findObjects(outside: Outside, folder: string): Promise<readonly CompiledObject[]> {
  const found: CompiledObject[] = [];
  for (const depfile of await findDepfiles(outside, folder, /\.d$/)) {
    const stem = depfile.slice(0, -'.d'.length);
    const file = stem.endsWith('.o') ? stem : `${stem}.o`;
    if (await isFile(outside, file)) found.push({ file, depfile });
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
    return { file: path.join(build, name), depfile };
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
  /** Absolute folder that the build writes to; what is read from there changes in each build. */
  readonly output: string;
  /** Start of the build by the wall clock, in milliseconds. */
  readonly sinceMs: number;
}

/** Deletes each object that was compiled from a file that has changed since the build began. Never rejects. */
export async function removeStaleObjects(
  outside: Outside,
  { objects, bases, output, sinceMs }: StaleSearch,
): Promise<void> {
  const looked = new Map<string, boolean>();
  const isLate = async (name: string): Promise<boolean> => {
    const known = looked.get(name);
    if (known !== undefined) return known;
    let late = false;
    for (const file of bases.map((base) => path.resolve(base, name))) {
      late ||= !isInside(output, file) && (await hasChangedSince(outside, file, sinceMs));
    }
    looked.set(name, late);
    return late;
  };
  for (const { file, depfile } of objects) {
    if (!(await isStale(outside, depfile, isLate))) continue;
    // What cannot be deleted could not be written by the build either.
    await outside.remove(file).catch(() => {});
  }
}

async function isStale(
  outside: Outside,
  depfile: string,
  isLate: (name: string) => Promise<boolean>,
): Promise<boolean> {
  // Left over from a compilation that was stopped: what it read is in no finished depfile.
  if (depfile.endsWith('.raw')) return true;
  for (const name of parseDepfile((await readText(outside, depfile)) ?? '')) {
    if (await isLate(name)) return true;
  }
  return false;
}
