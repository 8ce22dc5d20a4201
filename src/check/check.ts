/** Reloads an addon many times and looks what becomes of it. */
import { diagnose } from '../doctor/diagnose.ts';
import { isLoadable } from '../doctor/diagnosis.ts';
import { loadNative } from '../native.ts';
import { defaultStageDir } from '../options.ts';
import { judge, loadProblems } from './judge.ts';
import type { CheckReport } from './report.ts';
import { supervise } from './supervise.ts';
import { Tally } from './tally.ts';

export interface CheckOptions {
  /**
   * Null for the default: {@link RELOADS} for an addon that unloads, or with a bound to memory, {@link RELOADS_KEPT} for
   * any other.
   */
  readonly reloads: number | null;
  /** Absolute path of a module whose default export is called with the exports of each version; null for none. */
  readonly exercise: string | null;
  /** Bound on each step, in milliseconds. */
  readonly timeoutMs: number;
  /** Bytes; null for the default: {@link MAX_RSS_PER_RELOAD} for an addon that unloads, none for one that does not. */
  readonly maxRssPerReload: number | null;
}

export const RELOADS = 1000;
/** Each version that stays may take megabytes. */
export const RELOADS_KEPT = 100;

/** Bytes. Addons without a leak were seen with up to 2.6 KB, of which Node.js itself keeps a part. */
export const MAX_RSS_PER_RELOAD: number = 5 * 1024;

/** @returns the report; or the signal that asked this process to stop meanwhile */
export async function check(file: string, options: CheckOptions): Promise<CheckReport | NodeJS.Signals> {
  const diagnosis = diagnose(file, loadNative());
  const promised = diagnosis.reclaim.level;
  const maxRssPerReload = options.maxRssPerReload ?? (promised === 'never' ? null : MAX_RSS_PER_RELOAD);
  const common = { file: diagnosis.file, promised, maxRssPerReload };
  if (!isLoadable(diagnosis)) {
    const nothing = { ...new Tally().figures(), crashed: null, threw: null };
    return { ...common, ...nothing, problems: loadProblems(diagnosis) };
  }
  const { exercise, timeoutMs } = options;
  // Whoever sets a bound to memory wants it measured.
  const isWhole = promised !== 'never' || options.maxRssPerReload !== null;
  const reloads = options.reloads ?? (isWhole ? RELOADS : RELOADS_KEPT);
  const stageDir = defaultStageDir();
  const plan = { file: diagnosis.file, exercise, reloads, stageDir, parentPid: process.pid };
  const { tally, crashed, stopped } = await supervise(plan, timeoutMs);
  if (stopped !== null) return stopped;
  const report = { ...common, ...tally.figures(), crashed, threw: tally.threw };
  return { ...report, problems: judge(report) };
}
