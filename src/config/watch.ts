/** A configuration that is read again when it is edited. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { describe, errors, isReloadError, type ReloadError } from '../errors.ts';
import { type Outside, realOutside } from '../outside.ts';
import { startWatcher, type Watcher } from '../watch/watcher.ts';
import { CONFIG_FILES, findConfig, foldersAbove, PACKAGE_FILE, packageConfig } from './find.ts';
import { loadConfigSync, realFolder } from './load.ts';
import type { ResolvedConfig } from './resolve.ts';

/** Silence after the last edit, in milliseconds. */
const QUIET_MS = 30;

export interface ConfigListeners {
  /** It was edited, and can be used. */
  onChange(config: ResolvedConfig): void;
  /** It was edited, and cannot be used: the one before it stays in force. */
  onError(error: ReloadError): void;
  /** Watching goes on, but not as it should. */
  onWarning?(message: string): void;
}

export interface WatchConfigOptions {
  /** Whether the process goes on for the sake of the watch alone. @defaultValue true */
  readonly persistent?: boolean;
  /** For tests. */
  readonly outside?: Outside;
}

export interface ConfigWatch {
  /** What is in force. */
  readonly current: ResolvedConfig;
  /**
   * Reads it now. No listener is called.
   *
   * @throws `ERR_CONFIG_INVALID`, and what was in force stays so
   */
  reload(): ResolvedConfig;
  /** Nothing is told and the process is not kept alive afterwards. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Watches a configuration, and the places between `from` and it where a nearer one may be made. That it is deleted, or
 * a module that it imports is edited, is seen with the next edit of the configuration itself.
 *
 * @param from as of {@link loadConfigSync}
 * @throws `ERR_CONFIG_INVALID` when it cannot be used at first
 */
export async function watchConfig(
  from: string,
  listeners: ConfigListeners,
  { persistent = true, outside = realOutside }: WatchConfigOptions = {},
): Promise<ConfigWatch> {
  let files = candidates(from);
  let seen = fingerprint(files);
  let current = loadConfigSync(from);
  let watcher: Watcher | null = null;
  let isClosed = false;
  /** Another one may be in force by now, and others may become the one that is. */
  const follow = (): void => {
    files = candidates(from);
    seen = fingerprint(files);
    watcher?.setFiles(files).then(look, (error) => listeners.onWarning?.(describe(error)));
  };
  const look = (): void => {
    const now = fingerprint(files);
    if (now === seen || isClosed) return;
    seen = now;
    try {
      follow();
      current = loadConfigSync(from);
    } catch (error) {
      listeners.onError(
        isReloadError(error) ? error : errors.internal({ during: 'reading the configuration' }, error),
      );
      return;
    }
    listeners.onChange(current);
  };
  watcher = await startWatcher(
    {
      files,
      ignore: [],
      debounceMs: QUIET_MS,
      persistent,
      onChange: look,
      onWarning: (message) => listeners.onWarning?.(message),
    },
    outside,
  );
  // It may have been edited before changes were seen.
  look();
  return {
    get current() {
      return current;
    },
    reload() {
      const before = seen;
      try {
        follow();
        current = loadConfigSync(from);
      } catch (error) {
        seen = before;
        throw error;
      }
      return current;
    },
    close() {
      isClosed = true;
      return watcher.close();
    },
  };
}

/** @returns every file that is the configuration, or may become it, in the folders from the one to the other */
function candidates(from: string): readonly string[] {
  const start = realFolder(from);
  const end = path.dirname(findConfig(start) ?? path.join(start, PACKAGE_FILE));
  const files: string[] = [];
  for (const folder of foldersAbove(start)) {
    for (const name of [...CONFIG_FILES, PACKAGE_FILE]) files.push(path.join(folder, name));
    if (folder === end) break;
  }
  return files;
}

/** Tells edits that matter from those that do not: of a package.json one part counts. */
function fingerprint(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`\0${file}\0${statement(file)}`);
  return hash.digest('hex');
}

function statement(file: string): string {
  try {
    if (path.basename(file) === PACKAGE_FILE) return JSON.stringify(packageConfig(file)) ?? '';
    // Whoever only touches it wants it read again, for what it imports.
    return `${fs.statSync(file).mtimeMs} ${fs.readFileSync(file, 'utf8')}`;
  } catch (error) {
    return isReloadError(error) ? error.message : '';
  }
}
