// `node test/long/fuzz/seeds.mjs <folder>`: builds small images to begin with, of about 2 KB each, in `<folder>/seeds`,
// and the private library that some of them want in `<folder>`.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const SOURCE = path.join(import.meta.dirname, 'seed.c');
const SMALL = [
  ...['-Os', '-s', '-shared', '-fPIC', '-nostdlib', '-fno-asynchronous-unwind-tables', '-Wl,--build-id=none'],
  ...['-Wl,-z,noseparate-code', '-Wl,-z,max-page-size=4096', '-Wl,-z,norelro', '-Wl,--hash-style=gnu'],
];

/** @type {Record<string, (folder: string) => string[]>} */
const SEEDS = {
  plain: () => [],
  hash: () => ['-Wl,--hash-style=sysv'],
  unique: () => ['-DUNIQUE'],
  // Linked for the versions of its symbols.
  versions: () => ['-DTHREADS', '-lc'],
  lookup: () => ['-DLOOKUP', '-lc'],
  noDelete: () => ['-Wl,-z,nodelete'],
  relro: () => ['-Wl,-z,relro', '-Wl,-z,now'],
  // Its private library is a directory.
  directory: (folder) => ['-DLIBRARY', `-L${folder}`, '-lfolder', '-Wl,-rpath,$ORIGIN'],
  library: (folder) => ['-DLIBRARY', `-L${folder}`, '-lcore', '-Wl,-rpath,$ORIGIN'],
  oldPath: (folder) => [
    '-DLIBRARY',
    `-L${folder}`,
    '-lcore',
    '-Wl,-rpath,$ORIGIN',
    '-Wl,--disable-new-dtags',
  ],
};

/** @param {readonly string[]} args */
function gcc(args) {
  const { status, error, stderr } = spawnSync('gcc', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`gcc failed: ${error?.message ?? stderr}`);
}

/** @param {string} folder @returns {string[]} the images */
export function buildSeeds(folder) {
  fs.mkdirSync(path.join(folder, 'seeds'), { recursive: true });
  fs.mkdirSync(path.join(folder, 'staged'), { recursive: true });
  const library = path.join(folder, 'library.c');
  fs.writeFileSync(library, 'int core(void) { return 1; }\n');
  gcc([...SMALL, library, '-Wl,-soname,libcore.so', '-o', path.join(folder, 'libcore.so')]);
  gcc([...SMALL, library, '-Wl,-soname,staged', '-o', path.join(folder, 'libfolder.so')]);
  return Object.entries(SEEDS).map(([name, flags]) => {
    const image = path.join(folder, 'seeds', `${name}.node`);
    gcc([...SMALL, SOURCE, ...flags(folder), '-o', image]);
    return image;
  });
}

if (process.argv[1] === import.meta.filename) console.log(buildSeeds(process.argv[2] ?? '.').join('\n'));
