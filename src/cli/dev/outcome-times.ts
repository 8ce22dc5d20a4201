/** Where the time of a reload went, from the edit to the swap. */
import { PHASES } from '../../report.ts';
import type { DevEventOf, Outcome } from './events.ts';
import { formatMs } from './format.ts';

/** Stages quicker than that are summed up, in milliseconds. */
const WORTH_NAMING_MS = 0.1;

/**
 * @param before what came before: `detect`, and the parts of the build
 * @returns such as `842 ms in all: detect 32, compile 610, link 88, stage 1.1, load 0.80, swap 0.20`
 */
export function outcomeTimes(
  { phasesMs }: Outcome,
  { totalMs }: DevEventOf<'reloaded'>,
  before: Readonly<Record<string, number>>,
): string {
  const stages = PHASES.flatMap((phase): [string, number][] => {
    const ms = phasesMs[phase];
    return ms === undefined || phase === 'build' ? [] : [[phase, ms]];
  });
  const named = stages.filter(([phase, ms]) => ms >= WORTH_NAMING_MS || phase === 'swap');
  const rest = stages.filter((stage) => !named.includes(stage)).reduce((sum, [, ms]) => sum + ms, 0);
  const parts = [...Object.entries(before), ...named, ...(rest > 0 ? [['others', rest] as const] : [])];
  return `${formatMs(totalMs)} in all: ${parts.map(([name, ms]) => `${name} ${formatFigure(ms)}`).join(', ')}`;
}

/** Milliseconds without their unit: a row has many. */
function formatFigure(ms: number): string {
  return ms < 9.95 ? ms.toFixed(ms < 0.995 ? 2 : 1) : String(Math.round(ms));
}
