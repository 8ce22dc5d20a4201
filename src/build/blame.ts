/** Files that a failed build speaks of. */
import path from 'node:path';
import type { Diagnostic } from '../diagnostic.ts';
import type { Outside } from '../outside.ts';
import { isFile, isInside, modifiedMs } from './files.ts';

/** @returns files that the messages are about, and those that they miss, where mending may begin */
export async function blamedFiles(
  outside: Outside,
  root: string,
  diagnostics: readonly Diagnostic[],
): Promise<readonly string[]> {
  const files = new Set<string>();
  for (const { file, text } of diagnostics) {
    files.add(file);
    const missing = /^(.+): No such file or directory$/.exec(text)?.[1];
    if (missing !== undefined) files.add(path.resolve(path.dirname(file), missing));
  }
  const found: string[] = [];
  for (const file of files) {
    // A linker's message without a file names a folder; a missing file counts where somebody here can make it.
    const isWanted =
      (await isFile(outside, file)) || (isInside(root, file) && (await modifiedMs(outside, file)) === null);
    if (isWanted) found.push(file);
  }
  return found;
}
