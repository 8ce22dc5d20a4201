/** Looking at files and folders, where an absent one is an answer and no failure. */
import path from 'node:path';
import type { Outside } from '../outside.ts';
import { patiently } from '../patience.ts';

/** Entries that one walk looks at before it gives up. */
export const WALK_ENTRIES_MAX = 50_000;
/** The most that the clock of a local file system may be behind, in milliseconds: a tick of a kernel with 100 a second. */
export const CLOCK_STEP_MS = 10;
/** The same for a file system that keeps whole seconds, in milliseconds: some keep only even ones. */
const WHOLE_SECONDS_STEP_MS = 2_000;

/** @returns the time of the last change in milliseconds; null when there is no such file */
export async function modifiedMs(outside: Outside, file: string): Promise<number | null> {
  return outside.stat(file).then(
    (found) => found.mtimeMs,
    () => null,
  );
}

/**
 * Whether the file has changed at `sinceMs` of the wall clock or later, or so little before that a coarse clock cannot
 * tell. False when there is no such file.
 */
export async function hasChangedSince(outside: Outside, file: string, sinceMs: number): Promise<boolean> {
  const found = await patiently(outside, () => outside.stat(file)).catch(() => null);
  if (found === null) return false;
  const stepMs = found.ctimeMs % 1_000 === 0 ? WHOLE_SECONDS_STEP_MS : CLOCK_STEP_MS;
  return found.ctimeMs + stepMs >= sinceMs;
}

/** False also for a folder. */
export async function isFile(outside: Outside, file: string): Promise<boolean> {
  return outside.stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** @returns its text; null when it cannot be read */
export async function readText(outside: Outside, file: string): Promise<string | null> {
  return outside.readFile(file).then(
    (bytes) => bytes.toString('utf8'),
    () => null,
  );
}

/** Whether `file` is `folder` or lies below it. Both absolute and normalised. */
export function isInside(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  return relative !== '..' && !relative.startsWith(`..${path.sep}`);
}

/** Whether `file` is one of the project in `root`, and not of a package that it has installed. */
export function isOwn(root: string, file: string): boolean {
  return isInside(root, file) && !path.relative(root, file).split(path.sep).includes('node_modules');
}

/** @returns the nearest folder at or above `start` that holds one of `names`; null when none does */
export async function nearestWith(
  outside: Outside,
  start: string,
  names: readonly string[],
): Promise<string | null> {
  for (let folder = start; ; folder = path.dirname(folder)) {
    for (const name of names) {
      if (await isFile(outside, path.join(folder, name))) return folder;
    }
    if (folder === path.dirname(folder)) return null;
  }
}

export interface Walk {
  /** Whether to look into the folder of this path. */
  enters(folder: string): boolean;
  /** Whether the file of this path is wanted. */
  wants(file: string): boolean;
  /** Whether a folder that cannot be read is no folder with nothing in it. @defaultValue false */
  readonly isStrict?: boolean;
}

/** @returns absolute paths in no order; null when there are more than {@link WALK_ENTRIES_MAX} entries, or it is strict and fails */
export async function walk(
  outside: Outside,
  root: string,
  { enters, wants, isStrict = false }: Walk,
): Promise<string[] | null> {
  const files: string[] = [];
  const folders = [root];
  let looked = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    // A folder that goes away meanwhile has nothing in it.
    const entries = await patiently(outside, () => outside.readdir(folder)).catch(() =>
      isStrict ? null : [],
    );
    looked += entries?.length ?? 0;
    if (entries === null || looked > WALK_ENTRIES_MAX) return null;
    for (const entry of entries) {
      const full = path.join(folder, entry.name);
      if (!entry.isDirectory()) {
        if (wants(full)) files.push(full);
      } else if (enters(full)) folders.push(full);
    }
  }
  return files;
}
