/** Real addons for tests, compiled when they are needed and kept by content. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '../..');
export const FIXTURES: string = path.join(root, 'test/fixtures');
const CACHE = path.join(root, 'node_modules/.cache/napi-reload-test');
export const NODE_INCLUDE: string = path.resolve(
  path.dirname(fs.realpathSync(process.execPath)),
  '../include/node',
);

/** A temporary folder that is removed when the callback's scope ends: `using scratch = createScratch()`. */
export interface Scratch extends Disposable {
  readonly path: string;
  file(name: string): string;
  write(name: string, content: string | Uint8Array): string;
}

export function createScratch(): Scratch {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'napi-reload-test-'));
  const file = (name: string): string => path.join(folder, name);
  return {
    path: folder,
    file,
    write(name, content) {
      fs.mkdirSync(path.dirname(file(name)), { recursive: true });
      fs.writeFileSync(file(name), content);
      return file(name);
    },
    [Symbol.dispose]() {
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Compiles C sources, and objects of {@link compileObject}, to an addon and returns its path in the cache. */
export function compileAddon(sources: readonly string[], flags: readonly string[] = []): string {
  return compile('.node', '-shared', sources, flags);
}

/** Compiles a source to an object of addons, and returns its path in the cache: for what is slow to compile. */
export function compileObject(source: string, flags: readonly string[] = []): string {
  return compile('.o', '-c', [source], flags);
}

function compile(suffix: string, kind: string, sources: readonly string[], flags: readonly string[]): string {
  const command = [
    'gcc',
    '-O1',
    '-fPIC',
    kind,
    '-Wall',
    '-Werror',
    '-Wno-trigraphs',
    `-I${NODE_INCLUDE}`,
    ...flags,
  ];
  const hash = createHash('sha256').update(command.join('\0'));
  for (const source of sources) hash.update(fs.readFileSync(source));
  const output = path.join(CACHE, `${hash.digest('hex').slice(0, 32)}${suffix}`);
  if (fs.existsSync(output)) return output;
  fs.mkdirSync(CACHE, { recursive: true });
  const partial = `${output}.${process.pid}`;
  const [compiler = '', ...args] = [...command, ...sources, '-o', partial];
  const result = spawnSync(compiler, args, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`gcc failed: ${result.error?.message ?? result.stderr}`);
  fs.renameSync(partial, output);
  return output;
}

/**
 * An addon whose exports a script makes: `script` is the body of a function of `exports` and `native`, which has
 * `add(a, b)`. Each script gives other bytes, as an edit of a source does.
 *
 * @param flags of the linker, such as a library
 */
export function scriptedAddon(script: string, flags: readonly string[] = []): string {
  const header = path.join(CACHE, `${createHash('sha256').update(script).digest('hex').slice(0, 32)}.h`);
  fs.mkdirSync(CACHE, { recursive: true });
  const literal = JSON.stringify(`(function (exports, native) { ${script} })`);
  fs.writeFileSync(`${header}.${process.pid}`, `#define SCRIPT ${literal}\n`);
  fs.renameSync(`${header}.${process.pid}`, header);
  return compileAddon([path.join(FIXTURES, 'scripted.c')], [`-DSCRIPT_HEADER="${header}"`, ...flags]);
}

/** Puts a built addon where the handle looks for it, as a linker does: a new file in place of the old one. */
export function install(built: string, target: string): void {
  const partial = `${target}.partial`;
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.copyFileSync(built, partial);
  fs.renameSync(partial, target);
}
