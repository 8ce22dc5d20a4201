/** The stages of a new version up to the switch. The version that serves knows nothing of it. */
import type { ContentHash, Fingerprint, VersionId } from './brands.ts';
import type { Builder } from './build/builder.ts';
import { createDeadline } from './deadline.ts';
import { type ErrorCode, errors, isReloadError } from './errors.ts';
import type { Goal, Route } from './history.ts';
import { hookContext } from './hook-context.ts';
import { loadHosted, tryOut } from './hosting.ts';
import { conflictOf, fallBack, runsHosted, whyFreshProcess } from './ladder.ts';
import { inspect } from './load/inspect.ts';
import { Later, type Steps, settled } from './later.ts';
import { load } from './load/load.ts';
import { refuseUnshared } from './load/shared-image.ts';
import type { NativeImage, NativeShare } from './native.ts';
import type { PhaseClock } from './phase-clock.ts';
import { checkIntegrity, checkLoadedInPlace } from './stage/integrity.ts';
import { type Binding, rebind } from './stage/rebind.ts';
import type { Staged } from './stage/stager.ts';
import { type Hooks, type Reason, readHooks } from './state/hooks.ts';
import type { MemoryClaim } from './state/memory.ts';
import { hostOf, type LoadedCode, type Version } from './version.ts';
import { admitVersion, discard, disposeOf, lookAtPinned, retireVersion, type Workshop } from './workshop.ts';

export interface ReloadRequest {
  readonly trigger: 'first' | 'call' | 'watch';
  /** Also when the bytes are those of the live version. */
  readonly force: boolean;
  /** Start the new version without the old one's state. */
  readonly discardState: boolean;
  readonly goal: Goal;
}

/** What ends a reload early: `build` by a newer change, `all` by the end of the handle. */
export interface ReloadSignals {
  readonly build: AbortSignal;
  readonly all: AbortSignal;
}

/** A version that is loaded and prepared: what is left is the switch. */
export interface Ready {
  readonly shop: Workshop;
  readonly request: ReloadRequest;
  /** What it was made of. */
  readonly route: Exclude<Route, { kind: 'stay' }>;
  readonly clock: PhaseClock;
  readonly candidate: Version;
  readonly code: LoadedCode;
  readonly memory: MemoryClaim;
  /** Its `prepare`, where nobody could wait for it: it takes the state, and may fail, when it serves already. */
  readonly preparing: Promise<void> | null;
}

/** What is no change. A version that is loaded plainly has its libraries in place, where no reload renews them. */
export function bytesInForce(serving: Version | null): Fingerprint | ContentHash | null {
  // One that has failed for good is as good as none: the same bytes may be tried again.
  if (serving === null || hostOf(serving)?.hasFailed) return null;
  return serving.hold?.kind === 'plain' ? serving.hash : serving.fingerprint;
}

export async function build(
  shop: Workshop,
  builder: Builder,
  clock: PhaseClock,
  { force }: ReloadRequest,
  signal: AbortSignal,
): Promise<void> {
  const startMs = shop.outside.nowMs();
  shop.events.emit('building');
  const outcome = await clock.during('build', () =>
    builder.build({
      signal,
      timeoutMs: shop.options.buildTimeoutMs,
      // Whoever names what to watch knows of files that the builder may not know of.
      always: force || (shop.options.watch?.paths ?? null) !== null,
      onProgress: (progress) => shop.events.emit('progress', { phase: 'build', ...progress }),
    }),
  );
  shop.events.emit('built', { ...outcome, durationMs: shop.outside.nowMs() - startMs });
}

interface LoadTerms extends Pick<ReloadRequest, 'discardState'> {
  readonly reason: Reason;
  /** Nobody can wait for another process to try it first. */
  readonly atOnce: boolean;
}

