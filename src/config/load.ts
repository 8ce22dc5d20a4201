/** A configuration, from where it is found to its full form. */
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { errors } from '../errors.ts';
import { findConfig, PACKAGE_FILE, packageConfig } from './find.ts';
import { readJson, readModule } from './read.ts';
import { type ResolvedConfig, resolveConfig } from './resolve.ts';

/**
 * Finds the nearest configuration, in a folder or above it, and reads it as it is now.
 *
 * @param from the folder to start in, by default the working directory
 * @returns that of the defaults when there is none, whose folder is `from`
 * @throws `ERR_CONFIG_INVALID` when it cannot be used, or a folder has two
 * @example
 * ```ts
 * const config = loadConfigSync();
 * if (config.file !== null) console.log(`Configured by ${config.file}`);
 * ```
 */
export function loadConfigSync(from: string = process.cwd()): ResolvedConfig {
  const start = realFolder(from);
  const file = findConfig(start);
  if (file === null) return resolveConfig({}, { file, folder: start });
  return resolveConfig(readConfig(file), { file, folder: path.dirname(file) });
}

function readConfig(file: string): unknown {
  if (path.basename(file) === PACKAGE_FILE) return packageConfig(file);
  return file.endsWith('.json') ? readJson(file) : readModule(file);
}

/** Node.js opens addons by paths without symbolic links, and globs are compared with these. */
export function realFolder(from: string): string {
  try {
    return fs.realpathSync(from);
  } catch (cause) {
    throw errors.configInvalid(
      {
        file: path.resolve(from),
        option: null,
        found: 'no such folder',
        wanted: 'one to look for a configuration in',
      },
      cause,
    );
  }
}
