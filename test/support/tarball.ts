/** The package as it is published, for tests that install it. */
import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Scratch } from './addons.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
/** A registry that is not there is asked for as long as that, and no longer. */
const FETCH = ['--fetch-retries=1', '--fetch-timeout=20000', '--prefer-offline'];

export interface Tarball {
  readonly path: string;
  /** What is in it. */
  readonly files: readonly string[];
}

/** @returns the packed file, in the scratch folder */
export async function pack(scratch: Scratch): Promise<Tarball> {
  for (const script of ['setup.mjs', 'prebuild.mjs', 'declarations.mjs']) {
    const { status, stderr } = spawnSync(process.execPath, [path.join(ROOT, '.ci', script)], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${script} failed: ${stderr}`);
  }
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch.path];
  const [packed] = JSON.parse((await run('npm', args, { cwd: ROOT, maxBuffer: 2 ** 24 })).stdout);
  const files = packed.files.map((file: { path: string }) => file.path);
  return { path: scratch.file(packed.filename), files };
}

/** @returns why nothing could be installed; null when it was */
export async function install(folder: string, packages: readonly string[]): Promise<string | null> {
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...FETCH, ...packages];
  return run('npm', args, { cwd: folder }).then(
    () => null,
    (error: Error & { stderr: string }) => {
      if (!/ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENOTCACHED/.test(error.stderr)) throw error;
      return `the registry cannot be reached: ${error.stderr.split('\n')[0]}`;
    },
  );
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

/** The version of a package that this repository is tested with. */
export function installedVersion(name: string): string {
  const file = path.join(ROOT, 'node_modules', name, 'package.json');
  return JSON.parse(fs.readFileSync(file, 'utf8')).version;
}
