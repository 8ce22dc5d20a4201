/** Where a configuration is. */
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { errors } from '../errors.ts';
import { readJson, readText } from './read.ts';

/** Its names, of which a folder may have one. */
export const CONFIG_FILES: readonly string[] = ['ts', 'mts', 'mjs', 'js', 'cjs', 'json'].map(
  (extension) => `napi-reload.config.${extension}`,
);
export const PACKAGE_FILE = 'package.json';
/** Its name in package.json. */
export const PACKAGE_KEY = 'napiReload';

/**
 * Looks for the nearest configuration, up to the root of the file system. Those of other users in folders that everybody
 * can write to are passed by.
 *
 * @returns its absolute path; null when there is none
 * @throws `ERR_CONFIG_INVALID` when a folder has more than one, or what it says in package.json cannot be read
 */
export function findConfig(from: string): string | null {
  for (const folder of foldersAbove(from)) {
    const found = configsIn(folder);
    if (found.length > 1) {
      throw errors.configInvalid({
        file: folder,
        option: null,
        found: found.map(nameOf).join(' and '),
        wanted: 'one of them',
      });
    }
    if (found[0] !== undefined) return path.join(folder, found[0]);
  }
  return null;
}

/** @returns the folder, and those above it up to the root */
export function* foldersAbove(from: string): Generator<string> {
  for (let folder = path.resolve(from); ; folder = path.dirname(folder)) {
    yield folder;
    if (folder === path.dirname(folder)) return;
  }
}

function configsIn(folder: string): readonly string[] {
  const files = CONFIG_FILES.filter((name) => isUsable(path.join(folder, name)));
  const manifest = path.join(folder, PACKAGE_FILE);
  return isUsable(manifest) && packageConfig(manifest) !== undefined ? [...files, PACKAGE_FILE] : files;
}

/** @returns what a package.json says; undefined when that is nothing */
export function packageConfig(manifest: string): unknown {
  // Of one that says nothing here, no fault is told either: it may be any package's on the way up.
  if (!readText(manifest).includes(`"${PACKAGE_KEY}"`)) return undefined;
  const content = readJson(manifest);
  if (typeof content !== 'object' || content === null) return undefined;
  return (content as Record<string, unknown>)[PACKAGE_KEY];
}

function nameOf(name: string): string {
  return JSON.stringify(name === PACKAGE_FILE ? `${PACKAGE_FILE}#${PACKAGE_KEY}` : name);
}

/** @returns false also for what cannot be looked at, such as a link to itself: it may be anybody's on the way up */
function isUsable(file: string): boolean {
  try {
    return fs.statSync(file).isFile() && !isStrangers(file);
  } catch {
    return false;
  }
}

/** Root owns what everybody shares, and may do anything anyway. */
const ROOT_UID = 0;
const WRITABLE_BY_ALL = 0o002;

/**
 * Whether a file in a folder that everybody can write to, such as /tmp, is another user's: a configuration is a program,
 * which nobody in a folder below has asked for.
 */
function isStrangers(file: string): boolean {
  const { mode } = fs.statSync(path.dirname(file));
  // Whose link it is matters as well as whose file.
  const owners = [fs.lstatSync(file).uid, fs.statSync(file).uid];
  const own = [process.getuid?.() ?? ROOT_UID, ROOT_UID];
  return (mode & WRITABLE_BY_ALL) !== 0 && owners.some((uid) => !own.includes(uid));
}
