/** Programs that builds start. What they are is told by the file: asking each for its version would take longer. */
import fs from 'node:fs/promises';
import path from 'node:path';

const PROGRAMS = ['cc', 'c++', 'gcc', 'g++', 'clang', 'clang++', 'ld', 'mold', 'lld', 'as', 'ar'].concat([
  'cmake',
  'make',
  'ninja',
  'pkg-config',
  'python3',
  'rustc',
  'cargo',
  'zig',
]);

/** By what is looked at: nobody installs a compiler between two builds of a test. */
const known = new Map<string, Promise<readonly string[]>>();

/** @returns name, place, size and time of each that is there */
export function knownPrograms(): Promise<readonly string[]> {
  const { PATH = '', CC = '', CXX = '' } = process.env;
  const key = JSON.stringify([PATH, CC, CXX]);
  const found = known.get(key) ?? findPrograms(PATH, [CC, CXX]);
  known.set(key, found);
  return found;
}

/** Every program of these names on the path, not only the first: that may be a link to ccache, which starts the next. */
async function findPrograms(searched: string, commands: readonly string[]): Promise<readonly string[]> {
  const named = commands.flatMap((command) => command.split(' ')).filter((word) => word !== '');
  const found: string[] = [];
  for (const folder of new Set(searched.split(path.delimiter))) {
    for (const program of [...named, ...PROGRAMS]) {
      const file = await fs.realpath(path.resolve(folder, program)).catch(() => null);
      const stats = file === null ? null : await fs.stat(file).catch(() => null);
      if (stats?.isFile()) found.push(`${program} ${file} ${stats.size} ${stats.mtimeMs}`);
    }
  }
  return [...new Set(found)];
}
