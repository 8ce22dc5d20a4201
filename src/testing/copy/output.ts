/** Where the build of an addon writes, by the path of the addon. */
import path from 'node:path';
import { holdsSources } from '../../build/sources.ts';

/**
 * Of `packages/kernel/build/Release/kernel.node` that is `packages/kernel/build`: the first folder by whose name no sources
 * are in it.
 *
 * @param addon relative to the root
 * @returns relative to the root; null where the addon lies among sources
 */
export function outputOf(addon: string): string | null {
  const folders = path.dirname(addon).split(path.sep);
  const index = folders.findIndex((name) => name !== '.' && !holdsSources(name));
  return index === -1 ? null : path.join(...folders.slice(0, index + 1));
}