/** @throws what refused it; what it left is gone by then */
export function* loadStaged(
  shop: Workshop,
  staged: Staged,
  candidate: Version,
  request: LoadTerms,
  clock: PhaseClock,
  signal: AbortSignal,
): Steps<LoadedCode> {
  const bound: Bound = { rebound: staged.binding };
  try {
    try {
      return yield* loadWhereItRuns(shop, staged, candidate, request, clock, signal, bound);
    } catch (error) {
      const { hosting } = shop;
      const why = whyFreshProcess(error);
      if (why === null || hosting === null || runsHosted(shop)) throw error;
      warnOfFallback(shop, candidate, why, error);
      return yield* elsewhere(clock, () => fallBack(shop, hosting, staged, bound.rebound, candidate, signal));
    }
  } catch (error) {
    discard(shop, {
      path: candidate.path,
      binding: candidate.path === staged.path ? bound.rebound : null,
    });
    if (candidate.hold === null) shop.budget.release(candidate.mappings);
    throw error;
  }
}

/** What the copy was bound to, as far as it came. */
interface Bound {
  rebound: Staged['binding'];
}

function* loadWhereItRuns(
  shop: Workshop,
  staged: Staged,
  candidate: Version,
  request: LoadTerms,
  clock: PhaseClock,
  signal: AbortSignal,
  bound: Bound,
): Steps<LoadedCode> {
  const image = clock.outsideSwitch('inspect', () => admit(shop, staged, candidate));
  const { hosting, rehearsals } = shop;
  if (rehearsals !== null && !request.atOnce) {
    yield* clock.through('rehearse', () =>
      settled(new Later(tryOut(shop, rehearsals, staged, candidate, request))),
    );
  }
  if (hosting !== null && runsHosted(shop)) {
    return yield* elsewhere(clock, () => loadHosted(shop, hosting, staged, candidate));
  }
  const binding = clock.outsideSwitch('rebind', () => bind(shop, staged));
  if (binding.kind === 'ledger') bound.rebound = binding.rebound;
  candidate.conflict = conflictOf(shop.serving, image, binding);
  if (candidate.conflict !== null && hosting !== null) {
    warnOfFallback(shop, candidate, candidate.conflict);
    candidate.conflict = null;
    return yield* elsewhere(clock, () => loadHosted(shop, hosting, staged, candidate));
  }
  warnOfConflict(shop, candidate, image);
  return yield* clock.through('load', () => loadCode(shop, candidate, image, binding, signal));
}

function elsewhere(clock: PhaseClock, load: () => Promise<LoadedCode>): Steps<LoadedCode> {
  return clock.through('load', () => settled(new Later(load())));
}

/** Everything that can be known, and refused, before any code of the new version runs. */
function admit(shop: Workshop, staged: Staged, candidate: Version): NativeImage {
  checkIntegrity(staged, shop.source, shop.options.integrity, shop.outside);
  const image = inspect(staged, shop.source, shop.outside);
  const warning = shop.budget.admit(image.mappings, shop.source);
  candidate.mappings = image.mappings;
  if (warning !== null) shop.events.emit('warning', { code: 'version-budget', message: warning });
  return image;
}

function bind(shop: Workshop, staged: Staged): Binding {
  const binding = rebind(staged, shop.source, shop.options.reclaim, shop.outside);
  checkLoadedInPlace(staged, shop.options.integrity, binding);
  if (binding.kind === 'plain') refuseUnshared(shop.serving, shop.outside);
  return binding;
}

function warnOfConflict(shop: Workshop, { conflict }: Version, image: NativeImage): void {
  if (conflict === null) return;
  const message = `${image.uniqueSymbols} symbols are STB_GNU_UNIQUE: the new version shares their values with the old one; compile with -fno-gnu-unique`;
  shop.events.emit('warning', { code: 'unique-symbols', message });
}

function warnOfFallback(shop: Workshop, { id }: Version, why: string, cause?: unknown): void {
  const message = `version ${id} runs in a process of its own, because ${why}; its exports return promises`;
  shop.events.emit('warning', { code: 'fallback', message, ...(cause !== undefined && { cause }) });
}

