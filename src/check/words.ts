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
  /** Begins each word: the addon may write to the same descriptor. */
  readonly token: string;
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

/** @returns a line, with its end */
export function writeWord(word: Word, token: string): string {
  return `${token}${JSON.stringify(word)}\n`;
}

/** @returns null for what is no word of ours; what an addon has written in front of one is passed by */
export function readWord(line: string, token: string): Word | null {
  const start = line.indexOf(token);
  if (start === -1) return null;
  try {
    return JSON.parse(line.slice(start + token.length)) as Word;
  } catch {
    // A thread of the addon has written into the middle of it.
    return null;
  }
}
