/**
 * One reload, from a changed source to a retired version: the one place that knows the order of the stages.
 *
 *     build → stage → inspect → load → prepare → [ save → migrate → init → verify → swap ] → retire
 *
 * Invariants:
 * 1. Until `swap`, the version that served before serves, and any failure leaves it serving with its state.
 * 2. What stands in brackets is one synchronous turn: no call, event or timer sees half of it.
 * 3. After `swap`, nothing undoes it; a failure of `retire` is a warning.
 * 4. Whatever was staged for a version that did not go live is deleted.
 */
import type { ContentHash, Fingerprint, VersionId } from './brands.ts';
import type { Builder } from './build/builder.ts';
import { createDeadline } from './deadline.ts';
import { describe, type ErrorCode, errors, isReloadError } from './errors.ts';
import { inspect } from './load/inspect.ts';
import { load } from './load/load.ts';
import { claimImage, refuseShared } from './load/shared-image.ts';
import type { NativeImage, NativeShare } from './native.ts';
import { PhaseClock } from './phase-clock.ts';
import type { ReloadedReport, ReloadReport } from './report.ts';
import { checkIntegrity, checkLoadedInPlace } from './stage/integrity.ts';
import { type Binding, rebind } from './stage/rebind.ts';
import type { Staged } from './stage/stager.ts';
import { type HookContext, type Hooks, readHooks } from './state/hooks.ts';
import { migrate } from './state/migrate.ts';
import type { SwapPlan } from './swap/live-exports.ts';
import { enter, type LoadedCode, liveCode, type Version } from './version.ts';
import {
  admitVersion,
  createCandidate,
  discard,
  disposeOf,
  lookAtPinned,
  retireVersion,
  type Workshop,
} from './workshop.ts';

export interface ReloadRequest {
  readonly trigger: 'first' | 'call' | 'watch';
  /** Also when the bytes are those of the live version. */
  readonly force: boolean;
  /** Start the new version without the old one's state. */
  readonly discardState: boolean;
}

/** What ends a reload early: `build` by a newer change, `all` by the end of the handle. */
export interface ReloadSignals {
  readonly build: AbortSignal;
  readonly all: AbortSignal;
}

/**
 * Runs one reload.
 *
 * @throws `ReloadError` of any stage before `swap`; the version that served before then goes on serving
 */
export async function transact(
  shop: Workshop,
  request: ReloadRequest,
  signals: ReloadSignals,
): Promise<ReloadReport> {
  const clock = new PhaseClock(shop.outside, (phase) => shop.events.emit('progress', { phase }));
  lookAtPinned(shop);
  if (shop.builder !== null) await build(shop, shop.builder, clock, signals.build);
  const skip = request.force ? null : bytesInForce(shop.serving);
  const staged = await clock.during('stage', () =>
    shop.stager.stage(shop.nextId as VersionId, skip, signals.all),
  );
  const unchanged = staged === null ? 'live' : await skipRejected(shop, request, staged);
  if (staged === null || unchanged !== null) {
    const serving = shop.serving?.id ?? 0;
    return {
      status: 'unchanged',
      reason: unchanged ?? 'live',
      from: serving,
      to: serving,
      phasesMs: clock.phasesMs,
    };
  }
  const candidate = createCandidate(shop, staged);
  let rebound = staged.binding;
  try {
    const image = await clock.during('inspect', () => admit(shop, staged, candidate));
    const binding = await clock.during('rebind', () => bind(shop, staged, image));
    if (binding.kind === 'ledger') rebound = binding.rebound;
    const code = await clock.during('load', () => loadCode(shop, candidate, image, binding, signals.all));
    return await goLive(shop, request, candidate, code, clock, signals.all);
  } catch (error) {
    discard(shop, { path: staged.path, binding: rebound });
    if (candidate.hold === null) shop.budget.release(candidate.mappings);
    if (isFaultOfTheBytes(error, candidate.id)) shop.rejected = staged;
    throw error;
  }
}

/** What is no change. A version that is loaded plainly has its libraries in place, where no reload renews them. */
function bytesInForce(serving: Version | null): Fingerprint | ContentHash | null {
  if (serving === null) return null;
  return serving.hold?.kind === 'plain' ? serving.hash : serving.fingerprint;
}

