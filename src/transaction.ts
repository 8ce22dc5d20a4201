/**
 * One reload, from a changed source to a retired version: the one place that knows the order of the stages.
 *
 *     build → stage → inspect → load → prepare → [ save → migrate → init → verify → swap ] → retire
 *
 * What leads to the bracket is in arrival.ts and candidate.ts, the bracket in switch.ts. Where other handles of the
 * process run the same image, round.ts brings them along.
 *
 * Invariants:
 * 1. Until `swap`, the version that served before serves, and any failure leaves it serving with its state.
 * 2. What stands in brackets is one synchronous turn for versions in this thread: no call, event or timer sees half of it.
 *    Calls of versions elsewhere wait until it is over.
 * 3. After `swap`, nothing undoes it; a failure of `retire` is a warning.
 * 4. Whatever was staged for a version that did not go live is deleted.
 * 5. Handles that reload together go over in one turn, or none does.
 * 6. Going back is a reload like any other, but for where its bytes come from: nothing is built in it.
 */
import assert from 'node:assert/strict';
import { Arrival } from './arrival.ts';
import type { Ready, ReloadRequest, ReloadSignals } from './candidate.ts';
import { describe, nameAddon } from './errors.ts';
import { hookContext } from './hook-context.ts';
import { lastChange, routeOf } from './history.ts';
import type { ReloadedReport, ReloadReport } from './report.ts';
import { Round } from './round.ts';
import { type Switched, type SwitchFailure, switchHere } from './switch.ts';
import { discard, lookAtPinned, retireVersion, warnOfResume, type Workshop } from './workshop.ts';

/**
 * Runs one reload of one handle, or of several, in their order: each that has a new version goes over to it, or none
 * does. Each stage is done for all before the next begins, and the end of old versions goes the other way round.
 *
 * @returns a report for each
 * @throws `ReloadError` of any stage before `swap`; the versions that served before then go on serving
 */
export async function transact(
  shops: readonly [Workshop, ...Workshop[]],
  request: ReloadRequest,
  signals: ReloadSignals,
): Promise<readonly ReloadReport[]> {
  const all = shops.map((shop) => {
    return new Arrival(shop, request, routeOf(shop, shops, request.goal), signals);
  });
  await takeSteps(all, ['build']);
  const round = await Round.begin(shops, request, signals.all);
  try {
    return await replace(all, shops, request, round);
  } finally {
    await round.end();
  }
}

/**
 * The first version of one handle, live before this returns: for whoever cannot wait, such as `require`. Nothing is built,
 * and nothing runs in another thread or process.
 *
 * @param signal ends a `prepare` that takes longer
 * @param later is given what goes on after that, before which nothing else may be done with the handle: such a `prepare`
 *   and the `init` behind it, which may fail, or the end of what was refused
 * @throws `ReloadError` of the stage that refused
 */
export function enterNow(shop: Workshop, signal: AbortSignal, later: (work: Promise<void>) => void): void {
  const arrival = new Arrival(shop, FIRST, { kind: 'built' }, { build: signal, all: signal });
  try {
    arrival.arriveNow();
    assert(arrival.ready !== null, 'a handle without a version has nothing to skip');
    const { ready } = arrival;
    const outcome = switchHere([ready], () => undefined);
    if ('error' in outcome) throw outcome.error;
    enterHistory(outcome, [shop]);
    for (const { troubles } of outcome) warnOfClassLinks(shop, ready.candidate.id, troubles);
    if (ready.preparing !== null) later(initLate(ready));
  } catch (error) {
    later(arrival.giveUp());
    nameAddon(error, shop.source);
    throw error;
  }
}

const FIRST = { trigger: 'first', force: false, discardState: false, goal: { kind: 'built' } } as const;

/** @throws what `prepare` or `init` threw: the version serves on as one without hooks would */
async function initLate({ shop, code: { hooks }, memory, preparing }: Ready): Promise<void> {
  try {
    await preparing;
    hooks.callSync('init', hookContext(shop, hooks, 'first', undefined, true, memory.ask));
    memory.keep();
  } catch (error) {
    memory.undo();
    throw error;
  }
}

