/**
 * A new version on its way to the switch: built, staged, looked at, loaded, prepared. The version that serves knows
 * nothing of it; whatever fails here leaves nothing behind.
 */
import type { ContentHash, Fingerprint, VersionId } from './brands.ts';
import type { Builder } from './build/builder.ts';
import { createDeadline } from './deadline.ts';
import { type ErrorCode, errors, isReloadError } from './errors.ts';
import { hookContext } from './hook-context.ts';
import { inspect } from './load/inspect.ts';
import { load } from './load/load.ts';
import { refuseShared } from './load/shared-image.ts';
import type { NativeImage, NativeShare } from './native.ts';
import { PhaseClock } from './phase-clock.ts';
import type { UnchangedReport } from './report.ts';
import { checkIntegrity, checkLoadedInPlace } from './stage/integrity.ts';
import { type Binding, rebind } from './stage/rebind.ts';
import type { Staged } from './stage/stager.ts';
import { type Hooks, readHooks } from './state/hooks.ts';
import type { LoadedCode, Version } from './version.ts';
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

/** A version that is loaded and prepared: what is left is the switch. */
export interface Ready {
  readonly status: 'ready';
  readonly shop: Workshop;
  readonly request: ReloadRequest;
  readonly clock: PhaseClock;
  readonly staged: Staged;
  readonly candidate: Version;
  readonly code: LoadedCode;
}

/**
 * Brings a handle's new version to the switch.
 *
 * @returns what is ready, or why there is nothing to do
 * @throws `ReloadError` of the stage that refused; what it left is gone by then
 */
export async function makeReady(
  shop: Workshop,
  request: ReloadRequest,
  signals: ReloadSignals,
): Promise<Ready | UnchangedReport> {
  const clock = new PhaseClock(shop.outside, (phase) => shop.events.emit('progress', { phase }));
  // A reload of a small addon waits for nothing: whoever reloads in a row would keep all pins from ending.
  if (shop.pinned.size > 0) await shop.outside.turn();
  lookAtPinned(shop);
  if (shop.builder !== null) await build(shop, shop.builder, clock, signals.build);
  const skip = request.force ? null : bytesInForce(shop.serving);
  const staged = await clock.during('stage', () =>
    shop.stager.stage(shop.nextId as VersionId, skip, signals.all),
  );
  if (staged === null) return unchanged(shop, 'live', clock);
  if (request.trigger === 'watch' && staged.fingerprint === shop.rejected?.fingerprint) {
    shop.nextId += 1;
    discard(shop, staged);
    return unchanged(shop, 'rejected', clock);
  }
  const candidate = createCandidate(shop, staged);
  try {
    const code = await loadStaged(shop, staged, candidate, clock, signals.all);
    await clock.during('prepare', () => prepare(shop, candidate, code.hooks, signals.all));
    return { status: 'ready', shop, request, clock, staged, candidate, code };
  } catch (error) {
    noteRefused(shop, staged, candidate, error);
    throw error;
  }
}

/** Ends a version that was ready and does not go live: it disposes, and leaves the memory where the ledger allows. */
export async function giveUp({ shop, staged, candidate, code }: Ready, error: unknown): Promise<void> {
  await retireVersion(shop, candidate, code.hooks);
  noteRefused(shop, staged, candidate, error);
}

function unchanged(
  { serving }: Workshop,
  reason: UnchangedReport['reason'],
  { phasesMs }: PhaseClock,
): UnchangedReport {
  const id = serving?.id ?? 0;
  return { status: 'unchanged', reason, from: id, to: id, phasesMs };
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

async function loadStaged(
  shop: Workshop,
  staged: Staged,
  candidate: Version,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<LoadedCode> {
  let rebound = staged.binding;
  try {
    const image = await clock.during('inspect', () => admit(shop, staged, candidate));
    const binding = await clock.during('rebind', () => bind(shop, staged, image));
    if (binding.kind === 'ledger') rebound = binding.rebound;
    return await clock.during('load', () => loadCode(shop, candidate, image, binding, signal));
  } catch (error) {
    discard(shop, { path: staged.path, binding: rebound });
    if (candidate.hold === null) shop.budget.release(candidate.mappings);
    throw error;
  }
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

async function prepare(shop: Workshop, candidate: Version, hooks: Hooks, signal: AbortSignal): Promise<void> {
  const deadline = createDeadline(
    { timeoutMs: shop.options.hookTimeoutMs, signal, during: 'prepare' },
    shop.outside,
    () => void disposeAgain(shop, candidate, hooks),
  );
  try {
    await hooks.callAsync('prepare', deadline, hookContext(shop.serving, undefined, true));
    if (signal.aborted) throw errors.aborted({ addon: shop.source, during: 'prepare' }, signal.reason);
  } catch (error) {
    // Also when its prepare was given up and runs on: the ledger knows whether it has work that needs the version.
    await retireVersion(shop, candidate, hooks);
    throw error;
  }
}

/** A prepare that was given up and settled after all may have started what the version's first `dispose` did not see. */
async function disposeAgain(shop: Workshop, candidate: Version, hooks: Hooks): Promise<void> {
  const runs: readonly string[] = ['retiring', 'pinned', 'kept'];
  if (runs.includes(candidate.state.name)) await disposeOf(shop, candidate, hooks);
  lookAtPinned(shop);
}

function noteRefused(shop: Workshop, staged: Staged, candidate: Version, error: unknown): void {
  if (isFaultOfTheBytes(error, candidate.id)) shop.rejected = staged;
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
