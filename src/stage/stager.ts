/** Copies the build output to a path of its own, once it is whole. */
import assert from 'node:assert/strict';
import path from 'node:path';
import type { ContentHash, Fingerprint, SourcePath, StagedPath, VersionId } from '../brands.ts';
import { errors } from '../errors.ts';
import type {
  NativeContents,
  NativeIncomplete,
  NativeIoFailure,
  NativeKept,
  NativeStageDirectory,
  NativeStaged,
  NativeStageWishes,
} from '../native.ts';
import { type Here, rest } from '../here.ts';
import { Later, runSteps, type Steps, settled } from '../later.ts';
import { foreignError, incompleteError, ioError } from './refusals.ts';

/** A file that nobody has written to for this long will not become whole by waiting. */
const QUIET_MS = 2_000;
/** However busily it is written to, nobody waits longer. */
const WAIT_MAX_MS = 30_000;
const POLL_MS = 10;
/** An old file that was written to more recently may be in the middle of being written over. */
const IN_PLACE_QUIET_MS = 50;

export interface Staged extends NativeContents {
  readonly path: StagedPath;
  readonly bytes: number;
  /** Its facts and its binding, where they were had on the way. */
  readonly image: NativeStaged['image'];
  readonly binding: NativeStaged['binding'];
  /** The version that it was made of again, where the source was not asked. */
  readonly kept?: NativeKept;
}

type Skip = Fingerprint | ContentHash | null;

/** One handle's directory of staged copies. */
export interface Stager {
  /**
   * Copies the source, waiting while it is being written.
   *
   * @param skip a fingerprint, or the hash of an addon alone, whatever its libraries are
   * @param atOnce on this thread, however large it is
   * @returns null when the source has just that
   * @throws `ERR_NOT_FOUND`, `ERR_NOT_AN_ADDON`, `ERR_LOAD_FAILED`, `ERR_STAGE_INCOMPLETE`, `ERR_STAGE_IO`,
   * `ERR_ABORTED`
   */
  stage(id: VersionId, skip: Skip, signal: AbortSignal, atOnce: boolean): Steps<Staged | null>;
  /**
   * Stages what a version was made of once more, whatever the source holds by now.
   *
   * @returns null when the files of that version are gone
   * @throws `ERR_STAGE_IO`, `ERR_ABORTED`; of private libraries that it has in place also `ERR_LOAD_FAILED`,
   * `ERR_STAGE_INCOMPLETE`
   */
  restore(id: VersionId, kept: NativeKept, signal: AbortSignal): Promise<Staged | null>;
  /** Paths that decided, when last looked, which private libraries the addon has; some of them hold no file. */
  readonly looked: readonly string[];
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
  readonly wanted: NativeStageWishes;
}

/**
 * Makes a directory for one handle, mode 0700, and removes those that dead processes left.
 *
 * @throws `ERR_STAGE_IO` when the stage directory is not writable, not ours, or may not hold code
 */
export function openStager(options: StagerOptions, outside: Here): Stager {
  return new SourceStager(options, outside);
}

type Result = Exclude<Awaited<ReturnType<Here['native']['stageCopy']>>, { kind: 'incomplete' }>;

class SourceStager implements Stager {
  readonly #options: StagerOptions;
  readonly #outside: Here;
  #directory: NativeStageDirectory;
  /** The files that the last copies were made of: one that is written to in place is still the same. */
  #lastFiles: ReadonlySet<string> = new Set();
  #looked: readonly string[] = [];

  constructor(options: StagerOptions, outside: Here) {
    this.#options = options;
    this.#outside = outside;
    this.#directory = this.#open();
  }

  get looked(): readonly string[] {
    return this.#looked;
  }

