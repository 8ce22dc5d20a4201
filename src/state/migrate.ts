/** The user's chain of schema steps, and how far along it a state is carried. */
import { errors } from '../errors.ts';
import type { ResolvedStep } from '../options.ts';
import { ignoreRejection, isThenable } from '../thenable.ts';

type Steps = ReadonlyMap<number, ResolvedStep>;

/** The schemas that a version can take a state in. */
interface Taker {
  readonly schema: number;
  readonly accepts: readonly number[];
}

/**
 * Where a state is to be carried. The user has the first say: where the steps lead to the new version's own schema, it is
 * that. Otherwise it is the nearest that the version accepts as it is; of two, the one closer to its own.
 *
 * @returns its own schema also where nothing leads to any: {@link migrate} says then what is missing
 */
export function chooseSchema(from: number, { schema, accepts }: Taker, steps: Steps): number {
  const isReachable = (to: number): boolean => findWay(from, to, steps).way !== null;
  if (isReachable(schema)) return schema;
  const distance = (a: number, b: number): number => Math.abs(a - b);
  const [nearest = schema] = accepts
    .filter(isReachable)
    .sort((a, b) => distance(a, from) - distance(b, from) || distance(a, schema) - distance(b, schema));
  return nearest;
}

/**
 * Carries state from one schema to another, a step at a time, up or down.
 *
 * @throws `ERR_STATE_SCHEMA` when a step is missing (before any step has run), throws, returns a promise or nothing
 */
export function migrate(state: unknown, from: number, to: number, steps: Steps): unknown {
  const { way, gap } = findWay(from, to, steps);
  if (way === null) throw errors.stateSchema({ from, to, step: gap, reason: 'missing-step' });
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

type Way =
  | { readonly way: readonly PlannedStep[]; readonly gap: null }
  | { readonly way: null; readonly gap: readonly [number, number] };

function findWay(from: number, to: number, steps: Steps): Way {
  const way: PlannedStep[] = [];
  const direction = to >= from ? 1 : -1;
  for (let schema = from; schema !== to; schema += direction) {
    const step = [schema, schema + direction] as const;
    // The step between n and n+1 is filed under n, whichever way it is walked.
    const between = steps.get(Math.min(...step));
    const run = direction === 1 ? between?.up : between?.down;
    if (!run) return { way: null, gap: step };
    way.push({ step, run });
  }
  return { way, gap: null };
}
