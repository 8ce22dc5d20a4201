/** What belongs to one handle: its parts, its versions, and how a version enters and leaves the books. */
import type { SourcePath, VersionId } from './brands.ts';
import type { Builder } from './build/builder.ts';
import { createDeadline } from './deadline.ts';
import { describe as describeCause } from './errors.ts';
import type { Events } from './events.ts';
import type { History } from './history.ts';
import type { Hosts } from './isolate/hosts.ts';
import type { Supervisor } from './isolate/supervisor.ts';
import { countOthers } from './load/shared-image.ts';
import type { NativeContents } from './native.ts';
import type { Options } from './options.ts';
import type { Outside } from './outside.ts';
import type { Ending, Retirement } from './report.ts';
import type { Budget } from './retire/budget.ts';
import { lookAgain, needsLook, type RetireRequest, retire } from './retire/retire.ts';
import type { Staged, Stager } from './stage/stager.ts';
import type { Hooks } from './state/hooks.ts';
import type { NamedMemory } from './state/memory.ts';
import type { LiveExports } from './swap/live-exports.ts';
import { describeVersion, enter, type Hold, hostOf, type Version, type VersionInfo } from './version.ts';

/** By what bytes are known again. */
type Contents = Omit<NativeContents, 'looked'>;

/** What the stages of one handle share. */
export interface Workshop {
  readonly source: SourcePath;
  readonly options: Options;
  readonly outside: Outside;
  readonly events: Events;
  builder: Builder | null;
  readonly stager: Stager;
  readonly live: LiveExports;
  readonly memory: NamedMemory;
  /** What runs its versions elsewhere; null where they run in this thread. */
  readonly hosting: Hosting | null;
  readonly budget: Budget;
  /** Every version whose image is in memory, oldest first. */
  readonly versions: Version[];
  /** Those of them that will leave when their pins have gone. */
  readonly pinned: Map<Version, RetireRequest>;
  readonly history: History;
  /** The reload of all threads that this handle leads, or follows; null outside of one. */
  round: { readonly round: object; readonly follows: boolean } | null;
  serving: Version | null;
  nextId: number;
  /** What the built file held when it was staged last. */
  built: Contents | null;
  /** Where new versions are tried first; null where they are not. */
  readonly rehearsals: Hosts | null;
  /** What was refused, or gone back from, last: the watcher does not try it again. */
  rejected: Contents | null;
  /** Makes the version before this one live, if this one serves. Set by what runs the reloads. */
  goBack: (from: number) => Promise<unknown>;
}

/** What a handle has whose versions run in Workers or processes. */
export interface Hosting {
  readonly hosts: Hosts;
  readonly supervisor: Supervisor;
}

export function createCandidate(shop: Workshop, staged: Staged): Version {
  const { path, hash, fingerprint, libraries, bytes } = staged;
  const id = shop.nextId as VersionId;
  shop.nextId += 1;
  const { source } = shop;
  const loadedAt = Date.now();
  const unknown = { schema: null, hold: null, conflict: null, mappings: 0, stagedHash: null };
  return {
    id,
    hash,
    fingerprint,
    libraries,
    source,
    path,
    bytes,
    loadedAt,
    ...unknown,
    state: { name: 'candidate' },
  };
}

/**
 * Its image is in memory from now on. A shared one is mapped from a file of its own, so that the copy is of use to the
 * history alone; one that was joined was mapped already.
 */
export function admitVersion(shop: Workshop, version: Version, hold: Hold): void {
  version.hold = hold;
  shop.versions.push(version);
  if (hold.kind !== 'ledger' || hold.share === 'alone') return;
  if (shop.options.history === 0) discard(shop, { path: version.path, binding: hold.rebound });
  if (hold.share !== 'joined') return;
  shop.budget.release(version.mappings);
  version.mappings = 0;
}

/**
 * Ends a version that served, or one that was refused after it was loaded: it disposes, and leaves the memory where the
 * ledger allows. Also the last step of `close()`.
 */
export async function retireVersion(
  shop: Workshop,
  version: Version,
  hooks: Hooks | null,
): Promise<Retirement> {
  const served = version.state.name === 'live';
  const request = requestFor(shop, version, !served);
  const disposal = () => (hooks === null ? Promise.resolve() : disposeOf(shop, version, hooks));
  const ending = await retire(version, disposal, request, shop.outside);
  book(shop, version, ending);
  if (ending.outcome === 'pinned') shop.pinned.set(version, request);
  return { id: version.id, ...ending };
}

/** What users see of a version. Its copy is hashed when somebody looks, not while a reload waits for it. */
export function describe(shop: Workshop, version: Version): VersionInfo {
  if (version.stagedHash === null && version.state.name === 'live') {
    const { hold } = version;
    const hash = hold?.kind === 'ledger' ? shop.outside.native.hashFile(hold.image) : version.hash;
    if (typeof hash === 'string') version.stagedHash = hash;
  }
  if (version.state.name === 'pinned' && version.hold?.kind === 'ledger') {
    enter(version, { name: 'pinned', pins: shop.outside.native.pins(version.hold.handle) });
  }
  const host = hostOf(version);
  if (version.state.name === 'pinned' && host !== null) enter(version, { name: 'pinned', pins: host.pins() });
  return describeVersion(version, othersOf(shop, version));
}

