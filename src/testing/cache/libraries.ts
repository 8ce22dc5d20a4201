/** Files outside of a copy that its linker reads, found by their names in what says how to link. */
import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { walk } from '../../build/files.ts';
import { realOutside } from '../../outside.ts';

/** Written by gyp, by CMake and by hand: what the linker is started with is in one of these. */
const TELLS =
  /(?:\.mk|\.ninja|\.gypi?|\.cmake)$|^(?:[Mm]akefile|GNUmakefile|link\.txt|CMakeLists\.txt|build\.rs)$/;
const TELLS_BYTES_MAX = 2 ** 20;
const TOLD_MAX = 500;

const FOLDER = /(?:^|\s)-L\s*([^\s"']+)/g;
const NAME = /(?:^|\s)-l([\w.+:-]+)/g;
const FILE = /[^\s"'`=,;()[\]{}]+\.(?:a|o|so(?:\.\d+)*)(?![\w.])/g;

/** Where linkers look without being told. */
const DEFAULT_FOLDERS = ['/usr/local/lib', '/usr/lib', '/lib', '/usr/lib64'].flatMap((folder) => {
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  return [path.join(folder, `${machine}-linux-gnu`), folder];
});

export interface Told {
  /** Folders that relative names may start from. */
  readonly bases: readonly string[];
  /** What is known besides files, such as the arguments of a command. */
  readonly text: string;
}

/** @returns paths of what is there of the libraries and objects that are named, wherever that is */
export async function linkedFiles(
  folders: readonly string[],
  { bases, text }: Told,
): Promise<readonly string[]> {
  // Quotes separate words, and are no part of any.
  const texts = [...(await readTelling(folders)), text].map((each) => each.replace(/["'\\]/g, ' '));
  const pick = (pattern: RegExp): readonly string[] => [
    ...new Set(texts.flatMap((each) => [...each.matchAll(pattern)].map((found) => found[1] ?? found[0]))),
  ];
  const searched = (process.env['LIBRARY_PATH'] ?? '').split(path.delimiter).filter((each) => each !== '');
  const told = pick(FOLDER).flatMap((each) => bases.map((base) => path.resolve(base, each)));
  const named = pick(NAME).flatMap((name) => findLibrary(name, [...told, ...searched, ...DEFAULT_FOLDERS]));
  const given = pick(FILE).flatMap((file) => bases.map((base) => path.resolve(base, file)));
  return [...new Set([...named, ...given.filter((file) => existsSync(file))])];
}

/** @returns both kinds of the first folder that has one: which of them is linked is for the linker to say */
function findLibrary(name: string, folders: readonly string[]): readonly string[] {
  const names = name.startsWith(':') ? [name.slice(1)] : [`lib${name}.so`, `lib${name}.a`];
  for (const folder of folders) {
    const found = names.map((each) => path.join(folder, each)).filter((file) => existsSync(file));
    if (found.length > 0) return found;
  }
  return [];
}

async function readTelling(folders: readonly string[]): Promise<readonly string[]> {
  const wants = (file: string): boolean => TELLS.test(path.basename(file));
  const enters = (folder: string): boolean => path.basename(folder) !== 'node_modules';
  const texts: string[] = [];
  for (const folder of folders) {
    const files = (await walk(realOutside, folder, { enters, wants })) ?? [];
    for (const file of files.slice(0, TOLD_MAX)) {
      const found = await fs.stat(file).catch(() => null);
      if (found === null || found.size > TELLS_BYTES_MAX) continue;
      texts.push(await fs.readFile(file, 'utf8').catch(() => ''));
    }
  }
  return texts;
}
