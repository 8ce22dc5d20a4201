/** Ends a version that serves no more. */
import type { Retirement } from '../report.ts';
import { enter, liveCode, type Version } from '../version.ts';

/**
 * Lets the version stop what it runs. Its image stays mapped: Node.js keeps the pointers that the addon gave it,
 * and unmapping under them crashes.
 *
 * @param dispose calls the version's own `dispose`, within a bound
 * @param onFailure told of what `dispose` threw; a failure here never undoes the swap
 */
export async function retire(
  version: Version,
  dispose: () => Promise<void>,
  onFailure: (cause: unknown) => void,
): Promise<Retirement> {
  enter(version, { name: 'retiring', code: liveCode(version) });
  await dispose().catch(onFailure);
  enter(version, { name: 'kept', reason: 'no-ledger' });
  return { id: version.id, outcome: 'kept', reason: 'no-ledger' };
}
