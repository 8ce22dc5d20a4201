/** What `napi-reload check` says of an addon. */
import type { Reclaim } from '../doctor/diagnosis.ts';
import type { NativePin } from '../native.ts';

/** What the process that is checked was doing. */
export type CheckStep = 'load' | 'reload' | 'exercise' | 'close' | 'exit';

/** Where something went wrong: reload 0 is the first load. */
export interface CheckPlace {
  /** Which reload, from 1; 0 is the first load. */
  readonly reload: number;
  /** What was being done. */
  readonly during: CheckStep;
}

/** The process ended without being asked to. */
export interface CheckCrash extends CheckPlace {
  /** `timeout`: it was ended because a step took longer than `--timeout`. */
  readonly reason: 'signal' | 'exit' | 'timeout';
  /** The signal that ended it; null where none did. */
  readonly signal: NodeJS.Signals | null;
  /** Its exit code; null where a signal ended it. */
  readonly exitCode: number | null;
}

/** Something threw, or rejected. */
export interface CheckFailure extends CheckPlace {
  /** Of what was thrown. */
  readonly message: string;
  /** Such as `ERR_INIT_THREW`; null where there is none. */
  readonly code: string | null;
}

/** Why a check was not passed. */
export interface CheckProblem {
  /** `docs/check.md` has what each means. */
  readonly code: 'cannot-load' | 'crashed' | 'hung' | 'threw' | 'not-unloaded' | 'leaked';
  /** For people. */
  readonly message: string;
}

/** What `napi-reload check --json` prints. */
export interface CheckReport {
  /** Absolute path. */
  readonly file: string;
  /** How many were done. Each replaced one version. */
  readonly reloads: number;
  /** Versions that were replaced, by what became of them until the end. */
  readonly unloaded: number;
  /** Versions that were replaced, and are still pinned. */
  readonly pinned: number;
  /** Versions that were replaced, and stay for good. */
  readonly kept: number;
  /** How the process ended, if it was not asked to; null otherwise. */
  readonly crashed: CheckCrash | null;
  /** What was thrown first; null where nothing was. */
  readonly threw: CheckFailure | null;
  /**
   * Memory mappings that came to the process in the second half of the reloads; null when fewer than 1000 were done, which
   * tell nothing of memory.
   */
  readonly mappingsGrown: number | null;
  /** Bytes of resident memory that stay after each reload, of the same; of V8's heap only what JavaScript still holds. */
  readonly rssBytesPerReload: number | null;
  /** The most that it may be; null for no bound. */
  readonly maxRssPerReload: number | null;
  /** Of a reload, in milliseconds, without the exercise; null when none was done. */
  readonly medianMs: number | null;
  /** The same: 99 of 100 reloads took no longer. */
  readonly p99Ms: number | null;
  /** What kept the versions that are pinned, summed up. */
  readonly pins: readonly Omit<NativePin, 'bytes'>[];
  /** What `doctor` says of unloading. */
  readonly promised: Reclaim['level'];
  /** Empty when the check was passed. */
  readonly problems: readonly CheckProblem[];
}
