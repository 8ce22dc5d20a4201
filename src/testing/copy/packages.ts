/** Packages of a project, for a copy of it that lies elsewhere. */
import fs from 'node:fs/promises';
import path from 'node:path';

/** Where the project lies within the folder of the copy. */
const TOP = 'project';

/**
 * Makes a folder for the copy, as deep below the folders with packages as the project is, with links to these: `require`
 * and relative paths such as `../../node_modules/node-addon-api` lead to the same packages. A project that is a folder of a
 * package finds that by its name, too.
 *
 * @returns absolute folder of the copy
 */
export async function linkPackages(root: string, folder: string): Promise<string> {
  const holders = await foldersAbove(root, async (each) => isFolder(path.join(each, 'node_modules')));
  const base = holders.at(-1) ?? root;
  const top = path.join(folder, TOP);
  const copy = path.join(top, path.relative(base, root));
  await fs.mkdir(copy, { recursive: true });
  for (const holder of holders) {
    const link = path.join(top, path.relative(base, holder), 'node_modules');
    await fs.symlink(path.join(holder, 'node_modules'), link);
  }
  await linkSelf(root, path.join(folder, 'node_modules'));
  return copy;
}

/** Node.js looks there last. The package itself is not in the copy, which begins further down. */
async function linkSelf(root: string, packages: string): Promise<void> {
  const [own] = await foldersAbove(root, async (each) => isFile(path.join(each, 'package.json')));
  if (own === undefined || own === root) return;
  const { name } = await readPackage(path.join(own, 'package.json'));
  if (typeof name !== 'string' || !/^(?:@[\w.-]+\/)?\w[\w.-]*$/.test(name)) return;
  await fs.mkdir(path.dirname(path.join(packages, name)), { recursive: true });
  await fs.symlink(own, path.join(packages, name));
}

/** @returns each `node_modules` at or above the folder, nearest first */
export async function packageFolders(root: string): Promise<readonly string[]> {
  const holders = await foldersAbove(root, async (each) => isFolder(path.join(each, 'node_modules')));
  return holders.map((holder) => path.join(holder, 'node_modules'));
}

/** @returns the nearest `node_modules` at or above the folder; null when there is none */
export async function nearestPackages(root: string): Promise<string | null> {
  const [nearest] = await packageFolders(root);
  return nearest ?? null;
}

/** What builds, or has headers that builds read, without being named by every project that uses it. */
const BUILD_PACKAGES = ['node-gyp', 'cmake-js', 'node-addon-api', 'node-api-headers', 'nan', '@napi-rs/cli'];
const DEPENDENCIES = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];

/** @returns name and version of each package that a build of the project may read, where it is installed */
export async function packageVersions(root: string): Promise<readonly string[]> {
  const own = await readPackage(path.join(root, 'package.json'));
  const named = DEPENDENCIES.flatMap((kind) => Object.keys(recordOf(own[kind])));
  const folders = await packageFolders(root);
  const versions: string[] = [];
  for (const name of [...new Set([...BUILD_PACKAGES, ...named])].sort()) {
    for (const folder of folders) {
      const { version } = await readPackage(path.join(folder, name, 'package.json'));
      if (version === undefined) continue;
      versions.push(`${name}@${String(version)}`);
      break;
    }
  }
  return versions;
}

async function readPackage(file: string): Promise<Record<string, unknown>> {
  try {
    return recordOf(JSON.parse(await fs.readFile(file, 'utf8')));
  } catch {
    return {};
  }
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** @returns the folder itself and those above it that are wanted, nearest first */
async function foldersAbove(
  start: string,
  wants: (folder: string) => Promise<boolean>,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (let folder = start; ; folder = path.dirname(folder)) {
    if (await wants(folder)) found.push(folder);
    if (folder === path.dirname(folder)) return found;
  }
}

function isFile(name: string): Promise<boolean> {
  return fs.stat(name).then(
    (found) => found.isFile(),
    () => false,
  );
}

function isFolder(name: string): Promise<boolean> {
  return fs.stat(name).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