function othersOf({ outside }: Workshop, version: Version): number {
  switch (version.state.name) {
    case 'candidate':
    case 'live':
    case 'pinned':
      return countOthers(version, outside);
    case 'shared':
      return version.state.others;
    default:
      return 0;
  }
}

/** Made apart from the hooks, which would hold the very objects that a pinned version waits for. */
function requestFor(shop: Workshop, version: Version, releaseObjects: boolean): RetireRequest {
  return {
    releaseObjects,
    drainTimeoutMs: shop.options.drainTimeoutMs,
    onEnded(ending) {
      book(shop, version, ending);
      if (ending.outcome === 'unloaded') shop.events.emit('unloaded', { id: version.id });
      if (ending.outcome === 'kept') shop.events.emit('kept', { id: version.id, reason: ending.reason });
    },
  };
}

/**
 * Looks once more at each version that has a pin which cannot tell that it has gone. The others may be hundreds, which
 * wait for the next collection, and a look takes 15 µs.
 */
export function lookAtPinned(shop: Workshop): void {
  for (const [version, request] of shop.pinned) {
    if (needsLook(version)) lookAgain(version, request, shop.outside);
  }
  lookAtShared(shop);
}

/** Whether native code of the version that serves is on the stack. */
export function isInCall({ serving, outside }: Workshop): boolean {
  const { hold } = serving ?? { hold: null };
  return hold?.kind === 'ledger' && outside.native.pins(hold.handle).some(({ kind }) => kind === 'frame');
}

/** Other threads do not tell when the last of them has left an image that this handle left before. */
export function lookAtShared(shop: Workshop): void {
  const left = shop.versions.filter(({ state }) => state.name === 'shared');
  for (const version of left) {
    const { hold } = version;
    if (hold?.kind !== 'ledger' || shop.outside.native.isMapped(hold.image)) continue;
    enter(version, { name: 'unloaded' });
    book(shop, version, { outcome: 'unloaded' });
    shop.events.emit('unloaded', { id: version.id });
  }
}

/** Writes down how a version ended. Its copy is of use to the history alone by then: what is mapped stays as it is. */
function book(shop: Workshop, version: Version, ending: Ending): void {
  const binding = version.hold?.kind === 'ledger' ? version.hold.rebound : null;
  if (shop.history.find(version.id) === null) discard(shop, { path: version.path, binding });
  if (ending.outcome === 'pinned') return;
  shop.pinned.delete(version);
  if (ending.outcome === 'shared') return;
  if (ending.outcome === 'kept') {
    shop.budget.keep();
    return;
  }
  shop.budget.release(version.mappings);
  const index = shop.versions.indexOf(version);
  if (index !== -1) shop.versions.splice(index, 1);
}

/** A copy that cannot be deleted hides no other failure and undoes no swap: it goes with the directory, at the close. */
export function discard(shop: Workshop, staged: Pick<Staged, 'path' | 'binding'>): void {
  try {
    shop.stager.discard(staged);
  } catch (cause) {
    const message = `cannot delete the staged copy ${JSON.stringify(staged.path)}: ${describeCause(cause)}`;
    shop.events.emit('warning', { code: 'discard-failed', message, cause });
  }
}

/** Calls a version's own `dispose`; what it throws is a warning. */
export async function disposeOf(shop: Workshop, version: Version, hooks: Hooks): Promise<void> {
  await dispose(shop, hooks).catch((cause: unknown) => warnOfDispose(shop, version, cause));
}

/** Bounded by time alone: the end of the handle must not keep a version from stopping its threads. */
async function dispose(shop: Workshop, hooks: Hooks): Promise<void> {
  const { hookTimeoutMs: timeoutMs } = shop.options;
  await hooks.callAsync(
    'dispose',
    createDeadline({ timeoutMs, signal: null, during: 'dispose' }, shop.outside),
  );
}

function warnOfDispose(shop: Workshop, version: Version, cause: unknown): void {
  const message = `dispose of version ${version.id} failed: ${describeCause(cause)}`;
  shop.events.emit('warning', { code: 'dispose-failed', message, cause });
}

/** What an old version threw when it was told to go on. */
export interface ResumeTrouble {
  readonly shop: Workshop;
  readonly version: number;
  readonly cause: unknown;
}

export function warnOfResume(troubles: readonly ResumeTrouble[]): void {
  for (const { shop, version, cause } of troubles) {
    const message = `version ${version} could not resume after a failed reload`;
    shop.events.emit('warning', { code: 'resume-failed', message, cause });
  }
}
