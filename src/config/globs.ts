/** Globs of a configuration, and the files that they mean. */
import path from 'node:path';
import picomatch from 'picomatch';
import { invalid, show, text } from '../option-checks.ts';

/** A glob of paths. */
export interface Glob {
  /** As it was written. */
  readonly pattern: string;
  /** Of two globs, the one that has more of them is more exact: letters that stand for themselves. */
  readonly literals: number;
  /** Whether it means a file, by its absolute path. */
  matches(file: string): boolean;
}

/**
 * @param option its name, for the refusal
 * @param folder that it is relative to
 * @throws `ERR_INVALID_OPTION`
 */
export function compileGlob(option: string, value: unknown, folder: string): Glob {
  const pattern = text(option, value);
  if (pattern === undefined || pattern.startsWith('!') || pattern.length > PATTERN_MAX) {
    return invalid(
      option,
      show(value).slice(0, 80),
      'a path or glob without "!" in front; "exclude" takes some out',
    );
  }
  const isAbsolute = path.isAbsolute(pattern);
  const test = picomatch(isAbsolute ? pattern : path.posix.normalize(pattern), { dot: true });
  return {
    pattern,
    literals: pattern.replace(/[*?!+@()[\]{}|,]/g, '').length,
    matches: (file) => test(isAbsolute ? file : path.relative(folder, file)),
  };
}

/** picomatch takes none that is longer. */
const PATTERN_MAX = 2 ** 16;

/**
 * The same for what is taken out: `**` in front means any folder, also above that of the configuration, so that an addon
 * which a parent folder's node_modules holds is no other than one of its own.
 */
export function compileExclude(option: string, value: unknown, folder: string): Glob {
  const glob = compileGlob(option, value, folder);
  if (!glob.pattern.startsWith('**/')) return glob;
  const anywhere = picomatch(glob.pattern, { dot: true });
  const isOutside = (file: string) => path.relative(folder, file).split(path.sep)[0] === '..';
  return { ...glob, matches: (file) => (isOutside(file) ? anywhere(file.slice(1)) : glob.matches(file)) };
}
