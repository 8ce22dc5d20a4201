/** The user's chain of schema steps. */
import { errors, type ReloadError } from '../errors.ts';
import type { ResolvedStep } from '../options.ts';
import { ignoreRejection, isThenable } from '../thenable.ts';

type Steps = ReadonlyMap<number, ResolvedStep>;

/**
 * Carries state from one schema to another, a step at a time, up or down.
 *
 * @throws `ERR_STATE_SCHEMA` when a step is missing (before any step has run), throws, returns a promise or nothing
 */
export function migrate(state: unknown, from: number, to: number, steps: Steps): unknown {
  const way = path(from, to, steps);
  let carried = state;
  for (const { step, run } of way) {
    try {
      carried = run(carried);
    } catch (cause) {
      throw errors.stateSchema({ from, to, step, reason: 'step-threw' }, cause);
    }
    if (isThenable(carried)) {
      ignoreRejection(carried);
      throw errors.stateSchema({ from, to, step, reason: 'step-async' });
    }
    if (carried === undefined) throw errors.stateSchema({ from, to, step, reason: 'step-lost' });
  }
  return carried;
}

interface PlannedStep {
  readonly step: readonly [number, number];
  readonly run: (state: unknown) => unknown;
}

function path(from: number, to: number, steps: Steps): readonly PlannedStep[] {
  const way: PlannedStep[] = [];
  const direction = to >= from ? 1 : -1;
  for (let schema = from; schema !== to; schema += direction) {
    const step = [schema, schema + direction] as const;
    // The step between n and n+1 is filed under n, whichever way it is walked.
    const between = steps.get(Math.min(...step));
    const run = direction === 1 ? between?.up : between?.down;
    if (!run) throw missing(from, to, step);
    way.push({ step, run });
  }
  return way;
}

function missing(from: number, to: number, step: readonly [number, number]): ReloadError<'ERR_STATE_SCHEMA'> {
  return errors.stateSchema({ from, to, step, reason: 'missing-step' });
}
