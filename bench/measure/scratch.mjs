// A folder for what a section writes.
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

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
    rmSync(folder, { recursive: true, force: true });
  }
}
