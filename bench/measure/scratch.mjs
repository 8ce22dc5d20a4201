// A folder for what a section and its children write.
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** What has just been killed may still write. */
const REMOVALS = 3;

/**
 * Its path has no links in it, as paths of mappings have none. Removes it in the end, also after a failure.
 *
 * @template T
 * @param {(folder: string) => Promise<T>} work
 */
export async function inScratch(work) {
  const folder = mkdtempSync(path.join(realpathSync(tmpdir()), 'napi-reload-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: REMOVALS });
  }
}
