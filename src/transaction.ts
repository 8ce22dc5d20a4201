/**
 * One reload, from a changed source to a retired version: the one place that knows the order of the stages.
 *
 *     build → stage → inspect → load → prepare → [ save → migrate → init → verify → swap ] → retire
 *
 * What leads to the bracket is in candidate.ts, the bracket in switch.ts.
 *
 * Invariants:
 * 1. Until `swap`, the version that served before serves, and any failure leaves it serving with its state.
 * 2. What stands in brackets is one synchronous turn: no call, event or timer sees half of it.
 * 3. After `swap`, nothing undoes it; a failure of `retire` is a warning.
 * 4. Whatever was staged for a version that did not go live is deleted.
 * 5. Handles that reload together go over in one turn, or none does.
 */
import assert from 'node:assert/strict';
import { giveUp, makeReady, type Ready, type ReloadRequest, type ReloadSignals } from './candidate.ts';
import { describe } from './errors.ts';
import type { ReloadedReport, ReloadReport, UnchangedReport } from './report.ts';
import { type ResumeTrouble, type Switched, switchTogether } from './switch.ts';
import { lookAtPinned, retireVersion, type Workshop } from './workshop.ts';

/** One handle, and what is asked of it. */
export interface Member {
  readonly shop: Workshop;
  readonly request: ReloadRequest;
}

/**
 * Runs one reload of one handle.
 *
 * @throws `ReloadError` of any stage before `swap`; the version that served before then goes on serving
 */
export async function transact(
  shop: Workshop,
  request: ReloadRequest,
  signals: ReloadSignals,
): Promise<ReloadReport> {
  const [report] = await transactTogether([{ shop, request }], signals);
  assert(report !== undefined);
  return report;
}

/**
 * Runs one reload of several handles, in their order: each that has a new version goes over to it, or none does.
 *
 * @returns a report for each
 * @throws `ReloadError` of any stage before `swap`, of any of them
 */
export async function transactTogether(
  members: readonly Member[],
  signals: ReloadSignals,
): Promise<readonly ReloadReport[]> {
  const found: (Ready | UnchangedReport)[] = [];
  try {
    for (const { shop, request } of members) found.push(await makeReady(shop, request, signals));
  } catch (error) {
    for (const ready of found.filter(isReady)) await giveUp(ready, null);
    throw error;
  }
  const outcome = switchTogether(found.filter(isReady));
  if ('error' in outcome) {
    warnOfResume(outcome.troubles);
    for (const ready of found.filter(isReady)) {
      await giveUp(ready, ready === outcome.ready ? outcome.error : null);
    }
    throw outcome.error;
  }
  const switched = outcome.values();
  const reports: ReloadReport[] = [];
  for (const one of found) {
    const side = isReady(one) ? switched.next().value : undefined;
    if (side !== undefined) reports.push(await retireReplaced(side));
    else if (!isReady(one)) reports.push(one);
  }
  return reports;
}

function isReady(found: Ready | UnchangedReport): found is Ready {
  return found.status === 'ready';
}

/** What is left to do once the new version serves. */
async function retireReplaced({ ready, previous, ...switched }: Switched): Promise<ReloadedReport> {
  const { shop, candidate, clock } = ready;
  for (const cause of switched.troubles) {
    const message = `a class of version ${candidate.id} could not be linked to the exports: ${describe(cause)}`;
    shop.events.emit('warning', { code: 'class-link', message, cause });
  }
  const retired =
    previous === null
      ? null
      : await clock.during('retire', () => retireVersion(shop, previous, switched.oldHooks));
  lookAtPinned(shop);
  return {
    status: 'reloaded',
    from: previous?.id ?? null,
    to: candidate.id,
    phasesMs: clock.phasesMs,
    state: switched.state,
    exports: { added: switched.plan.added, removed: switched.plan.removed },
    retired,
  };
}

function warnOfResume(troubles: readonly ResumeTrouble[]): void {
  for (const { shop, version, cause } of troubles) {
    const message = `version ${version} could not resume after a failed reload`;
    shop.events.emit('warning', { code: 'resume-failed', message, cause });
  }
}
