/** What a configuration says of addons, checked. */
import path from 'node:path';
import { asRecord, onlyKeys, within } from '../option-checks.ts';
import { type OpenOptions, resolveOptions } from '../options.ts';
import type { AddonEntry } from './config.ts';

/**
 * The checks are those of `open()`.
 *
 * @param name of the entry, for the refusal; empty for the configuration itself
 * @param folder that paths are relative to
 * @returns what was given, for `open()` to take, with absolute paths
 * @throws `ERR_INVALID_OPTION`
 */
export function resolveEntry(
  name: string,
  value: unknown,
  folder: string,
  keys: readonly string[],
): AddonEntry {
  const entry = asRecord(value, name);
  onlyKeys(name, entry, keys);
  if (name === '') resolveOptions(entry);
  else within(name, () => resolveOptions(entry));
  const given = Object.fromEntries(Object.entries(entry).filter(([, option]) => option !== undefined));
  const { stageDir, build, watch, ...rest } = given as AddonEntry;
  return {
    ...rest,
    ...(stageDir === undefined ? {} : { stageDir: path.resolve(folder, stageDir) }),
    ...(build === undefined ? {} : { build: absoluteBuild(build, folder) }),
    ...(watch === undefined ? {} : { watch: absoluteWatch(watch, folder) }),
  };
}

function absoluteBuild(
  build: NonNullable<OpenOptions['build']>,
  folder: string,
): NonNullable<OpenOptions['build']> {
  if (typeof build !== 'object' || build.cwd === undefined) return build;
  return { ...build, cwd: path.resolve(folder, build.cwd) };
}

function absoluteWatch(
  watch: NonNullable<OpenOptions['watch']>,
  folder: string,
): NonNullable<OpenOptions['watch']> {
  if (typeof watch === 'boolean') return watch;
  const { paths, ignore, ...rest } = watch;
  const absolute = (file: string) => path.resolve(folder, file);
  return {
    ...rest,
    ...(paths === undefined ? {} : { paths: paths.map(absolute) }),
    ...(ignore === undefined
      ? {}
      : { ignore: ignore.map((rule) => (typeof rule === 'string' ? absolute(rule) : rule)) }),
  };
}