function* loadCode(
  shop: Workshop,
  candidate: Version,
  image: NativeImage,
  binding: Binding,
  signal: AbortSignal,
): Steps<LoadedCode> {
  const { id, path } = candidate;
  try {
    const request = { id, path, source: shop.source, image, share: shareOf(shop, candidate), signal };
    const exports = yield* load(request, binding, shop.outside, (hold) => {
      admitVersion(shop, candidate, hold);
    });
    const hooks = readHooks(exports, id);
    candidate.schema = hooks.schema;
    return { exports, hooks };
  } catch (error) {
    if (candidate.hold !== null) yield retireVersion(shop, candidate, null);
    throw error;
  }
}

/** The same bytes once more are a version of their own, which must not be the image that it replaces. */
function shareOf({ options, serving, round }: Workshop, { fingerprint }: Version): NativeShare | null {
  if (options.scope === 'thread') return null;
  if (round === null) return { fingerprint, fresh: false, round: null, follows: false };
  return { fingerprint, fresh: !round.follows && serving?.fingerprint === fingerprint, ...round };
}

/** @throws what `prepare` threw; the version is still there to be retired */
export async function prepare(ready: Ready, signal: AbortSignal): Promise<void> {
  await callPrepare(ready, signal);
  if (signal.aborted) throw errors.aborted({ addon: ready.shop.source, during: 'prepare' }, signal.reason);
}

/** @returns a promise only where the hook returned one */
export function callPrepare(
  { shop, candidate, code: { hooks }, route, memory }: Ready,
  signal: AbortSignal,
): Promise<void> | undefined {
  const deadline = createDeadline(
    { timeoutMs: shop.options.hookTimeoutMs, signal, during: 'prepare' },
    shop.outside,
    () => void disposeAgain(shop, candidate, hooks),
  );
  const context = hookContext(shop, hooks, reasonOf(route), undefined, true, memory.ask);
  return hooks.callAsync('prepare', deadline, context);
}

/** Who follows joins an image that has its state by then, as the first version of a handle does. */
export function reasonOf({ kind }: Ready['route']): Reason {
  if (kind === 'follow') return 'first';
  return kind === 'back' ? 'rollback' : 'reload';
}

/** A prepare that was given up and settled after all may have started what the version's first `dispose` did not see. */
async function disposeAgain(shop: Workshop, candidate: Version, hooks: Hooks): Promise<void> {
  const runs: readonly string[] = ['retiring', 'pinned', 'kept'];
  if (runs.includes(candidate.state.name)) await disposeOf(shop, candidate, hooks);
  lookAtPinned(shop);
}

/**
 * Whether the same bytes would be refused again. Disks and memory fill and empty, handles close, old versions are busy,
 * slow hooks get faster; code stays what it is.
 */
export function isFaultOfTheBytes(error: unknown, candidate: VersionId): boolean {
  if (!isReloadError(error)) return false;
  if (isReloadError(error, 'ERR_HOOK_THREW') || isReloadError(error, 'ERR_HOOK_ASYNC')) {
    return error.details.version === candidate;
  }
  // That of the old version, while it saved, says nothing of the new one.
  if (isReloadError(error, 'ERR_HOST_CRASHED'))
    return error.details.version === candidate && error.details.reason !== 'start-failed';
  // What cannot be compared now may be plain data when it is tried again.
  if (isReloadError(error, 'ERR_STATE_ROUNDTRIP') && error.details.reason === 'not-cloneable') return false;
  return !PASSING.has(error.code);
}

const PASSING: ReadonlySet<ErrorCode> = new Set([
  'ERR_ABORTED',
  'ERR_BUSY',
  'ERR_HOOK_TIMEOUT',
  'ERR_INTERNAL',
  'ERR_MEMORY_UNAVAILABLE',
  'ERR_STAGE_INCOMPLETE',
  'ERR_STAGE_IO',
  'ERR_VERSION_BUDGET',
]);
