/** Ends a version that serves no more, or never did. */
import type { NativePin } from '../native.ts';
import type { Here } from '../here.ts';
import type { Ending } from '../report.ts';
import { enter, type Hold, type Version } from '../version.ts';

/** Pins that go by themselves: code of the version runs, or is sure to. */
const PASSING: ReadonlySet<string> = new Set([
  'frame',
  'async-work',
  'posted-finalizer',
  'async-cleanup-hook',
  'uv-work',
]);

/** Pins that go without a word: what they stand for is found by looking. */
const SILENT: ReadonlySet<string> = new Set(['frame', 'signal-handler', 'uv-handle', 'uv-request']);

type LedgerHold = Extract<Hold, { kind: 'ledger' }>;
type HostHold = Extract<Hold, { kind: 'hosted' }>;

/** Outlives the retirement of a version that is pinned, and so must not hold anything of that version's code. */
export interface RetireRequest {
  /** Also end objects that JavaScript holds: for a version that never served. */
  readonly releaseObjects: boolean;
  /** How long to wait for work that will end by itself. */
  readonly drainTimeoutMs: number;
  /** Called once, whenever a version that was pinned has ended after all. */
  onEnded(ending: Ending): void;
}

/**
 * Lets it dispose, drains it, and unloads it where the ledger allows. A version that something pins is looked at again
 * whenever a pin goes.
 *
 * @param dispose lets it stop what it runs, within a bound; never rejects
 */
export async function retire(
  version: Version,
  dispose: () => Promise<void>,
  request: RetireRequest,
  outside: Here,
): Promise<Ending> {
  enter(version, { name: 'retiring' });
  await dispose();
  const { hold } = version;
  if (hold === null || hold.kind === 'plain') {
    return settle(version, { outcome: 'kept', reason: hold?.reason ?? 'it was not loaded' });
  }
  if (hold.kind === 'hosted') return settle(version, await endHost(version, hold, request));
  const ending = await drain(hold, request, outside);
  settle(version, ending);
  if (ending.outcome === 'pinned') {
    listen(version, hold, request, outside);
    // A pin may have gone before anybody listened.
    return lookAgain(version, request, outside, true);
  }
  return ending;
}

/** Calls in flight end there. Objects that stayed keep it alive until JavaScript has let go of them. */
async function endHost(version: Version, { host }: HostHold, request: RetireRequest): Promise<Ending> {
  const { drainTimeoutMs } = request;
  await host.drain(drainTimeoutMs);
  const pins = request.releaseObjects ? [] : host.pins();
  if (pins.length === 0) return endingOf(await host.end(drainTimeoutMs));
  let isEnding = false;
  host.onRelease(() => {
    if (isEnding || version.state.name !== 'pinned' || (host.isAlive && host.pins().length > 0)) return;
    isEnding = true;
    void host.end(drainTimeoutMs).then((retired) => {
      if (version.state.name === 'pinned') request.onEnded(settle(version, endingOf(retired)));
    });
  });
  return { outcome: 'pinned', pins };
}

/** Ends the host of a pinned version, whoever still holds objects of it: its handle is closed, and they answer no more. */
export async function endPinned(version: Version, request: RetireRequest): Promise<void> {
  if (version.hold?.kind !== 'hosted') return;
  const ending = endingOf(await version.hold.host.end(0));
  if (version.state.name === 'pinned') request.onEnded(settle(version, ending));
}

function endingOf({ outcome, reason }: { readonly outcome: string; readonly reason: string | null }): Ending {
  return outcome === 'unloaded'
    ? { outcome }
    : { outcome: 'kept', reason: reason ?? 'its mapping is still there' };
}

/** A function of its own, so that the listener closes over nothing else. */
function listen(version: Version, hold: LedgerHold, request: RetireRequest, outside: Here): void {
  outside.native.onRelease(hold.handle, () => lookAgain(version, request, outside));
}

/** Whether only a look can tell that a pinned version is free. Of all other pins the shim tells. */
export function needsLook({ state }: Version): boolean {
  return state.name === 'pinned' && state.pins.some(({ kind }) => SILENT.has(kind));
}

/** Tries to end a pinned version; says so to `onEnded` unless the caller is told by the result. */
export function lookAgain(version: Version, request: RetireRequest, outside: Here, quiet = false): Ending {
  const { hold, state } = version;
  if (state.name !== 'pinned' || hold?.kind !== 'ledger') return { outcome: 'unloaded' };
  const ending = settle(version, tryToEnd(hold, request.releaseObjects, outside));
  if (ending.outcome !== 'pinned' && !quiet) request.onEnded(ending);
  return ending;
}

async function drain(hold: LedgerHold, request: RetireRequest, outside: Here): Promise<Ending> {
  const endMs = outside.nowMs() + request.drainTimeoutMs;
  for (;;) {
    const ending = tryToEnd(hold, request.releaseObjects, outside);
    const leftMs = endMs - outside.nowMs();
    if (ending.outcome !== 'pinned' || leftMs <= 0 || !ending.pins.some(isPassing)) return ending;
    await nextRelease(hold, leftMs, outside);
  }
}

function isPassing({ kind }: NativePin): boolean {
  return PASSING.has(kind);
}

function nextRelease(hold: LedgerHold, timeoutMs: number, outside: Here): Promise<void> {
  return new Promise((resolve) => {
    const cancel = outside.after(timeoutMs, resolve);
    outside.native.onRelease(hold.handle, () => {
      cancel();
      resolve();
    });
  });
}

function tryToEnd(hold: LedgerHold, releaseObjects: boolean, outside: Here): Ending {
  const { outcome, pins, others } = outside.native.retire(hold.handle, releaseObjects);
  switch (outcome) {
    case 'pinned':
      return { outcome, pins };
    case 'still-mapped':
      return { outcome: 'kept', reason: 'something that the ledger cannot see holds its mapping' };
    case 'shared':
      return { outcome, others };
    case 'unloaded':
      return { outcome };
  }
}

function settle(version: Version, ending: Ending): Ending {
  switch (ending.outcome) {
    case 'unloaded':
      enter(version, { name: 'unloaded' });
      break;
    case 'pinned':
      enter(version, { name: 'pinned', pins: ending.pins });
      break;
    case 'shared':
      enter(version, { name: 'shared', others: ending.others });
      break;
    case 'kept':
      enter(version, { name: 'kept', reason: ending.reason });
  }
  return ending;
}
