/** Copies the build output to a path of its own, once it is whole. */
import path from 'node:path';
import type { ContentHash, SourcePath, StagedPath, VersionId } from '../brands.ts';
import { errors, type ReloadError } from '../errors.ts';
import type { NativeIncomplete, NativeIoFailure, NativeStaged } from '../native.ts';
import type { Outside } from '../outside.ts';

/** A file that nobody has written to for this long will not become whole by waiting. */
const QUIET_MS = 2_000;
/** However busily it is written to, nobody waits longer. */
const WAIT_MAX_MS = 30_000;
const POLL_MS = 10;

export interface Staged {
  readonly path: StagedPath;
  readonly hash: ContentHash;
  readonly bytes: number;
}

/** One handle's directory of staged copies. */
export interface Stager {
  /** Absolute path of that directory. */
  readonly directory: string;
  /**
   * Copies the source, waiting while it is being written.
   *
   * @returns null when the source has the bytes of `skipHash`
   * @throws `ERR_NOT_FOUND`, `ERR_NOT_AN_ADDON`, `ERR_STAGE_INCOMPLETE`, `ERR_STAGE_IO`, `ERR_ABORTED`
   */
  stage(id: VersionId, skipHash: ContentHash | null, signal: AbortSignal): Promise<Staged | null>;
  /**
   * Deletes one staged copy. An image that is mapped from it stays as it is.
   *
   * @throws `ERR_STAGE_IO`; `close()` will try again
   */
  discard(staged: StagedPath): void;
  /** Deletes the directory with all in it. */
  close(): void;
}

/**
 * Makes a directory for one handle, mode 0700, and removes those that dead processes left.
 *
 * @throws `ERR_STAGE_IO` when the stage directory is not writable, not ours, or may not hold code
 */
export function openStager(source: SourcePath, stageDir: string, outside: Outside): Stager {
  const { native } = outside;
  const name = path.basename(source, '.node') || 'addon';
  const directory = native.stageOpen(stageDir, name);
  if (!directory.ok) {
    if (directory.kind === 'io') throw ioError(source, directory);
    throw errors.stageIo({
      addon: source,
      path: directory.path,
      operation: 'check',
      errno: `a directory that ${directory.found}`,
    });
  }
  return {
    directory: directory.path,
    async stage(id, skipHash, signal) {
      const startMs = outside.nowMs();
      for (;;) {
        if (signal.aborted) throw errors.aborted({ addon: source, during: 'stage' }, signal.reason);
        const result = await native.stageCopy(directory.handle, source, id, skipHash);
        if (result.ok) return result.kind === 'same' ? null : staged(result);
        switch (result.kind) {
          case 'io':
            throw ioError(source, result);
          case 'foreign':
            throw errors.notAnAddon({ addon: source, path: source, reason: 'foreign', found: result.found });
          case 'incomplete': {
            const waitedMs = outside.nowMs() - startMs;
            if (waitedMs > WAIT_MAX_MS || isQuiet(result, waitedMs))
              throw incompleteError(source, result, waitedMs);
            await delay(POLL_MS, outside);
          }
        }
      }
    },
    discard(staged) {
      const failure = native.stageDiscard(directory.handle, staged);
      if (failure !== null) throw ioError(source, failure);
    },
    close: () => native.stageClose(directory.handle),
  };
}

function staged({ path, hash, bytes }: NativeStaged): Staged {
  return { path, hash, bytes };
}

/**
 * Whether its writer has gone. The file's own clock tells of a write that ended long ago; a clock that lies
 * (another machine's, one that was set back) only makes us wait the full time.
 */
function isQuiet({ mtimeMs }: NativeIncomplete, waitedMs: number): boolean {
  return Date.now() - mtimeMs > QUIET_MS || waitedMs > QUIET_MS * 2;
}

function incompleteError(source: SourcePath, result: NativeIncomplete, waitedMs: number): ReloadError {
  if (result.bytes === 0) {
    return errors.notAnAddon({ addon: source, path: source, reason: 'foreign', found: 'an empty file' });
  }
  return errors.stageIncomplete({
    addon: source,
    path: source,
    found: result.found,
    waitedMs: Math.round(waitedMs),
  });
}

function ioError(source: SourcePath, failure: NativeIoFailure): ReloadError {
  const { path, operation, errno } = failure;
  if (path === source && (errno === 'ENOENT' || errno === 'ENOTDIR')) {
    return errors.notFound({ addon: source, path });
  }
  return errors.stageIo({ addon: source, path, operation, errno });
}

function delay(ms: number, outside: Outside): Promise<void> {
  return new Promise((resolve) => {
    outside.after(ms, resolve);
  });
}
