/** The short form of `npm run test:fuzz`: without libFuzzer, and the same inputs every time. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { buildSeeds } from '../long/fuzz/seeds.mjs';
import { createScratch, FIXTURES, NODE_INCLUDE } from '../support/addons.ts';

const MUTATIONS_OF_EACH = 200;
/** Compiling with sanitizers takes long on a machine under load. */
const COMPILE_MAX_MS = 300_000;
const ROOT = path.resolve(FIXTURES, '../..');
const CACHE = path.join(ROOT, 'node_modules/.cache/napi-reload-fuzz');
const READERS = [
  ...['anatomy', 'api_version', 'elf', 'facts', 'hash', 'imports', 'loadable', 'loadable_lookups'],
  ...['loadable_relocations', 'loader_cache', 'posix', 'private_libraries', 'rebind', 'rebind_addon'],
  ...['run_path', 'source_file', 'strings', 'whole'],
];
const SOURCES = [
  ...['target', 'mutator', 'replay'].map((name) => `test/long/fuzz/${name}.cc`),
  ...READERS.map((name) => `native/${name}.cc`),
];
const SANITIZE = ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined'];

/** Sanitizers are a part of g++ that may not be installed. */
function hasSanitizers(): boolean {
  return path.isAbsolute(execFileSync('g++', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim());
}

function buildReplay(): string {
  const flags = ['-std=c++17', '-Og', `-I${NODE_INCLUDE}`, ...(hasSanitizers() ? SANITIZE : [])];
  const hash = createHash('sha256').update(flags.join(' '));
  const headers = fs.readdirSync(path.join(ROOT, 'native')).filter((name) => name.endsWith('.h'));
  for (const file of [...SOURCES, ...headers.map((name) => `native/${name}`)]) {
    hash.update(fs.readFileSync(path.join(ROOT, file)));
  }
  const program = path.join(CACHE, `replay-${hash.digest('hex').slice(0, 16)}`);
  if (fs.existsSync(program)) return program;
  fs.mkdirSync(CACHE, { recursive: true });
  execFileSync('g++', [...flags, ...SOURCES, '-o', `${program}.${process.pid}`], { cwd: ROOT });
  fs.renameSync(`${program}.${process.pid}`, program);
  return program;
}

test(
  'whatever reads an image stays inside of its bytes when they are hostile',
  () => {
    using scratch = createScratch();
    const kept = path.join(FIXTURES, 'fuzz');
    const inputs = [
      ...buildSeeds(scratch.path),
      ...fs.readdirSync(kept).map((name) => path.join(kept, name)),
    ];
    const output = execFileSync(buildReplay(), [String(MUTATIONS_OF_EACH), ...inputs], {
      encoding: 'utf8',
      env: { ...process.env, FUZZ_FOLDER: scratch.path },
    });
    expect(output).toBe(`${inputs.length * (MUTATIONS_OF_EACH + 1)} inputs\n`);
  },
  COMPILE_MAX_MS,
);
