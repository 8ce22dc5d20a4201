/** Whether a version will leave the memory once it was replaced. */
import type { NativeAnatomy } from '../native.ts';
import type { Reclaim } from './diagnosis.ts';
import { listed, namesOf, type Use, USES } from './uses.ts';

/** @param anatomy null for a file that has none to read */
export function foresee(anatomy: NativeAnatomy | null): Reclaim {
  if (anatomy === null) return { level: 'never', reasons: ['it cannot be read as an addon'] };
  if (anatomy.refusal !== null) return { level: 'never', reasons: [anatomy.refusal] };
  const reasons = Object.values(USES).flatMap((use) => pinOf(use, anatomy));
  if (anatomy.uvRequests.length > 0) reasons.push(`uv-request (${listed(anatomy.uvRequests)})`);
  return { level: reasons.length === 0 ? 'full' : 'when idle', reasons };
}

function pinOf(use: Use, { imports }: NativeAnatomy): readonly string[] {
  const names = namesOf(use, imports);
  return use.pin === null || names.length === 0 ? [] : [`${use.pin} (${listed(names)})`];
}
