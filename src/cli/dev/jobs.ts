/** What is to be done for a project. */
import type { BuildReason } from './events.ts';

export type Job =
  | {
      readonly kind: 'build';
      readonly reason: BuildReason;
      /** Compile everything again. */
      readonly clean: boolean;
      /** When it was asked for, or the oldest of the changes was made, by the wall clock. */
      readonly sinceMs: number;
    }
  /** What is there goes live, and nothing is built over it. */
  | {
      readonly kind: 'reload';
      /** Whether somebody else has built it. */
      readonly isForeign: boolean;
      readonly sinceMs: number;
    }
  | { readonly kind: 'rollback'; readonly addon: string; readonly sinceMs: number };

/** What waits is built once; who goes back twice goes back by two. */
export function mergeJobs(older: Job, newer: Job): Job | null {
  if (older.kind === 'rollback' || newer.kind === 'rollback') return null;
  const sinceMs = Math.min(older.sinceMs, newer.sinceMs);
  if (older.kind === 'reload' && newer.kind === 'reload')
    return { kind: 'reload', isForeign: older.isForeign || newer.isForeign, sinceMs };
  if (older.kind === 'reload') return { ...newer, sinceMs };
  if (newer.kind === 'reload') return { ...older, sinceMs };
  const reason = older.reason === 'key' ? 'key' : newer.reason;
  return { kind: 'build', reason, clean: older.clean || newer.clean, sinceMs };
}
