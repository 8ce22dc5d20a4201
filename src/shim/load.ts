/** The shim: the first build of it that loads here, or one that is compiled now. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { describe, errors, type ReloadError } from '../errors.ts';
import { compileShim, type TriedShim } from './compile.ts';
import { placesOfShim } from './places.ts';

export interface LoadedShim {
  readonly path: string;
  readonly exports: unknown;
}

const require = createRequire(import.meta.url);

/**
 * @param say is told, in a line for people, that something takes long @defaultValue writes to stderr
 * @throws `ERR_SHIM_UNAVAILABLE`
 */
export function loadShim(say: (line: string) => void = toStderr): LoadedShim {
  const tried: TriedShim[] = [];
  for (const path of placesOfShim()) {
    if (!fs.existsSync(path)) continue;
    try {
      return { path, exports: require(path) };
    } catch (cause) {
      // It is not about this file, and another one would be refused as well.
      if (isDisabled(cause)) throw disabled(path, tried, cause);
      tried.push({ path, found: describe(cause) });
    }
  }
  const path = compileShim(tried, say);
  try {
    return { path, exports: require(path) };
  } catch (cause) {
    const advice = 'report this, with what was found';
    throw errors.shimUnavailable({ path, tried, found: describe(cause), output: '', advice }, cause);
  }
}

function toStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Whether Node.js loads no addons at all in this process. */
function isDisabled(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ERR_DLOPEN_DISABLED';
}

function disabled(path: string, tried: readonly TriedShim[], cause: unknown): ReloadError {
  const found = 'this process may load no addons';
  const advice = 'start Node.js with --allow-addons, and without --no-addons';
  return errors.shimUnavailable({ path, tried, found, output: '', advice }, cause);
}
