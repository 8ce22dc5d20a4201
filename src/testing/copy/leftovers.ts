/** Copies of processes that were killed before they could remove them. */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { isGone } from './owner.ts';

/** Followed by what tells the process that it belongs to, and a random part. */
export const WORKSPACE_PREFIX = 'napi-reload-testing-';

/** In another namespace of processes an id says nothing, so that a copy from there must be as old as no test takes. */
const LEFTOVER_AGE_MS = 24 * 60 * 60 * 1_000;

let swept: Promise<void> | null = null;

/** Once for each process. Never rejects: what cannot be removed stays. */
export function sweepLeftovers(): Promise<void> {
  swept ??= sweep(os.tmpdir(), Date.now()).catch(() => undefined);
  return swept;
}

/** @internal for tests; of a folder, at a time */
export async function sweep(folder: string, nowMs: number): Promise<void> {
  for (const name of await fs.readdir(folder)) {
    if (!name.startsWith(WORKSPACE_PREFIX)) continue;
    const owner = name.slice(WORKSPACE_PREFIX.length);
    const found = await fs.lstat(path.join(folder, name)).catch(() => null);
    if (found === null || !found.isDirectory() || found.uid !== process.getuid?.()) continue;
    const isOld = found.mtimeMs + LEFTOVER_AGE_MS <= nowMs && !isAlive(Number.parseInt(owner, 10));
    if (!isOld && !isGone(owner)) continue;
    await fs.rm(path.join(folder, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
