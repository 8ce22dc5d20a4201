/** What a builder is to the transaction: something that writes the addon, and knows what it reads to do so. */
import type { Diagnostic } from '../diagnostic.ts';

export interface BuildProgress {
  /** What the builder is at, such as `CXX kernel.cc` or `configure`. */
  readonly step: string;
  /** Which of the `total` steps this is, from 1, where the tool tells or was asked before; Makefiles of CMake tell percent. */
  readonly done?: number;
  readonly total?: number;
}

export interface BuildRequest {
  /** Ends the build, with its whole process group, when it fires. */
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Compile everything again. The addon stays where it is until the link of the new one. @defaultValue false */
  readonly clean?: boolean;
  /**
   * Start the builder also when no file that it is known to read has other bytes than in its last good build.
   *
   * @defaultValue false
   */
  readonly always?: boolean;
  onProgress(progress: BuildProgress): void;
}

/** Wall-clock milliseconds of the parts of a build that ran, as far as its output tells them apart. */
export interface BuildPhasesMs {
  /** Of the configuration of the project. */
  readonly configure?: number;
  /** Of compilers. */
  readonly compile?: number;
  /** Of linkers. */
  readonly link?: number;
}

/** What a build that ended well was. */
export interface BuildOutcome {
  /** Whether the project had to be configured first. */
  readonly configured: boolean;
  /** Whether there was nothing to build, so that no builder was started. */
  readonly skipped: boolean;
  /** Warnings and notes; a build with errors is a ReloadError instead. */
  readonly diagnostics: readonly Diagnostic[];
  /** Milliseconds of each part that ran. */
  readonly phasesMs: BuildPhasesMs;
}

export interface Builder {
  /** The folder that the build belongs to. */
  readonly root: string;
  /**
   * Waits for its turn while another handle of this thread builds in the same folder. Settles when no process of the
   * build's group is left; one that the kernel does not let go of is given up on after a bounded time. A process that
   * left the group, as daemons do, is not waited for.
   *
   * @throws `ERR_BUILD_FAILED` when it ends badly, in time or not; `ERR_ABORTED` when the signal fired
   */
  build(request: BuildRequest): Promise<BuildOutcome>;
  /**
   * Absolute paths of all files that decide what is built, as far as they are known now: sorted, each once. Some may
   * not exist (yet).
   *
   * @throws `ERR_INVALID_OPTION` for `watch` when there are too many to find them by walking the folder
   */
  inputs(): Promise<readonly string[]>;
}
