/** Time and size of files, to tell whether all of them are as they were. */
import type { Outside } from '../../outside.ts';

export type Stamp = readonly [file: string, modifiedMs: number, bytes: number];

/** @returns in the order of the files; null when one cannot be read, or has changed at `beforeMs` of the wall clock or later */
export async function stampsOf(
  outside: Outside,
  files: readonly string[],
  beforeMs: number = Number.POSITIVE_INFINITY,
): Promise<readonly Stamp[] | null> {
  const looks = files.map(async (file): Promise<Stamp | null> => {
    const found = await outside.stat(file).catch(() => null);
    return found === null || found.ctimeMs >= beforeMs ? null : [file, found.mtimeMs, found.size];
  });
  const known = (await Promise.all(looks)).filter((stamp) => stamp !== null);
  return known.length === files.length ? known : null;
}