/** From the copy to the end of the old versions: other handles of the process follow, and lead no reload of their own. */
async function replace(
  all: readonly Arrival[],
  shops: readonly Workshop[],
  request: ReloadRequest,
  round: Round,
): Promise<readonly ReloadReport[]> {
  await takeSteps(all, ['stage']);
  if (request.trigger === 'watch' && isKnownAsBad(all)) {
    await giveUp(all);
    return all.map((each) => each.unchanged());
  }
  await takeSteps(all, ['load', 'prepare', 'settle']);
  const arrived = all.flatMap(({ ready }) => ready ?? []);
  let outcome: readonly Switched[] | SwitchFailure | null = null;
  while (outcome === null) outcome = (await round.gather(arrived)) ?? (await round.switch(arrived));
  if ('error' in outcome) {
    warnOfResume(outcome.troubles);
    const culprit = all.find(({ ready }) => ready === outcome.ready);
    await refuse(all, culprit, outcome.error);
    throw outcome.error;
  }
  enterHistory(outcome, shops);
  tellOfSwap(outcome);
  if (request.goal.kind !== 'built') for (const each of all) each.refuseBuilt();
  const reports = new Map<Ready | null, ReloadedReport>();
  for (const switched of outcome.toReversed()) {
    reports.set(switched.ready, await retireReplaced(switched));
  }
  return all.map((each) => reports.get(each.ready) ?? each.unchanged());
}

async function takeSteps(
  all: readonly Arrival[],
  steps: readonly ('build' | 'stage' | 'load' | 'prepare' | 'settle')[],
): Promise<void> {
  for (const step of steps) {
    for (const each of all) {
      try {
        await each[step]();
      } catch (error) {
        await refuse(all, each, error);
        throw error;
      }
    }
  }
}

async function refuse(all: readonly Arrival[], culprit: Arrival | undefined, error: unknown): Promise<void> {
  if (culprit !== undefined) nameAddon(error, culprit.source);
  await giveUp(all);
  if (culprit?.isAtFault(error)) for (const each of all) each.noteRefused();
}

async function giveUp(all: readonly Arrival[]): Promise<void> {
  for (const each of all.toReversed()) await each.giveUp();
}

/** What was refused may have been refused for the bytes of another: only all of them together are known as bad. */
function isKnownAsBad(all: readonly Arrival[]): boolean {
  return all.some(({ hasNews }) => hasNews) && all.every(({ isAsRefused }) => isAsRefused);
}

/** A version that was gone back to takes the place that it had, any other is one change more. */
function enterHistory(outcome: readonly Switched[], shops: readonly Workshop[]): void {
  const change = lastChange(shops) + 1;
  for (const { ready, previous } of outcome) {
    const { shop, candidate, route } = ready;
    const place = route.kind === 'built' ? null : route.place;
    shop.history.enter(candidate, place ?? { before: previous?.id ?? null, change });
  }
}

function tellOfSwap(outcome: readonly Switched[]): void {
  for (const { ready, previous } of outcome) {
    const { shop, candidate } = ready;
    if (previous !== null) shop.events.emit('swapped', { from: previous.id, to: candidate.id });
  }
}

/**
 * What is left to do for handles that followed, once their new versions serve.
 *
 * @param shops those that reload together, the others that have not gone over among them
 * @returns a report for each of these
 */
export async function concludeFollowed(
  outcome: readonly Switched[],
  shops: readonly Workshop[],
): Promise<readonly ReloadReport[]> {
  enterHistory(outcome, shops);
  tellOfSwap(outcome);
  const reports = new Map<Workshop, ReloadReport>();
  for (const switched of outcome.toReversed())
    reports.set(switched.ready.shop, await retireReplaced(switched));
  return shops.map((shop) => {
    const id = shop.serving?.id ?? 0;
    return reports.get(shop) ?? { status: 'unchanged', reason: 'live', from: id, to: id, phasesMs: {} };
  });
}

/** What is left to do once the new version serves. */
async function retireReplaced({ ready, previous, ...switched }: Switched): Promise<ReloadedReport> {
  const { shop, candidate, clock } = ready;
  warnOfClassLinks(shop, candidate.id, switched.troubles);
  const retired =
    previous === null
      ? null
      : await clock.during('retire', () => {
          for (const { kept, binding } of shop.history.trim()) discard(shop, { path: kept.path, binding });
          return retireVersion(shop, previous, switched.oldHooks);
        });
  lookAtPinned(shop);
  return {
    status: 'reloaded',
    from: previous?.id ?? null,
    to: candidate.id,
    phasesMs: clock.phasesMs,
    state: switched.state,
    instances: switched.instances,
    exports: { added: switched.plan.added, removed: switched.plan.removed },
    retired,
    recommended: candidate.conflict === null ? null : { isolation: 'process', because: candidate.conflict },
    restored: ready.route.kind === 'back' ? ready.route.to.id : null,
  };
}

function warnOfClassLinks(shop: Workshop, version: number, troubles: readonly unknown[]): void {
  for (const cause of troubles) {
    const message = `a class of version ${version} could not be linked to the exports: ${describe(cause)}`;
    shop.events.emit('warning', { code: 'class-link', message, cause });
  }
}
