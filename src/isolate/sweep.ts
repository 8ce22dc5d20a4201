/** What hosts leave behind: those that were killed while they loaded, and those that could not clear up. */
import type { Native } from '../native.ts';
import type { Outside } from '../outside.ts';

/** Deletes the copies of processes that have ended. */
export function sweep(stageDir: string, native: Native): void {
  const directory = native.stageOpen(stageDir, 'sweep');
  if (directory.ok) native.stageClose(directory.handle);
}

/**
 * The same, where one of that process is left. Never rejects: whoever uses the stage directory next does it again.
 *
 * @param pid of one that has ended; null for a Worker, which is of this process
 */
export async function sweepAfter(stageDir: string, pid: number | null, outside: Outside): Promise<void> {
  if (pid === null) return;
  const entries = await outside.readdir(stageDir).catch(() => []);
  if (entries.some(({ name }) => name.includes(`-${pid}-`))) sweep(stageDir, outside.native);
}
