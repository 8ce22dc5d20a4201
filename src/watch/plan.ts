/** Decides which folders must be watched so that no change of the wanted files is missed, and no more than those. */
import path from 'node:path';
import type { Outside } from '../outside.ts';
import { patiently } from '../patience.ts';

/** What marks a folder that is likely to outlive the folders in it. */
const MARKS = ['package.json', 'binding.gyp', '.git'];
/** Not part of a folder that is wanted as a whole, unless named itself: dependencies, hidden files, backups of editors. */
const LEFT_OUT = /^\.|^node_modules$|~$/;

export interface Plan {
  /** Existing folders to start from. */
  readonly roots: readonly string[];
  /** Whether a change of this file is one to tell of. */
  counts(file: string): boolean;
  /** Whether the path is wanted, lies in a wanted folder, or is a folder on the way to one. */
  admits(file: string): boolean;
  /** Whether wanted files lie below this folder, which may not exist now. */
  isOnTheWay(folder: string): boolean;
  /** Whether the path is wanted and was no folder when the plan was made. */
  isWantedFile(file: string): boolean;
}

/**
 * A file is watched from the nearest folder above it that holds one of {@link MARKS}: chokidar loses a file whose
 * folder is deleted or moved unless the folder above is watched too. Without such a folder it is the file's own.
 *
 * @param paths files and folders, which need not exist
 * @param ignore a string leaves out that path and all below it, a regular expression what it matches
 */
export async function planWatch(
  outside: Outside,
  paths: readonly string[],
  ignore: readonly (string | RegExp)[],
): Promise<Plan> {
  const look = cachedLook(outside);
  const files = new Set<string>();
  const folders = new Set<string>();
  const onTheWay = new Set<string>();
  const roots = new Set<string>();
  for (const wanted of paths.map((given) => path.resolve(given))) {
    const isFolder = (await look(wanted)) === 'folder';
    (isFolder ? folders : files).add(wanted);
    const marked = await nearest(path.dirname(wanted), async (folder) => {
      for (const mark of MARKS) if (await look(path.join(folder, mark))) return true;
      return false;
    });
    const start = marked ?? (isFolder ? wanted : path.dirname(wanted));
    const root =
      (await nearest(start, async (folder) => (await look(folder)) === 'folder')) ?? path.parse(start).root;
    roots.add(root);
    for (let folder = isFolder ? wanted : path.dirname(wanted); ; folder = path.dirname(folder)) {
      onTheWay.add(folder);
      if (folder === root || folder === path.dirname(folder)) break;
    }
  }
  const isIgnored = ignorer(ignore);
  const inFolder = (file: string) => [...folders].some((folder) => holds(folder, file));
  return {
    roots: [...roots].filter((root) => root === path.dirname(root) || !onTheWay.has(path.dirname(root))),
    counts: (file) => (files.has(file) || inFolder(file)) && !isIgnored(file),
    admits: (file) => onTheWay.has(file) || ((files.has(file) || inFolder(file)) && !isIgnored(file)),
    isOnTheWay: (folder) => onTheWay.has(folder),
    isWantedFile: (file) => files.has(file),
  };
}

type Look = (file: string) => Promise<'file' | 'folder' | null>;

/** Files of one project share their ancestors. */
function cachedLook(outside: Outside): Look {
  const seen = new Map<string, ReturnType<Look>>();
  return (file) => {
    const known = seen.get(file);
    if (known) return known;
    const looked = patiently(outside, () => outside.stat(file)).then(
      (found): 'file' | 'folder' => (found.isFile() ? 'file' : 'folder'),
      () => null,
    );
    seen.set(file, looked);
    return looked;
  };
}

async function nearest(start: string, fits: (folder: string) => Promise<boolean>): Promise<string | null> {
  for (let folder = start; ; folder = path.dirname(folder)) {
    if (await fits(folder)) return folder;
    if (folder === path.dirname(folder)) return null;
  }
}

function holds(folder: string, file: string): boolean {
  if (!file.startsWith(folder === path.sep ? folder : folder + path.sep)) return false;
  return !path
    .relative(folder, file)
    .split(path.sep)
    .some((name) => LEFT_OUT.test(name));
}

function ignorer(ignore: readonly (string | RegExp)[]): (file: string) => boolean {
  const rules = ignore.map((rule) => (typeof rule === 'string' ? path.resolve(rule) : rule));
  return (file) =>
    rules.some((rule) =>
      // search() starts at the beginning also for a /g or /y expression that was used before.
      typeof rule === 'string' ? file === rule || file.startsWith(rule + path.sep) : file.search(rule) !== -1,
    );
}
