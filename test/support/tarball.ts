/** The package as it is published, for tests that install it: packed and installed once for each content. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Scratch } from './addons.ts';
import { alone } from './alone.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const CACHE = path.join(ROOT, 'node_modules/.cache/napi-reload-test');
const LOCK = path.join(CACHE, 'package.lock');
/** What npm packs though "files" does not name it. */
const ALWAYS = ['package.json', 'README.md', 'LICENSE'];
/** What a project has beside this package: what its README, its examples and its types ask for. */
const BESIDE = ['node-addon-api', '@types/node', 'typescript', 'vitest'];
/** A registry that is not there is asked for as long as that, and no longer. */
const FETCH = ['--fetch-retries=1', '--fetch-timeout=20000', '--prefer-offline'];
const run = promisify(execFile);

export interface Tarball {
  readonly path: string;
  /** What is in it. */
  readonly files: readonly string[];
}

/** @returns the packed file, in the scratch folder */
export async function pack(scratch: Scratch): Promise<Tarball> {
  return alone(LOCK, async () => {
    const kept = await packed();
    const copy = scratch.file(path.basename(kept.path));
    fs.copyFileSync(kept.path, copy);
    return { ...kept, path: copy };
  });
}

/**
 * Makes the folder a project that was empty, and has installed the package with `--ignore-scripts`.
 *
 * @param manifest of the project, beside what npm writes into its package.json
 * @returns why nothing could be installed; null when it was
 */
export async function installInto(folder: string, manifest: object = {}): Promise<string | null> {
  return alone(LOCK, async () => {
    const { project, missing } = await installed();
    if (project === null) return missing;
    fs.mkdirSync(folder, { recursive: true });
    await run('cp', ['-a', '--reflink=auto', `${project}/.`, folder]);
    const file = path.join(folder, 'package.json');
    const written = JSON.parse(fs.readFileSync(file, 'utf8'));
    fs.writeFileSync(file, JSON.stringify({ ...written, ...manifest }));
    return null;
  });
}

/** Puts it in place without a registry, with the packages of this repository beside it: as copies, no links. */
export async function installCopies(folder: string, tarball: Tarball): Promise<void> {
  const packages = path.join(folder, 'node_modules');
  fs.cpSync(path.join(ROOT, 'node_modules'), packages, {
    recursive: true,
    mode: fs.constants.COPYFILE_FICLONE,
    verbatimSymlinks: true,
    filter: (file) => path.basename(file) !== '.cache',
  });
  const own = path.join(packages, 'napi-reload');
  fs.mkdirSync(own);
  await run('tar', ['-xzf', tarball.path, '--strip-components=1', '-C', own]);
}

async function packed(): Promise<Tarball> {
  for (const script of ['setup.mjs', 'prebuild.mjs', 'declarations.mjs'])
    await run(process.execPath, [path.join(ROOT, '.ci', script)]);
  const folder = await kept('packed', hashOf(contents()), async (made) => {
    const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', made];
    const { stdout } = await run('npm', args, { cwd: ROOT, maxBuffer: 2 ** 24 });
    fs.writeFileSync(path.join(made, 'said.json'), stdout);
  });
  const [said] = JSON.parse(fs.readFileSync(path.join(folder, 'said.json'), 'utf8'));
  const files = said.files.map((file: { path: string }) => file.path);
  return { path: path.join(folder, said.filename), files };
}

/** @returns the project, or why there is none */
async function installed(): Promise<{ project: string; missing: null } | { project: null; missing: string }> {
  const tarball = (await packed()).path;
  const packages = BESIDE.map((name) => `${name}@${installedVersion(name)}`);
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...FETCH, tarball, ...packages];
  const hash = hashOf([tarball], [process.version, ...args]);
  const making = kept('project', hash, async (made) => {
    fs.writeFileSync(path.join(made, 'package.json'), '{ "private": true }');
    await run('npm', args, { cwd: made });
  });
  return making.then(
    (project) => ({ project, missing: null }),
    (error: Error & { stderr?: string }) => {
      const { stderr = '' } = error;
      if (!/ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENOTCACHED/.test(stderr)) throw error;
      return { project: null, missing: `the registry cannot be reached: ${stderr.split('\n')[0]}` };
    },
  );
}

/** @returns the folder that was made for this content, now or before; the one of another content goes */
async function kept(kind: string, hash: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = path.join(CACHE, `${kind}-${hash}`);
  if (fs.existsSync(folder)) return folder;
  for (const name of fs.readdirSync(CACHE).filter((other) => other.startsWith(`${kind}-`)))
    fs.rmSync(path.join(CACHE, name), { recursive: true });
  const partial = path.join(CACHE, `${kind}-partial`);
  fs.mkdirSync(partial);
  await make(partial);
  fs.renameSync(partial, folder);
  return folder;
}

/** Every file that may be packed, and some that are not. */
function contents(): readonly string[] {
  const { files } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  const named = (files as readonly string[]).filter((name) => !name.startsWith('!'));
  const tops = new Set([...ALWAYS, ...named.map((name) => name.split('/')[0] ?? '')]);
  return [...tops].flatMap((top) => {
    const at = path.join(ROOT, top);
    if (!fs.statSync(at).isDirectory()) return [at];
    const entries = fs.readdirSync(at, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => path.join(parentPath, name));
  });
}

function hashOf(files: readonly string[], words: readonly string[] = []): string {
  const hash = createHash('sha256').update(words.join('\0'));
  for (const file of files.toSorted()) {
    hash
      .update(`${path.relative(ROOT, file)}\0`)
      .update(fs.readFileSync(file))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}

/** The version of a package that this repository is tested with. */
function installedVersion(name: string): string {
  const file = path.join(ROOT, 'node_modules', name, 'package.json');
  return JSON.parse(fs.readFileSync(file, 'utf8')).version;
}
