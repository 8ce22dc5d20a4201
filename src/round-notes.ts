/** What threads tell each other in a round: texts, since nothing else crosses. */
import type { Fingerprint } from './brands.ts';
import { describe, type ErrorCode, errors, isReloadError, ReloadError } from './errors.ts';

/** What the leader tells of a new version. */
export interface Note {
  /** Which of its handles has it. */
  readonly index: number;
  readonly fingerprint: Fingerprint;
  /** Whether it went back: to the version before, or to a certain one. */
  readonly back: 'before' | 'version' | null;
  readonly discardState: boolean;
}

export function writeNote(note: Note): string {
  return JSON.stringify(note);
}

export function readNote(text: string): Note {
  // Written by this very file, on another thread.
  return JSON.parse(text) as Note;
}

/** What made a thread refuse, as its leader is told. */
export interface Failure {
  /** Which of the leader's handles has the new version that was refused. */
  readonly index: number;
  readonly error: Error;
}

/** @param candidate id of the new version that it is about, in the thread that writes */
export function writeFailure(error: unknown, index: number, candidate: number | null): string {
  const { code, message, details, cause } = isReloadError(error)
    ? error
    : errors.internal({ during: 'reload' }, error);
  const isOfCandidate = 'version' in details && details.version === candidate;
  const reason = cause === undefined ? null : describe(cause);
  return JSON.stringify({ index, code, message, details, isOfCandidate, reason });
}

/** @param candidates ids of the new versions, in the thread that reads */
export function readFailure(text: string, candidates: readonly number[]): Failure {
  const told = JSON.parse(text) as {
    readonly index: number;
    readonly code: ErrorCode;
    readonly message: string;
    readonly details: ReloadError['details'];
    readonly isOfCandidate: boolean;
    readonly reason: string | null;
  };
  const version = told.isOfCandidate ? { version: candidates[told.index] } : {};
  const details = { ...told.details, ...version } as ReloadError['details'];
  const cause = told.reason === null ? undefined : new Error(told.reason);
  const error = new ReloadError(told.code, `In another thread: ${told.message}`, details, cause);
  return { index: told.index, error };
}