async function build(
  shop: Workshop,
  builder: Builder,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<void> {
  const startMs = shop.outside.nowMs();
  shop.events.emit('building');
  const outcome = await clock.during('build', () =>
    builder.build({
      signal,
      timeoutMs: shop.options.buildTimeoutMs,
      onProgress: ({ step }) => shop.events.emit('progress', { phase: 'build', step }),
    }),
  );
  shop.events.emit('built', { ...outcome, durationMs: shop.outside.nowMs() - startMs });
}

async function skipRejected(
  shop: Workshop,
  request: ReloadRequest,
  staged: Staged,
): Promise<'rejected' | null> {
  if (request.trigger !== 'watch' || staged.fingerprint !== shop.rejected?.fingerprint) return null;
  shop.nextId += 1;
  discard(shop, staged);
  return 'rejected';
}

/** Everything that can be known, and refused, before any code of the new version runs. */
async function admit(shop: Workshop, staged: Staged, candidate: Version): Promise<NativeImage> {
  refuseShared(shop.serving, shop.outside);
  await checkIntegrity(staged, shop.source, shop.options.integrity, shop.outside);
  const image = inspect(staged, shop.source, shop.outside);
  const warning = shop.budget.admit(image.mappings, shop.source);
  candidate.mappings = image.mappings;
  if (warning !== null) shop.events.emit('warning', { code: 'version-budget', message: warning });
  return image;
}

function bind(shop: Workshop, staged: Staged, image: NativeImage): Binding {
  const binding = rebind(staged, shop.source, shop.options.reclaim, shop.outside);
  checkLoadedInPlace(staged, shop.options.integrity, binding);
  if (binding.kind === 'plain' && image.uniqueSymbols > 0 && shop.serving !== null) {
    const message = `${image.uniqueSymbols} symbols are STB_GNU_UNIQUE: the new version shares their values with the old one; compile with -fno-gnu-unique`;
    shop.events.emit('warning', { code: 'unique-symbols', message });
  }
  return binding;
}

async function loadCode(
  shop: Workshop,
  candidate: Version,
  image: NativeImage,
  binding: Binding,
  signal: AbortSignal,
): Promise<LoadedCode> {
  const { id, path } = candidate;
  try {
    const request = { id, path, source: shop.source, image, share: shareOf(shop, candidate), signal };
    const exports = await load(request, binding, shop.outside, (hold) => {
      admitVersion(shop, candidate, hold);
    });
    const hooks = readHooks(exports, id);
    candidate.schema = hooks.schema;
    return { exports, hooks };
  } catch (error) {
    if (candidate.hold !== null) await retireVersion(shop, candidate, null);
    throw error;
  }
}

/** The same bytes once more are a version of their own, which must not be the image that it replaces. */
function shareOf({ options, serving }: Workshop, { fingerprint }: Version): NativeShare | null {
  return options.scope === 'thread' ? null : { fingerprint, fresh: serving?.fingerprint === fingerprint };
}

async function goLive(
  shop: Workshop,
  request: ReloadRequest,
  candidate: Version,
  code: LoadedCode,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<ReloadedReport> {
  const previous = shop.serving;
  let switched: Switched;
  try {
    await clock.during('prepare', () => prepare(shop, previous, candidate, code.hooks, signal));
    if (signal.aborted) throw errors.aborted({ addon: shop.source, during: 'prepare' }, signal.reason);
    switched = switchOver(shop, request, candidate, code, clock);
  } catch (error) {
    // Also when its prepare was given up and runs on: the ledger knows whether it has work that needs the version.
    await retireVersion(shop, candidate, code.hooks);
    throw error;
  }
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

async function prepare(
  shop: Workshop,
  previous: Version | null,
  candidate: Version,
  hooks: Hooks,
  signal: AbortSignal,
): Promise<void> {
  const deadline = createDeadline(
    { timeoutMs: shop.options.hookTimeoutMs, signal, during: 'prepare' },
    shop.outside,
    () => void disposeAgain(shop, candidate, hooks),
  );
  await hooks.callAsync('prepare', deadline, hookContext(previous, undefined, true));
}

/** A prepare that was given up and settled after all may have started what the version's first `dispose` did not see. */
async function disposeAgain(shop: Workshop, candidate: Version, hooks: Hooks): Promise<void> {
  const runs: readonly string[] = ['retiring', 'pinned', 'kept'];
  if (runs.includes(candidate.state.name)) await disposeOf(shop, candidate, hooks);
  lookAtPinned(shop);
}

interface Switched {
  readonly plan: SwapPlan;
  readonly state: ReloadedReport['state'];
  readonly oldHooks: Hooks | null;
  /** What objects of the addon threw when they were made one with their facades. */
  readonly troubles: readonly unknown[];
}

/** The switch: synchronous from its first line to its last. Nothing in it may emit, await or call back. */
function switchOver(
  shop: Workshop,
  request: ReloadRequest,
  candidate: Version,
  code: LoadedCode,
  clock: PhaseClock,
): Switched {
  const previous = shop.serving;
  const old = previous === null ? null : liveCode(previous).hooks;
  const next = code.hooks;
  const claim = claimImage(previous, shop.outside);
  let saved = false;
  let troubles: readonly unknown[] = [];
  try {
    let state: unknown;
    if (old !== null && !request.discardState) {
      state = clock.inSwitch('save', () => {
        saved = old.has('save');
        return old.callSync('save');
      });
      if (state !== undefined) state = clock.inSwitch('migrate', () => carry(shop, state, old, next));
    }
    const context = hookContext(previous, state, !request.discardState);
    clock.inSwitch('init', () => next.callSync('init', context));
    const plan = clock.inSwitch('verify', () =>
      verify(shop, next, code.exports, candidate, state !== undefined),
    );
    clock.inSwitch('swap', () => {
      troubles = plan.publish();
      shop.serving = candidate;
      shop.rejected = null;
      enter(candidate, { name: 'live', code });
      claim.end(candidate);
    });
    return { plan, oldHooks: old, state: stateOutcome(request, old, state), troubles };
  } catch (error) {
    claim.end(null);
    if (saved && old !== null) resume(shop, old);
    throw error;
  }
}

/** Carries the state to the new version's schema. A version that would drop it is refused. */
function carry(shop: Workshop, state: unknown, old: Hooks, next: Hooks): unknown {
  if (!next.has('init')) {
    throw errors.stateSchema({
      addon: shop.source,
      from: old.schema,
      to: next.schema,
      reason: 'no-init',
      step: null,
    });
  }
  return migrate(state, old.schema, next.schema, shop.options.migrate);
}

/** The new version must be able to hand its state on, and its exports must fit the handle's, before it goes live. */
function verify(
  shop: Workshop,
  next: Hooks,
  exports: unknown,
  candidate: Version,
  tookState: boolean,
): SwapPlan {
  const failed = { addon: shop.source, version: candidate.id };
  let saved: unknown;
  try {
    saved = next.callSync('save');
  } catch (cause) {
    throw errors.stateRoundtrip({ ...failed, reason: 'save-failed' }, cause);
  }
  if (tookState && saved === undefined) throw errors.stateRoundtrip({ ...failed, reason: 'save-empty' });
  const handle = candidate.hold?.kind === 'ledger' ? candidate.hold.handle : null;
  return shop.live.plan(exports, candidate.id, handle);
}

function stateOutcome(request: ReloadRequest, old: Hooks | null, state: unknown): ReloadedReport['state'] {
  if (state !== undefined) return 'carried';
  return request.discardState && old?.has('save') ? 'discarded' : 'stateless';
}

function hookContext(previous: Version | null, state: unknown, withOrigin: boolean): HookContext {
  if (previous === null) return { reason: 'first', state: undefined };
  const { hooks } = liveCode(previous);
  const from = { version: previous.id, schema: hooks.schema };
  return withOrigin ? { reason: 'reload', state, from } : { reason: 'reload', state };
}

function resume(shop: Workshop, old: Hooks): void {
  try {
    old.callSync('resume');
  } catch (cause) {
    const message = `version ${old.version} could not resume after a failed reload`;
    shop.events.emit('warning', { code: 'resume-failed', message, cause });
  }
}

/**
 * Whether the same bytes would be refused again. Disks fill and empty, handles close, old versions are busy, slow
 * hooks get faster; code stays what it is.
 */
function isFaultOfTheBytes(error: unknown, candidate: VersionId): boolean {
  if (!isReloadError(error)) return false;
  if (isReloadError(error, 'ERR_HOOK_THREW') || isReloadError(error, 'ERR_HOOK_ASYNC')) {
    return error.details.version === candidate;
  }
  return !PASSING.has(error.code);
}

const PASSING: ReadonlySet<ErrorCode> = new Set([
  'ERR_ABORTED',
  'ERR_BUSY',
  'ERR_HOOK_TIMEOUT',
  'ERR_INTERNAL',
  'ERR_STAGE_INCOMPLETE',
  'ERR_STAGE_IO',
  'ERR_VERSION_BUDGET',
]);
