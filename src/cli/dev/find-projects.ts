/** Which addons there are to build, before the app has opened any. */
import fs from 'node:fs';
import path from 'node:path';
import { gypAddons } from '../../build/gyp-targets.ts';
import { nearestWith, readText } from '../../build/files.ts';
import type { Outside } from '../../outside.ts';

/** Files that say how an addon is built, the first of a folder counts. */
export const DESCRIPTIONS: readonly string[] = ['binding.gyp', 'CMakeLists.txt', 'Cargo.toml'];
/** Folders below the one that is searched which may be projects of their own: `native/`, `packages/<name>/`. */
const DEPTH_MAX = 2;
/** Folders that are looked into. */
const FOLDERS_MAX = 1_000;
/** Not where projects are: dependencies, results, hidden folders, tests and their fixtures. */
const LEFT_OUT =
  /^\.|^(?:node_modules|build|dist|out|target|test|tests|fixtures|examples|vendor|third_party)$/;

/**
 * Looks for projects in a folder; only where it is none itself, below it.
 *
 * @returns absolute paths of the addons that their builds write, by the folder of the project
 */
export async function findAddons(
  outside: Outside,
  folder: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  let level: readonly string[] = [path.resolve(folder)];
  let looked = 0;
  for (let depth = 0; depth <= DEPTH_MAX && level.length > 0; depth++) {
    const next: string[] = [];
    for (const each of level) {
      looked += 1;
      if (looked > FOLDERS_MAX) return found;
      const addons = await addonsIn(outside, each);
      if (addons !== null) found.set(each, addons);
      else next.push(...(await foldersIn(outside, each)));
    }
    level = next;
  }
  return found;
}

/** @returns the addons that the project in this very folder builds; null when it is none, empty when nothing tells */
export async function addonsIn(outside: Outside, folder: string): Promise<readonly string[] | null> {
  const gyp = await readText(outside, path.join(folder, 'binding.gyp'));
  if (gyp !== null) return gypAddons(outside, folder);
  const cmake = await readText(outside, path.join(folder, 'CMakeLists.txt'));
  return cmake === null || !isForAddons(cmake) ? null : cmakeAddons(cmake, folder);
}

/**
 * The project of an addon that the app has opened.
 *
 * @returns its folder; null for an addon of a dependency, and for one that nothing here builds
 */
export async function projectOf(outside: Outside, addon: string): Promise<string | null> {
  if (realPathOf(addon).split(path.sep).includes('node_modules')) return null;
  return nearestWith(outside, path.dirname(addon), DESCRIPTIONS);
}

function realPathOf(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch {
    return file;
  }
}

async function foldersIn(outside: Outside, folder: string): Promise<readonly string[]> {
  const entries = await outside.readdir(folder).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !LEFT_OUT.test(entry.name))
    .map(({ name }) => path.join(folder, name))
    .sort();
}

/** CMake builds all kinds of things; those that include Node's headers, or say so, are addons. */
function isForAddons(text: string): boolean {
  return /CMAKE_JS_|SUFFIX\s+"\.node"|node-addon-api|node_api/i.test(text);
}

/** As cmake-js has them built: in `build/Release`, by the names of the libraries. */
function cmakeAddons(text: string, folder: string): readonly string[] {
  const plain = text.replace(/#.*$/gm, '');
  const project = /\bproject\s*\(\s*"?([\w.-]+)/i.exec(plain)?.[1];
  const names = [...plain.matchAll(/\badd_library\s*\(\s*"?(\$\{\w+\}|[\w.-]+)"?\s+(?:SHARED|MODULE)\b/gi)];
  return names.flatMap(([, name = '']) => {
    const known = /^\$\{(?:CMAKE_)?PROJECT_NAME\}$/i.test(name) ? project : name;
    return known === undefined || known.startsWith('$')
      ? []
      : path.join(folder, 'build/Release', `${known}.node`);
  });
}
