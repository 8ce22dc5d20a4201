/** One process makes what others wait for: a file that says who, taken by whoever writes it first. */
import fs from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isGone, ownerToken } from '../copy/owner.ts';

const POLL_MS = 50;

/** What lets go of a lock. Never rejects. */
export type Release = () => Promise<void>;

/** @returns null where somebody else has it, or it cannot be written */
export async function takeLock(file: string): Promise<Release | null> {
  // Two copies of one process may want the same, too.
  const mine = `${ownerToken()}-${Math.random().toString(36).slice(2)}`;
  const hasTaken = await fs.writeFile(file, mine, { flag: 'wx' }).then(
    () => true,
    () => false,
  );
  return hasTaken ? () => removeOf(file, mine) : null;
}

/**
 * Waits until whoever holds the lock lets go of it, or has gone.
 *
 * @param boundMs how long one may be held: one that is older came along with a cache from elsewhere
 */
export async function awaitLock(file: string, boundMs: number, signal: AbortSignal): Promise<void> {
  const endMs = performance.now() + boundMs;
  while (performance.now() < endMs && !signal.aborted) {
    const holder = await fs.readFile(file, 'utf8').catch(() => null);
    if (holder === null) return;
    const found = await fs.stat(file).catch(() => null);
    if (isGone(holder) || (found !== null && found.mtimeMs + boundMs < Date.now())) {
      await removeOf(file, holder);
      return;
    }
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Removes a lock whose holder has gone. */
export async function removeGone(file: string): Promise<void> {
  const holder = await fs.readFile(file, 'utf8').catch(() => null);
  if (holder !== null && isGone(holder)) await removeOf(file, holder);
}

async function removeOf(file: string, holder: string): Promise<void> {
  const found = await fs.readFile(file, 'utf8').catch(() => null);
  if (found === holder) await fs.rm(file, { force: true }).catch(() => undefined);
}
