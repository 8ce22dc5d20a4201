/** What a build is made from, as one name: equal names, equal addons. */
import { createHash, type Hash } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { ResolvedKit } from './options.ts';
import type { Workspace } from './workspace.ts';

/** Of the cache's own layout, and of this list. */
const FORMAT = 1;

/** Programs that builds start. What they are is told by the file: asking each for its version would take longer. */
const PROGRAMS = [
  'cc',
  'c++',
  'gcc',
  'g++',
  'clang',
  'clang++',
  'ld',
  'mold',
  'lld',
  'cmake',
  'rustc',
  'zig',
];

/** Variables that compilers and builders read. */
const VARIABLES =
  /^(?:CC|CXX|AR|AS|LD|LINK|NM|RANLIB|\w*FLAGS(?:_\w+)?|CPATH|C_INCLUDE_PATH|CPLUS_INCLUDE_PATH|LIBRARY_PATH|GYP_\w+|CMAKE_\w+|CARGO_\w+|NODE_GYP_\w+|BUILDTYPE|npm_config_(?:nodedir|target|arch|runtime|disturl|debug|build_from_source|devdir))$/i;

/** @returns a name of hexadecimal digits, for what the copy holds now */
export async function keyOf(workspace: Workspace, { addon, build }: ResolvedKit): Promise<string> {
  const hash = createHash('sha256');
  add(hash, JSON.stringify([FORMAT, process.version, process.platform, process.arch, addon, build]));
  for (const name of Object.keys(process.env).sort()) {
    if (VARIABLES.test(name)) add(hash, `${name}=${process.env[name]}`);
  }
  add(hash, JSON.stringify(await knownPrograms()));
  for (const file of workspace.files()) {
    add(hash, file);
    add(hash, (await hashOfFile(path.join(workspace.root, file))) ?? 'none');
  }
  return hash.digest('hex');
}

/** @returns SHA-256 in hexadecimal; null when it cannot be read */
export async function hashOfFile(file: string): Promise<string | null> {
  return fs.readFile(file).then(hashOf, () => null);
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** So that no two lists of parts run together to the same. */
function add(hash: Hash, part: string): void {
  hash.update(`${Buffer.byteLength(part)}:`).update(part);
}

/** By what is looked at: nobody installs a compiler between two builds of a test. */
const known = new Map<string, Promise<readonly string[]>>();

function knownPrograms(): Promise<readonly string[]> {
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
