/** What hosts leave behind that were killed while they loaded. */
import type { Native } from '../native.ts';

/** Deletes the copies of processes that have ended. */
export function sweep(stageDir: string, native: Native): void {
  const directory = native.stageOpen(stageDir, 'sweep');
  if (directory.ok) native.stageClose(directory.handle);
}
