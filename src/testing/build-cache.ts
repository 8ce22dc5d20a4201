/** Built addons that are kept by what they were made from, for the next run of the tests. */
import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { defaultStageDir } from '../user-folder.ts';
import { hashOf, hashOfFile } from './build-key.ts';
import type { ResolvedKit } from './options.ts';
import { nearestPackages } from './packages.ts';

/** What is used least goes first. */
const ENTRIES_MAX = 256;
const BYTES_MAX = 512 * 2 ** 20;
/** Half an entry is left by a process that was killed while it wrote it. */
const HALF_AGE_MS = 60 * 60 * 1_000;
const HALF = 'half-';
const ENTRY = 'entry.json';

/** A file of an entry, which holds it by its hash. */
interface KeptFile {
  /** Relative to the project. */
  readonly name: string;
  readonly hash: string;
}

interface Entry {
  readonly files: readonly KeptFile[];
  /** Files outside of the project that were read, with their hashes: absolute path, hash. */
  readonly read: readonly (readonly [string, string])[];
}

/** Bounds of what is kept. */
export interface CacheBounds {
  readonly entriesMax: number;
  readonly bytesMax: number;
}

/** Nothing here fails: a cache that cannot be read has nothing, and one that cannot be written keeps nothing. */
export class BuildCache {
  readonly folder: string;
  readonly #bounds: CacheBounds;

  constructor(folder: string, bounds: CacheBounds = { entriesMax: ENTRIES_MAX, bytesMax: BYTES_MAX }) {
    this.folder = folder;
    this.#bounds = bounds;
  }

  /**
   * Puts what is kept under this name into the project, if what it was made from outside of that is as it was.
   *
   * @param root absolute folder of the project
   */
  async restore(key: string, root: string): Promise<boolean> {
    const kept = path.join(this.folder, key);
    const entry = await readEntry(kept);
    if (entry === null || !(await isAsRead(entry))) return false;
    const contents = await readFiles(kept, entry);
    if (contents === null) return false;
    try {
      for (const [name, bytes] of contents) await install(path.join(root, name), bytes);
    } catch {
      // Whatever is wrong with the copy, the build will say.
      return false;
    }
    const now = new Date();
    await fs.utimes(kept, now, now).catch(() => undefined);
    return true;
  }

  /**
   * @param root absolute folder of the project
   * @param names of files, relative to `root`
   * @param read absolute paths of what was read outside of `root`
   */
  async keep(
    key: string,
    root: string,
    { names, read }: { readonly names: readonly string[]; readonly read: readonly string[] },
  ): Promise<void> {
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
      const entry: Entry = { files, read: await hashesOf(read) };
      await fs.writeFile(path.join(half, ENTRY), JSON.stringify(entry));
      const kept = path.join(this.folder, key);
      await fs.rm(kept, { recursive: true, force: true });
      await fs.rename(half, kept);
      await this.#shrink();
    } catch {
      await fs.rm(half, { recursive: true, force: true }).catch(() => undefined);
    }
  }

  async #shrink(): Promise<void> {
    const entries = await this.#list();
    let bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    let count = entries.length;
    for (const entry of entries.sort((a, b) => a.usedMs - b.usedMs)) {
      if (count <= this.#bounds.entriesMax && bytes <= this.#bounds.bytesMax) return;
      await fs.rm(entry.path, { recursive: true, force: true });
      bytes -= entry.bytes;
      count -= 1;
    }
  }

  async #list(): Promise<{ path: string; bytes: number; usedMs: number }[]> {
    const entries = [];
    for (const name of await fs.readdir(this.folder)) {
      const folder = path.join(this.folder, name);
      const found = await fs.stat(folder).catch(() => null);
      if (found === null) continue;
      if (!name.startsWith(HALF)) {
        entries.push({ path: folder, bytes: await bytesOf(folder), usedMs: found.mtimeMs });
      } else if (found.mtimeMs + HALF_AGE_MS < Date.now()) {
        await fs.rm(folder, { recursive: true, force: true });
      }
    }
    return entries;
  }
}

/** @returns null where nothing is to be kept */
export async function openCache({ cache, root }: ResolvedKit): Promise<BuildCache | null> {
  if (cache === false) return null;
  if (typeof cache === 'string') return new BuildCache(cache);
  const packages = await nearestPackages(root);
  const folder = packages === null ? defaultStageDir() : path.join(packages, '.cache/napi-reload');
  return new BuildCache(path.join(folder, 'testing'));
}

/** @returns null also where it is damaged: whoever can write the folder may do so */
async function readEntry(folder: string): Promise<Entry | null> {
  try {
    const entry: unknown = JSON.parse(await fs.readFile(path.join(folder, ENTRY), 'utf8'));
    return isEntry(entry) ? entry : null;
  } catch {
    return null;
  }
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null || !('files' in value) || !('read' in value)) return false;
  const { files, read } = value;
  return (
    Array.isArray(files) &&
    files.every((file: KeptFile) => isText(file?.name) && isText(file.hash)) &&
    Array.isArray(read) &&
    read.every((pair: unknown) => Array.isArray(pair) && pair.length === 2 && pair.every(isText))
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

async function isAsRead({ read }: Entry): Promise<boolean> {
  for (const [file, hash] of read) if ((await hashOfFile(file)) !== hash) return false;
  return true;
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

async function hashesOf(files: readonly string[]): Promise<readonly (readonly [string, string])[]> {
  const hashes: (readonly [string, string])[] = [];
  for (const file of files) {
    const hash = await hashOfFile(file);
    if (hash !== null) hashes.push([file, hash]);
  }
  return hashes;
}

async function bytesOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await fs.readdir(folder).catch(() => []))
    bytes += (await fs.stat(path.join(folder, name)).catch(() => null))?.size ?? 0;
  return bytes;
}
