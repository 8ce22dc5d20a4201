/** Copies the build output to a path of its own, once it is whole. */
import path from 'node:path';
import type { ContentHash, SourcePath, StagedPath, VersionId } from '../brands.ts';
import { errors, type ReloadError } from '../errors.ts';
import type { NativeIncomplete, NativeIoFailure, NativeStageDirectory, NativeStaged } from '../native.ts';
import type { Outside } from '../outside.ts';

/** A file that nobody has written to for this long will not become whole by waiting. */
const QUIET_MS = 2_000;
/** However busily it is written to, nobody waits longer. */
const WAIT_MAX_MS = 30_000;
const POLL_MS = 10;
/** An old file that was written to more recently may be in the middle of being written over. */
const IN_PLACE_QUIET_MS = 50;

export interface Staged {
  readonly path: StagedPath;
  readonly hash: ContentHash;
  readonly bytes: number;
  /** Its facts and its binding, where they were had on the way. */
  readonly image: NativeStaged['image'];
  readonly binding: NativeStaged['binding'];
}

/** One handle's directory of staged copies. */
export interface Stager {
  /**
   * Copies the source, waiting while it is being written.
   *
   * @returns null when the source has the bytes of `skipHash`
   * @throws `ERR_NOT_FOUND`, `ERR_NOT_AN_ADDON`, `ERR_STAGE_INCOMPLETE`, `ERR_STAGE_IO`, `ERR_ABORTED`
   */
  stage(id: VersionId, skipHash: ContentHash | null, signal: AbortSignal): Promise<Staged | null>;
  /**
   * Deletes one staged copy, and the private libraries that came with it. An image that is mapped from it stays as it is.
   *
   * @throws `ERR_STAGE_IO`; `close()` will try again
   */
  discard(staged: Pick<Staged, 'path' | 'binding'>): void;
  /** Deletes the directory with all in it. */
  close(): void;
}

export interface StagerOptions {
  readonly source: SourcePath;
  readonly stageDir: string;
  /** Whether whoever writes the source has ended when it is staged, as a build that we wait for. */
  readonly writerEnds: boolean;
  /** Whether a small copy may be looked at, and rebound, while its bytes are in memory. */
  readonly examine: boolean;
  readonly rebind: boolean;
}

/**
 * Makes a directory for one handle, mode 0700, and removes those that dead processes left.
 *
 * @throws `ERR_STAGE_IO` when the stage directory is not writable, not ours, or may not hold code
 */
export function openStager(options: StagerOptions, outside: Outside): Stager {
  return new SourceStager(options, outside);
}

type Result = Exclude<Awaited<ReturnType<Outside['native']['stageCopy']>>, { kind: 'incomplete' }>;

class SourceStager implements Stager {
  readonly #options: StagerOptions;
  readonly #outside: Outside;
  #directory: NativeStageDirectory;
  /** The file that the last copy was made of: one that is written to in place is still the same. */
  #lastFile: string | null = null;

  constructor(options: StagerOptions, outside: Outside) {
    this.#options = options;
    this.#outside = outside;
    this.#directory = this.#open();
  }

  async stage(id: VersionId, skipHash: ContentHash | null, signal: AbortSignal): Promise<Staged | null> {
    const { source } = this.#options;
    const copy = () => this.#copyWhenWhole(id, skipHash, signal);
    let result = await copy();
    // Cleaners of caches know nothing of locks. What is loaded already stays mapped.
    if (result.kind === 'io' && result.path !== source && (await this.#isGone())) {
      this.#outside.native.stageClose(this.#directory.handle);
      this.#directory = this.#open();
      result = await copy();
    }
    switch (result.kind) {
      case 'staged':
        this.#lastFile = result.file;
        return result;
      case 'same':
        return null;
      case 'io':
        throw ioError(source, result);
      case 'foreign':
        throw errors.notAnAddon({ addon: source, path: source, reason: 'foreign', found: result.found });
    }
  }

  discard({ path, binding }: Pick<Staged, 'path' | 'binding'>): void {
    const libraries = binding?.ok ? binding.libraries : [];
    const failures = [path, ...libraries].map((file) =>
      this.#outside.native.stageDiscard(this.#directory.handle, file),
    );
    for (const failure of failures) if (failure !== null) throw ioError(this.#options.source, failure);
  }

  close(): void {
    this.#outside.native.stageClose(this.#directory.handle);
  }

  async #copyWhenWhole(id: VersionId, skipHash: ContentHash | null, signal: AbortSignal): Promise<Result> {
    const { source, examine, rebind } = this.#options;
    const { native } = this.#outside;
    const startMs = this.#outside.nowMs();
    for (;;) {
      if (signal.aborted) throw errors.aborted({ addon: source, during: 'stage' }, signal.reason);
      const { handle } = this.#directory;
      const result = await native.stageCopy(handle, source, id, skipHash, examine, rebind);
      const waitedMs = this.#outside.nowMs() - startMs;
      if (result.kind === 'staged' && this.#mayBeMidWrite(result) && waitedMs < WAIT_MAX_MS) {
        this.discard(result);
      } else if (result.kind !== 'incomplete') {
        return result;
      } else if (waitedMs > WAIT_MAX_MS || isQuiet(result, waitedMs)) {
        throw incompleteError(source, result, waitedMs);
      }
      await delay(POLL_MS, this.#outside);
    }
  }

  /**
   * Linkers make a new file, whose headers tell when it is whole. A tool that writes over the old file, such as
   * `rsync --inplace`, leaves whole headers in front of a mixture of two builds.
   */
  #mayBeMidWrite({ file, mtimeMs }: NativeStaged): boolean {
    if (this.#options.writerEnds || file !== this.#lastFile) return false;
    const ageMs = Date.now() - mtimeMs;
    return ageMs >= 0 && ageMs < IN_PLACE_QUIET_MS;
  }

  #open(): NativeStageDirectory {
    const { source, stageDir } = this.#options;
    const name = path.basename(source, '.node') || 'addon';
    const directory = this.#outside.native.stageOpen(stageDir, name);
    if (directory.ok) return directory;
    if (directory.kind === 'io') throw ioError(source, directory);
    const errno = `a directory that ${directory.found}`;
    throw errors.stageIo({ addon: source, path: directory.path, operation: 'check', errno });
  }

  async #isGone(): Promise<boolean> {
    const stat = await this.#outside
      .stat(this.#directory.path)
      .catch((error: NodeJS.ErrnoException) => error.code);
    return stat === 'ENOENT';
  }
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
