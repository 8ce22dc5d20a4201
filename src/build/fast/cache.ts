/** The folder of one user that keeps precompiled headers, and what the fast lane has to remember, for all projects. */
import path from 'node:path';
import { defaultStageDir } from '../../user-folder.ts';
import type { Outside } from '../../outside.ts';
import { modifiedMs, walk } from '../files.ts';

/** Bytes of all precompiled headers that are kept; one is about 50 MB. */
export const PCH_BYTES_MAX: number = 512 * 2 ** 20;
/** Build folders whose objects are remembered. */
export const NOTES_MAX = 200;
/** What has been used within this time is not deleted, in milliseconds: a compiler may be reading it. */
const IN_USE_MS = 60_000;

export interface LaneFolders {
  readonly headers: string;
  readonly notes: string;
  readonly standIns: string;
}

/**
 * Makes them.
 *
 * @throws when they cannot be made, or are another user's: compilers are started from there
 */
export async function laneFolders(outside: Outside): Promise<LaneFolders> {
  const top = `${defaultStageDir()}-builds`;
  const folders = {
    headers: path.join(top, 'headers'),
    notes: path.join(top, 'notes'),
    standIns: path.join(top, 'bin'),
  };
  // Names that make, sh and depfiles take as they are.
  if (!/^[\w./@+-]+$/.test(top))
    throw new Error(`${JSON.stringify(top)} has characters in it that depfiles quote`);
  await outside.makePrivateFolder(top);
  for (const folder of Object.values(folders)) await outside.makePrivateFolder(folder);
  return folders;
}

/** Deletes the precompiled headers that were used longest ago, until the rest is small enough. Never rejects. */
export async function trimHeaders(outside: Outside, folder: string): Promise<void> {
  const names = (await outside.readdir(folder).catch(() => [])).map(({ name }) => path.join(folder, name));
  const found = await Promise.all(
    names.map(async (name) => ({
      name,
      usedMs: (await modifiedMs(outside, name)) ?? 0,
      bytes: await bytesBelow(outside, name),
    })),
  );
  let bytes = found.reduce((sum, entry) => sum + entry.bytes, 0);
  for (const entry of found.toSorted((a, b) => a.usedMs - b.usedMs)) {
    if (bytes <= PCH_BYTES_MAX || entry.usedMs > Date.now() - IN_USE_MS) return;
    await outside.removeFolder(entry.name).catch(() => {});
    bytes -= entry.bytes;
  }
}

/** The name of a build folder, and what is remembered of it. Anything else is left of a process that was killed. */
const NOTE = /^(\w+)\.\w+$/;

/** Deletes all notes on the build folders that were built longest ago, until there are few enough. Never rejects. */
export async function trimNotes(outside: Outside, folder: string): Promise<void> {
  const entries = await outside.readdir(folder).catch(() => []);
  if (entries.length <= NOTES_MAX) return;
  const folders = new Map<string, { readonly files: string[]; usedMs: number }>();
  for (const { name } of entries) {
    const file = path.join(folder, name);
    const key = NOTE.exec(name)?.[1] ?? name;
    const found = folders.get(key) ?? { files: [], usedMs: 0 };
    found.files.push(file);
    found.usedMs = Math.max(found.usedMs, (await modifiedMs(outside, file)) ?? 0);
    folders.set(key, found);
  }
  const oldestFirst = [...folders.values()].toSorted((a, b) => a.usedMs - b.usedMs);
  for (const { files } of oldestFirst.slice(0, Math.max(0, folders.size - NOTES_MAX)))
    for (const file of files) await outside.removeFolder(file).catch(() => {});
}

async function bytesBelow(outside: Outside, folder: string): Promise<number> {
  const files = (await walk(outside, folder, { enters: () => true, wants: () => true })) ?? [];
  const sizes = await Promise.all(
    files.map((file) =>
      outside.stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
