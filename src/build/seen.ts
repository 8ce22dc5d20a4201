/** A file as it was when it was looked at. */
import { createHash } from 'node:crypto';
import type { Outside } from '../outside.ts';
import { CLOCK_STEP_MS } from './files.ts';

/** Larger files count by their times, not by their bytes. */
const COMPARED_BYTES_MAX = 16 * 2 ** 20;

export interface Seen {
  /** Times and size of the file. */
  readonly stamp: string;
  /** Of its bytes. */
  readonly hash: string;
  /** Whether a later change gives another stamp: one within the same step of the clock need not. */
  readonly isSettled: boolean;
}

/**
 * @param before what was seen of the same file; its bytes are not read again when nothing else has changed
 * @returns null when it cannot be read
 */
export async function look(outside: Outside, file: string, before?: Seen): Promise<Seen | null> {
  const found = await stampOf(outside, file);
  if (found === null) return null;
  const { stamp, isSettled, size } = found;
  if (before?.isSettled && before.stamp === stamp) return before;
  if (size > COMPARED_BYTES_MAX) return { stamp, hash: stamp, isSettled };
  const bytes = await outside.readFile(file).catch(() => null);
  if (bytes === null) return null;
  return { stamp, hash: createHash('sha256').update(bytes).digest('hex'), isSettled };
}

/** Whether nobody has written the file since, as far as its times tell. */
export async function isSeenAgain(outside: Outside, file: string, { stamp }: Seen): Promise<boolean> {
  return (await stampOf(outside, file))?.stamp === stamp;
}

async function stampOf(
  outside: Outside,
  file: string,
): Promise<{ stamp: string; isSettled: boolean; size: number } | null> {
  const found = await outside.stat(file).catch(() => null);
  if (found === null || !found.isFile()) return null;
  const { mtimeMs, ctimeMs, size } = found;
  return { stamp: `${mtimeMs} ${ctimeMs} ${size}`, isSettled: ctimeMs + CLOCK_STEP_MS < Date.now(), size };
}
