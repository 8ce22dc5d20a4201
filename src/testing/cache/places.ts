/** Where files outside of a copy lie, in words that hold on another machine: a cache may come from there. */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { isFile, isInside } from '../../build/files.ts';
import { findNodeDir } from '../../build/packages.ts';
import { realOutside } from '../../outside.ts';
import { packageFolders } from '../copy/packages.ts';

/**
 * `project`: a package, or a file beside the nearest packages, relative to the project itself; `headers`: a header of Node.js, relative to the folder of all of
 * them; `absolute`: any other.
 */
export type Place = 'project' | 'headers' | 'absolute';

export class Places {
  readonly #root: string;
  /** Real folders of packages, of the project and above it, and the one that has the nearest of these. */
  readonly #packages: readonly string[];
  readonly #headers: string | null;

  private constructor(root: string, packages: readonly string[], headers: string | null) {
    this.#root = root;
    this.#packages = packages;
    this.#headers = headers;
  }

  /** @param root absolute folder of the project itself, not of a copy */
  static async of(root: string): Promise<Places> {
    const folders = await packageFolders(root);
    const [nearest] = folders;
    // A project may be one folder of many that belong together.
    const packages = nearest === undefined ? [] : [await realOf(path.dirname(nearest))];
    for (const folder of folders) packages.push(await realOf(folder));
    return new Places(await realOf(root), packages, await findHeaders());
  }

  /** @param file real absolute path */
  placeOf(file: string): { readonly place: Place; readonly name: string } {
    if (this.#headers !== null && isInside(this.#headers, file))
      return { place: 'headers', name: path.relative(this.#headers, file) };
    const isPackaged = [this.#root, ...this.#packages].some((folder) => isInside(folder, file));
    if (isPackaged) return { place: 'project', name: path.relative(this.#root, file) };
    return { place: 'absolute', name: file };
  }

  /** @returns null where this machine has no such place */
  fileOf(place: Place, name: string): string | null {
    switch (place) {
      case 'absolute':
        return path.isAbsolute(name) ? name : null;
      case 'headers':
        return this.#headers === null ? null : path.join(this.#headers, name);
      case 'project':
        return path.join(this.#root, name);
    }
  }
}

/** @returns the real folder of Node.js' headers, as builders choose it */
async function findHeaders(): Promise<string | null> {
  const { npm_config_nodedir: given, npm_config_devdir: devdir, XDG_CACHE_HOME: cache } = process.env;
  const downloads = devdir ?? path.join(cache || path.join(os.homedir(), '.cache'), 'node-gyp');
  const prefixes = [given, await findNodeDir(realOutside), path.join(downloads, process.version.slice(1))];
  for (const prefix of prefixes) {
    if (!prefix) continue;
    const folder = path.join(prefix, 'include/node');
    if (await isFile(realOutside, path.join(folder, 'node_api.h'))) return realOf(folder);
  }
  return null;
}

function realOf(file: string): Promise<string> {
  return fs.realpath(file).catch(() => file);
}
