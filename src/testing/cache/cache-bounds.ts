/** How much is kept, and what goes when that is more. Nothing goes but what this package wrote. */
import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { ENTRY } from './cache-entry.ts';
import { removeGone } from './cache-lock.ts';

/** Bounds of what is kept. */
export interface CacheBounds {
  readonly entriesMax: number;
  readonly bytesMax: number;
}

export const HALF = 'half-';
export const LOCK = 'lock-';
/** Half an entry is left by a process that was killed while it wrote it. */
const HALF_AGE_MS = 60 * 60 * 1_000;

const IS_ENTRY = /^[0-9a-f]{64}$/;
const IS_HALF: RegExp = new RegExp(`^${HALF}[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$`);
const IS_LOCK: RegExp = new RegExp(`^${LOCK}[0-9a-f]{64}$`);

interface Found {
  readonly path: string;
  readonly bytes: number;
  readonly usedMs: number;
}

/** What was used least goes first. Whoever else has files in the folder keeps them. */
export async function shrink(folder: string, { entriesMax, bytesMax }: CacheBounds): Promise<void> {
  const entries = await listEntries(folder);
  let bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  let count = entries.length;
  for (const entry of entries.toSorted((a, b) => a.usedMs - b.usedMs)) {
    if (count <= entriesMax && bytes <= bytesMax) return;
    await fs.rm(entry.path, { recursive: true, force: true });
    bytes -= entry.bytes;
    count -= 1;
  }
}

async function listEntries(folder: string): Promise<readonly Found[]> {
  const entries: Found[] = [];
  for (const name of await fs.readdir(folder)) {
    const file = path.join(folder, name);
    const found = await fs.lstat(file).catch(() => null);
    if (IS_LOCK.test(name) && found?.isFile()) await removeGone(file);
    if (found === null || !found.isDirectory()) continue;
    if (IS_ENTRY.test(name) && existsSync(path.join(file, ENTRY))) {
      entries.push({ path: file, bytes: await bytesOf(file), usedMs: found.mtimeMs });
    } else if (IS_HALF.test(name) && found.mtimeMs + HALF_AGE_MS < Date.now()) {
      await fs.rm(file, { recursive: true, force: true });
    }
  }
  return entries;
}

async function bytesOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await fs.readdir(folder).catch(() => []))
    bytes += (await fs.stat(path.join(folder, name)).catch(() => null))?.size ?? 0;
  return bytes;
}
