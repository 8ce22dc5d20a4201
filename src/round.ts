/**
 * One reload for all handles of the process that run an image, from the side of the handle that leads it. The rules of
 * the round are in native/thread_barrier.h, and followers.ts has the side of the others.
 *
 *     begin → the leader loads and prepares → gather: the others do → switch: all stop, the leader saves, migrates and
 *     inits, the others init, all swap, all go on
 */
import path from 'node:path';
import type { StagedPath } from './brands.ts';
import type { Ready, ReloadRequest } from './candidate.ts';
import { errors } from './errors.ts';
import { areFree, Following, occupy } from './followers.ts';
import { refuseUnshared, sharedHandle } from './load/shared-image.ts';
import type { NativeKept, NativeRound } from './native.ts';
import { type Failure, readFailure, writeNote } from './round-notes.ts';
import { type Switched, type SwitchFailure, switchHere, switchTogether } from './switch.ts';
import type { Hold } from './version.ts';
import type { Workshop } from './workshop.ts';

/** Others lead one round after the other: whoever does not get a turn in so long is not to wait for ever. */
const TURN_WAIT_MAX_MS = 30_000;
const POLL_MS = 1;
/** Also an idle thread needs a while to come, and to do its part: with no time at all none ever would. */
const THREAD_MIN_MS = 100;

type Outcome = readonly Switched[] | SwitchFailure;
type Leaders = readonly [Workshop, ...Workshop[]];

export class Round {
  readonly #shops: Leaders;
  readonly #request: ReloadRequest;
  readonly #signal: AbortSignal;
  /** Null where no other handle can run an image of these. */
  readonly #native: NativeRound | null;
  readonly #following: Following | null;
  /** Lets the leaders follow others again. */
  readonly #vacate: () => void;
  #beganMs: number | null = null;
  #stopped: Promise<void> | null = null;
  #isReleased = false;

  private constructor(
    shops: Leaders,
    request: ReloadRequest,
    signal: AbortSignal,
    native: NativeRound | null,
  ) {
    this.#shops = shops;
    this.#request = request;
    this.#signal = signal;
    this.#native = native;
    this.#following = native === null ? null : new Following(native, shops[0].outside, shops);
    this.#vacate = native === null ? () => undefined : occupy(shops);
  }

  /**
   * Waits until no other handle leads one of an image of these. They may have followed meanwhile: what came of that has
   * to be over too, or two new versions of one handle would be about at once, with claims to the same memory.
   *
   * @throws `ERR_BUSY`, `ERR_ABORTED`
   */
  static async begin(shops: Leaders, request: ReloadRequest, signal: AbortSignal): Promise<Round> {
    const [{ outside, options, source }] = shops;
    const endMs = outside.nowMs() + TURN_WAIT_MAX_MS;
    const { comeMs, partMs } = boundsOf(options);
    for (;;) {
      const areReady = await areFree(shops);
      const sharing = shops.filter(({ serving }) => sharedHandle(serving) !== null);
      if (sharing.length === 0) return new Round(shops, request, signal, null);
      const handles = sharing.flatMap(({ serving }) => sharedHandle(serving) ?? []);
      const native = areReady ? outside.native.roundBegin(handles, comeMs + partMs) : null;
      if (native !== null) {
        for (const shop of sharing) shop.round = { round: native.handle, follows: false };
        return new Round(shops, request, signal, native);
      }
      if (signal.aborted) throw errors.aborted({ addon: source, during: 'load' }, signal.reason);
      if (outside.nowMs() > endMs)
        throw errors.busy({ addon: source, reason: 'replacing', sharedWith: null });
      await pause(shops[0]);
    }
  }

