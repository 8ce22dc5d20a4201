/** Built addons that are kept by what they were made from, for the next run of the tests. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { isInside } from '../../build/files.ts';
import type { Diagnostic } from '../../diagnostic.ts';
import { defaultStageDir } from '../../user-folder.ts';
import { nearestPackages } from '../copy/packages.ts';
import type { ResolvedKit } from '../options.ts';
import { hashOf, hashOfFile } from './build-key.ts';
import { type CacheBounds, HALF, LOCK, shrink } from './cache-bounds.ts';
import { ENTRY, type Entry, type KeptFile, type ReadFile, readEntry } from './cache-entry.ts';
import { awaitLock, type Release, takeLock } from './cache-lock.ts';
import { Places } from './places.ts';

/** What is used least goes first. */
const BOUNDS: CacheBounds = { entriesMax: 256, bytesMax: 512 * 2 ** 20 };
/** Of a folder that users name, which may have anything else in it. */
const OWN_FOLDER = 'napi-reload-testing';

/** What a build made, and what it was made from besides the copy. */
export interface Made {
  /** Names of files, relative to the copy. */
  readonly names: readonly string[];
  /** Real absolute paths of what was read outside of the copy. */
  readonly read: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Nothing here fails: a cache that cannot be read has nothing, and one that cannot be written keeps nothing. */
export class BuildCache {
  readonly folder: string;
  readonly #places: Places;
  readonly #bounds: CacheBounds;

  constructor(folder: string, places: Places, bounds: CacheBounds = BOUNDS) {
    this.folder = folder;
    this.#places = places;
    this.#bounds = bounds;
  }

  /**
   * Puts what is kept under this name into the copy, if what it was made from outside of that is as it was.
   *
   * @param root absolute folder of the copy
   * @param addon relative to `root`: without it nothing was restored
   * @returns what the compiler said when it was built; null where nothing is kept
   */
  async restore(key: string, root: string, addon: string): Promise<readonly Diagnostic[] | null> {
    const kept = path.join(this.folder, key);
    const entry = await readEntry(kept, root, addon);
    if (entry === null || !(await this.#isAsRead(entry))) return null;
    const contents = await readFiles(kept, entry);
    if (contents === null) return null;
    try {
      for (const [name, bytes] of contents) await install(path.join(root, name), bytes);
    } catch {
      // Whatever is wrong with the copy, the build will say.
      return null;
    }
    if (!existsSync(path.join(root, addon))) return null;
    const now = new Date();
    await fs.utimes(kept, now, now).catch(() => undefined);
    return entry.diagnostics.map((each) => ({ ...each, file: path.resolve(root, each.file) }));
  }

  /** @param root absolute folder of the copy */
  async keep(key: string, root: string, { names, read, diagnostics }: Made): Promise<void> {
    const half = path.join(this.folder, `${HALF}${randomUUID()}`);
    try {
      await fs.mkdir(half, { recursive: true });
      const files: KeptFile[] = [];
      for (const name of names) {
        const bytes = await fs.readFile(path.join(root, name));
        const hash = hashOf(bytes);
        await fs.writeFile(path.join(half, hash), bytes);
        files.push({ name, hash });
      }
      const entry: Entry = {
        files,
        read: await this.#hashesOf(read),
        diagnostics: diagnostics.map((each) => ({ ...each, file: withoutRoot(root, each.file) })),
      };
      await fs.writeFile(path.join(half, ENTRY), JSON.stringify(entry));
      const kept = path.join(this.folder, key);
      await fs.rm(kept, { recursive: true, force: true });
      await fs.rename(half, kept);
      await shrink(this.folder, this.#bounds);
    } catch {
      await fs.rm(half, { recursive: true, force: true }).catch(() => undefined);
    }
  }

  /** @returns null while somebody else builds what has this name, and where nothing can be written */
  async lock(key: string): Promise<Release | null> {
    await fs.mkdir(this.folder, { recursive: true }).catch(() => undefined);
    return takeLock(this.#lockOf(key));
  }

  /** Waits for whoever builds it, for as long as one build may take. */
  awaitBuild(key: string, boundMs: number, signal: AbortSignal): Promise<void> {
    return awaitLock(this.#lockOf(key), boundMs, signal);
  }

  #lockOf(key: string): string {
    return path.join(this.folder, `${LOCK}${key}`);
  }

  async #isAsRead({ read }: Entry): Promise<boolean> {
    for (const { place, name, hash } of read) {
      const file = this.#places.fileOf(place, name);
      if (file === null || (await hashOfFile(file)) !== hash) return false;
    }
    return true;
  }

  async #hashesOf(files: readonly string[]): Promise<readonly ReadFile[]> {
    const hashes: ReadFile[] = [];
    for (const file of files) {
      const hash = await hashOfFile(file);
      if (hash !== null) hashes.push({ ...this.#places.placeOf(file), hash });
    }
    return hashes;
  }
}

/** @returns null where nothing is to be kept */
export async function openCache({ cache, root }: ResolvedKit): Promise<BuildCache | null> {
  if (cache === false) return null;
  const places = await Places.of(root);
  if (typeof cache === 'string') return new BuildCache(path.join(cache, OWN_FOLDER), places);
  const packages = await nearestPackages(root);
  const folder = packages === null ? defaultStageDir() : path.join(packages, '.cache/napi-reload');
  return new BuildCache(path.join(folder, 'testing'), places);
}

/** What lies in the copy lies elsewhere in the next one. */
function withoutRoot(root: string, file: string): string {
  return isInside(root, file) ? path.relative(root, file) : file;
}

async function readFiles(folder: string, { files }: Entry): Promise<readonly [string, Uint8Array][] | null> {
  const contents: [string, Uint8Array][] = [];
  for (const { name, hash } of files) {
    const bytes = await fs.readFile(path.join(folder, hash)).catch(() => null);
    if (bytes === null || hashOf(bytes) !== hash) return null;
    contents.push([name, bytes]);
  }
  return contents;
}

/** As a linker does: another file in place of the old one, and older than any object, so that make links anew. */
async function install(target: string, bytes: Uint8Array): Promise<void> {
  const partial = `${target}.${randomUUID()}`;
  await fs.mkdir(path.dirname(target), { recursive: true });
  await fs.writeFile(partial, bytes, { mode: 0o755 });
  await fs.utimes(partial, 1, 1);
  await fs.rename(partial, target);
}
