/** Reads chokidar's raw events, whose shape depends on how it watches. */
import path from 'node:path';

export interface RawChange {
  /** Absolute paths that the event may be about. */
  readonly paths: readonly string[];
  /** False when only the time of the last access differs: a compiler that reads a file is no change to it. */
  readonly changed: boolean;
}

interface Snapshot {
  readonly mtimeMs: number;
  readonly size: number;
  readonly ino: number;
}

/**
 * @param name a name in the watched folder, the watched path's own last part, or (when polling) an absolute path
 * @param details `{ watchedPath }`, or when polling `{ curr, prev }`
 */
export function readRaw(name: unknown, details: unknown): RawChange {
  const { watchedPath, curr, prev } = (details ?? {}) as {
    readonly watchedPath?: string;
    readonly curr?: Snapshot;
    readonly prev?: Snapshot;
  };
  if (curr && prev) {
    const changed = curr.mtimeMs !== prev.mtimeMs || curr.size !== prev.size || curr.ino !== prev.ino;
    return { paths: typeof name === 'string' ? [name] : [], changed };
  }
  if (watchedPath === undefined) return { paths: [], changed: false };
  if (typeof name !== 'string') return { paths: [watchedPath], changed: true };
  const inside = path.resolve(watchedPath, name);
  // The same name can mean the watched path itself or an entry in it.
  const paths = name === path.basename(watchedPath) ? [watchedPath, inside] : [inside];
  return { paths, changed: true };
}
