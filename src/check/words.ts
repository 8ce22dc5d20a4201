/** What the process that is checked tells the one that looks on: a line of JSON for each. */
import type { NativePin } from '../native.ts';
import type { CheckFailure, CheckPlace } from './report.ts';

/** What the process is given to do. */
export interface CheckPlan {
  /** Absolute paths. */
  readonly file: string;
  readonly exercise: string | null;
  readonly stageDir: string;
  readonly reloads: number;
  readonly parentPid: number;
}

export interface Sample {
  readonly reload: number;
  readonly rssBytes: number;
  readonly mappings: number;
}

export type Outcome = 'unloaded' | 'pinned' | 'kept';

export type Word =
  /** A step begins. */
  | ({ readonly kind: 'step' } & CheckPlace)
  /** A version was replaced. */
  | { readonly kind: 'reloaded'; readonly ms: number; readonly version: number; readonly outcome: Outcome }
  /** A version that was pinned has ended, after all. */
  | { readonly kind: 'ended'; readonly version: number; readonly outcome: Outcome }
  | ({ readonly kind: 'sample' } & Sample)
  | ({ readonly kind: 'threw' } & CheckFailure)
  /** What pins versions at the end. */
  | { readonly kind: 'pins'; readonly pins: readonly NativePin[] }
  /** Nothing follows but the end of the process. */
  | { readonly kind: 'done' };

/** Descriptor of the line: the usual ones are the addon's and the exercise's. */
export const WORDS_FD = 3;

/** @returns null for what is no word of ours: an addon may write to any descriptor */
export function readWord(line: string): Word | null {
  try {
    const word: unknown = JSON.parse(line);
    return typeof word === 'object' && word !== null && 'kind' in word ? (word as Word) : null;
  } catch {
    return null;
  }
}