  /** Waits until all others are ready to switch. @returns why they will not be, or null */
  async gather(ready: readonly Ready[]): Promise<SwitchFailure | null> {
    if (this.#native === null || ready.length === 0) return null;
    try {
      await this.#gather(ready, this.#native);
      return null;
    } catch (error) {
      return this.#refuse(ready, this.#signal.aborted ? this.#aborted() : error);
    }
  }

  async #gather(ready: readonly Ready[], { handle }: NativeRound): Promise<void> {
    const [{ outside, options }] = this.#shops;
    const { comeMs, partMs } = boundsOf(options);
    if (this.#beganMs === null) this.#offer(ready, handle);
    else await pause(this.#shops[0]);
    const beganMs = this.#beganMs ?? outside.nowMs();
    this.#beganMs = beganMs;
    for (;;) {
      const { deaf, unready, over, failure } = outside.native.roundCall(handle, comeMs);
      for (const { shop, candidate } of ready) {
        if (sharedHandle(candidate) === null) refuseUnshared(shop.serving, outside);
      }
      if (over) throw this.#whyNot(failure, 1);
      const isLate = outside.nowMs() - beganMs > comeMs + partMs;
      if (deaf > 0) throw this.#busy(deaf);
      if (unready > 0 && isLate) throw this.#busy(unready);
      if (this.#signal.aborted) throw this.#aborted();
      await this.#following?.gather();
      if (unready === 0) return;
      await pause(this.#shops[0]);
    }
  }

  /** What the others are to load, from the bytes that were loaded here: those of the source may be others by now. */
  #offer(ready: readonly Ready[], round: object): void {
    const [{ outside }] = this.#shops;
    const { goal, discardState } = this.#request;
    const back = goal.kind === 'built' ? null : goal.kind;
    for (const [index, { shop, candidate }] of ready.entries()) {
      const [from, to] = [sharedHandle(shop.serving), sharedHandle(candidate)];
      const { hold, hash, fingerprint } = candidate;
      if (from === null || to === null || hold?.kind !== 'ledger') continue;
      const kept = keptOf(hold, candidate.path, hash, shop.options.history > 0);
      outside.native.roundOffer(round, from, to, kept, writeNote({ index, fingerprint, back, discardState }));
    }
  }

  /**
   * One turn of all threads: they stop, and go on when all have the new version, or all the old one. Null where another
   * round is at the barrier, or somebody has come who is not ready: to be gathered again.
   */
  switch(ready: readonly Ready[]): Outcome | null | Promise<Outcome> {
    if (this.#native === null || ready.length === 0) return switchTogether(ready);
    const [{ outside, options }] = this.#shops;
    const { handle } = this.#native;
    const { outcome: stopped, missing, failure } = outside.native.roundStop(handle, boundsOf(options).comeMs);
    if (stopped === 'missing') return this.#refuse(ready, this.#busy(missing));
    if (stopped === 'over') return this.#refuse(ready, this.#whyNot(failure, 1));
    if (stopped !== 'stopped') return null;
    if (this.#following?.isComplete === false) return this.#refuse(ready, this.#busy(1));
    const outcome = switchHere([...ready, ...(this.#following?.ready ?? [])], () => this.#decide(handle));
    if ('error' in outcome) {
      return { ...this.#refuse(ready, outcome.error, outcome.ready), troubles: outcome.troubles };
    }
    this.#release();
    this.#stopped = Promise.resolve();
    this.#following?.conclude(outcome);
    return outcome.filter((each) => ready.includes(each.ready));
  }

  #decide(handle: object): void {
    const [{ outside, options }] = this.#shops;
    const { committed, missing, failure } = outside.native.roundDecide(handle, boundsOf(options).partMs);
    if (!committed) throw this.#whyNot(failure, missing);
  }

  /**
   * All that have not gone over stay. To be called when nothing is left of what did not. Never rejects, and safe to call
   * twice.
   */
  async end(): Promise<void> {
    await this.#stop();
    this.#release();
  }

  #stop(): Promise<void> {
    this.#stopped ??= this.#abandon();
    return this.#stopped;
  }

  async #abandon(): Promise<void> {
    if (this.#native === null) return;
    this.#shops[0].outside.native.roundEnd(this.#native.handle);
    await this.#following?.withdraw();
  }

  #release(): void {
    if (this.#native === null || this.#isReleased) return;
    this.#isReleased = true;
    for (const shop of this.#shops) shop.round = null;
    this.#vacate();
  }

  #refuse(ready: readonly Ready[], error: unknown, of: Ready | undefined = ready[0]): SwitchFailure {
    void this.#stop();
    const told = error instanceof Refusal ? error.read(ready) : null;
    const culprit = told === null ? of : ready[told.index];
    if (culprit === undefined) throw error;
    return { ready: culprit, error: told?.error ?? error, troubles: [] };
  }

  /** Whoever has waited too long for this thread ends the round without a word. */
  #whyNot(failure: string, missing: number): Error {
    return failure === '' ? this.#busy(missing) : new Refusal(failure);
  }

  #busy(threads: number): Error {
    const addon = this.#shops[0].source;
    return errors.busy({ addon, reason: 'threads', sharedWith: null, threads: Math.max(1, threads) });
  }

  #aborted(): Error {
    return errors.aborted({ addon: this.#shops[0].source, during: 'prepare' }, this.#signal.reason);
  }
}

/** Another thread has refused. */
class Refusal extends Error {
  read(ready: readonly Ready[]): Failure {
    const candidates = ready.map(({ candidate }) => candidate.id);
    return readFailure(this.message, candidates);
  }
}

/** Files of an image that was opened here stay as long as it does; those of the handle may have been deleted. */
function keptOf(
  hold: Extract<Hold, { kind: 'ledger' }>,
  staged: StagedPath,
  hash: NativeKept['hash'],
  hasStaged: boolean,
): NativeKept {
  const { image, rebound, share } = hold;
  const { origin, libraries } = rebound;
  if (share === 'joined' && hasStaged) return { path: staged, hash, libraries, origin };
  const inImage = (file: StagedPath): StagedPath =>
    path.join(path.dirname(image), path.basename(file)) as StagedPath;
  return { path: image, hash, libraries: libraries.map(inImage), origin };
}

/** How long a thread has to come, and then for its hooks. */
function boundsOf({ drainTimeoutMs, hookTimeoutMs }: Workshop['options']): {
  readonly comeMs: number;
  readonly partMs: number;
} {
  return { comeMs: Math.max(drainTimeoutMs, THREAD_MIN_MS), partMs: Math.max(hookTimeoutMs, THREAD_MIN_MS) };
}

function pause({ outside }: Workshop): Promise<void> {
  return new Promise((resolve) => {
    outside.after(POLL_MS, resolve);
  });
}
