/** The headers that addons may include. */
import path from 'node:path';

/**
 * Absolute path of the folder that has `napi_reload.hpp` and `napi_reload.h`.
 *
 * @example
 * ```js
 * import { include } from 'napi-reload';
 * console.log(`-I${include}`);
 * ```
 */
export const include: string = path.resolve(import.meta.dirname, '../native/include');

/**
 * The same folder, relative to the folder that was current when this module was imported: gyp takes no path that has a
 * space in it. Named as node-addon-api names its own.
 *
 * @example
 * ```python
 * "include_dirs": ["<!(node -p \"require('napi-reload').include_dir\")"]  # in binding.gyp
 * ```
 */
export const include_dir: string = fromHere(include);

/** @returns the path from the current folder, or `folder` itself when that one was deleted */
function fromHere(folder: string): string {
  try {
    return path.relative('.', folder) || '.';
  } catch {
    return folder;
  }
}
