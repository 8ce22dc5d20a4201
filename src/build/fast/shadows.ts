/** Headers that an include could find instead of the one that it found, in another folder of the search. */
import path from 'node:path';
import type { Outside } from '../../outside.ts';

/**
 * Looks for them in all folders of the search, also in later ones and in such as were not there: none that appears earlier
 * is missed, and one that appears later costs no more than a header that is made once more.
 *
 * @param files absolute paths of headers that includes found
 * @param folders absolute paths of those that the compiler searches
 * @returns absolute paths of other files with the names that `files` have below one of the folders
 */
export async function shadowsOf(
  outside: Outside,
  files: readonly string[],
  folders: readonly string[],
): Promise<readonly string[]> {
  const names = namesBelow(files, folders);
  const found = await Promise.all(folders.map((folder) => findBelow(outside, folder, names)));
  const known = new Set(files);
  return [...new Set(found.flat())].filter((file) => !known.has(file));
}

/** By the part between a folder and the name itself, such as `.` or `bits`. */
type Names = ReadonlyMap<string, ReadonlySet<string>>;

function namesBelow(files: readonly string[], folders: readonly string[]): Names {
  const names = new Map<string, Set<string>>();
  for (const file of files) {
    for (const folder of folders) {
      if (!file.startsWith(`${folder}/`)) continue;
      const { dir, base } = path.parse(file.slice(folder.length + 1));
      names.set(dir, (names.get(dir) ?? new Set()).add(base));
    }
  }
  return names;
}

async function findBelow(outside: Outside, folder: string, names: Names): Promise<readonly string[]> {
  const list = (dir: string) => outside.readdir(path.join(folder, dir)).catch(() => []);
  const top = await list('');
  const subfolders = new Set(top.map(({ name }) => name));
  const looks = [...names].map(async ([dir, wanted]) => {
    // Most folders have none of the others' subfolders: they are asked once.
    if (dir !== '' && !subfolders.has(dir.split('/', 1)[0] ?? '')) return [];
    const entries = dir === '' ? top : await list(dir);
    const found = entries.filter((entry) => wanted.has(entry.name) && !entry.isDirectory());
    return found.map(({ name }) => path.join(folder, dir, name));
  });
  return (await Promise.all(looks)).flat();
}