  *stage(id: VersionId, skip: Skip, signal: AbortSignal, atOnce: boolean): Steps<Staged | null> {
    const { source } = this.#options;
    let result = yield* this.#copyWhenWhole(id, skip, null, signal, atOnce);
    // Cleaners of caches know nothing of locks. What is loaded already stays mapped.
    if (result.kind === 'io' && result.path !== source && this.#isGone()) {
      this.#outside.native.stageClose(this.#directory.handle);
      this.#directory = this.#open();
      result = yield* this.#copyWhenWhole(id, skip, null, signal, atOnce);
    }
    switch (result.kind) {
      case 'staged':
        this.#lastFiles = new Set([result, ...result.libraries].map(({ file }) => file));
        this.#looked = result.looked;
        return result;
      case 'same':
        this.#looked = result.looked;
        return null;
      case 'io':
        throw ioError(source, result);
      case 'foreign':
        this.#alsoLooked(result.path);
        throw foreignError(source, result);
    }
  }

  async restore(id: VersionId, kept: NativeKept, signal: AbortSignal): Promise<Staged | null> {
    const result = await runSteps(this.#copyWhenWhole(id, null, kept, signal, false));
    switch (result.kind) {
      case 'staged':
        return { ...result, kept };
      case 'io':
        if (isLost(result, kept)) return null;
        throw ioError(this.#options.source, result);
      case 'foreign':
        throw foreignError(this.#options.source, result);
      case 'same':
        return assert.fail('nothing was to be skipped');
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

  *#copyWhenWhole(
    id: VersionId,
    skip: Skip,
    kept: NativeKept | null,
    signal: AbortSignal,
    atOnce: boolean,
  ): Steps<Result> {
    const { source, wanted } = this.#options;
    const { native } = this.#outside;
    const startMs = this.#outside.nowMs();
    for (;;) {
      if (signal.aborted) throw errors.aborted({ addon: source, during: 'stage' }, signal.reason);
      const { handle } = this.#directory;
      const copied = native.stageCopy(handle, source, id, skip, wanted, kept, atOnce);
      const result = yield* settled(copied instanceof Promise ? new Later(copied) : copied);
      const waitedMs = this.#outside.nowMs() - startMs;
      if (result.kind === 'staged' && this.#mayBeMidWrite(result) && waitedMs < WAIT_MAX_MS) {
        this.discard(result);
      } else if (result.kind !== 'incomplete') {
        return result;
      } else if (waitedMs > WAIT_MAX_MS || isQuiet(result, waitedMs)) {
        this.#alsoLooked(result.path);
        throw incompleteError(source, result, waitedMs);
      }
      yield rest(POLL_MS, this.#outside);
    }
  }

  /**
   * Linkers make a new file, whose headers tell when it is whole. A tool that writes over the old file, such as
   * `rsync --inplace`, leaves whole headers in front of a mixture of two builds.
   */
  #mayBeMidWrite(staged: NativeStaged): boolean {
    if (this.#options.writerEnds) return false;
    return [staged, ...staged.libraries].some(({ file, mtimeMs }) => {
      const ageMs = Date.now() - mtimeMs;
      return this.#lastFiles.has(file) && ageMs >= 0 && ageMs < IN_PLACE_QUIET_MS;
    });
  }

  /** One that is refused now is worth a look when it changes, also where no version knew of it yet. */
  #alsoLooked(file: string): void {
    if (!this.#looked.includes(file)) this.#looked = [...this.#looked, file];
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

  #isGone(): boolean {
    return !this.#outside.isThere(this.#directory.path);
  }
}

/**
 * Whether its writer has gone. The file's own clock tells of a write that ended long ago; a clock that lies
 * (another machine's, one that was set back) only makes us wait the full time.
 */
function isQuiet({ mtimeMs }: NativeIncomplete, waitedMs: number): boolean {
  return Date.now() - mtimeMs > QUIET_MS || waitedMs > QUIET_MS * 2;
}

/** Whether the files of a version are not there any more, or are not what they were. */
function isLost({ operation, path: file, errno }: NativeIoFailure, kept: NativeKept): boolean {
  if (![kept.path, ...kept.libraries].some((each) => each === file)) return false;
  return operation === 'check' || errno === 'ENOENT';
}
