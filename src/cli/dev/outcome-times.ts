/** Where the time of a reload went, from the edit to the swap. */
import { PHASES } from '../../report.ts';
import type { DevEventOf, Outcome } from './events.ts';
import { formatMs } from './format.ts';

/** Stages quicker than that are summed up, in milliseconds. */
const WORTH_NAMING_MS = 0.1;

/**
 * @param timings what came before, by project: `detect`, and the parts of the build
 * @returns such as `0.84 s from the change: detect 32 ms, compile 610 ms, link 88 ms, stage 1.1 ms, load 0.8 ms, swap 0.2 ms`
 */
export function outcomeTimes(
  { phasesMs }: Outcome,
  { totalMs }: DevEventOf<'reloaded'>,
  timings: ReadonlyMap<string, Readonly<Record<string, number>>>,
): string {
  const before = [...timings.values()].flatMap((times) => Object.entries(times));
  const stages = PHASES.flatMap((phase): [string, number][] => {
    const ms = phasesMs[phase];
    return ms === undefined || phase === 'build' ? [] : [[phase, ms]];
  });
  const named = stages.filter(([phase, ms]) => ms >= WORTH_NAMING_MS || phase === 'swap');
  const rest = stages.filter((stage) => !named.includes(stage)).reduce((sum, [, ms]) => sum + ms, 0);
  const parts = [...before, ...named, ...(rest > 0 ? [['others', rest] as const] : [])];
  return `${formatMs(totalMs)} in all: ${parts.map(([name, ms]) => `${name} ${formatMs(ms)}`).join(', ')}`;
}
