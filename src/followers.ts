/**
 * Handles that follow: another one reloads an image that they run, too, and they go over together with it. The rules of
 * such a round are in native/thread_barrier.h, and round.ts has the side of who leads it.
 *
 * A handle may follow while its own reload builds, or waits for its turn: what comes after holds the round.
 */
import type { Ready } from './candidate.ts';
import { errors } from './errors.ts';
import { type Follower, Part } from './follower.ts';
import { sharedHandle } from './load/shared-image.ts';
import type { Native, NativeOffer, NativeRound, NativeSummons } from './native.ts';
import type { Outside } from './outside.ts';
import { writeFailure } from './round-notes.ts';
import { type Switched, switchHere } from './switch.ts';
import { warnOfResume, type Workshop } from './workshop.ts';

/** A handle that is about to serve the image is waited for. */
const ARRIVAL_POLL_MS = 2;

/** Of this thread, with what they are about: they follow one round after the other. */
const followers = new Map<Follower, Promise<unknown>>();
/** Those that are led by other threads, by their numbers. */
const followed = new Map<number, Following>();
let listening = false;

/** Until it leaves, the handle follows where its image is replaced. */
export function enlist(follower: Follower): void {
  const { options, outside } = follower.shop;
  if (options.scope === 'thread') return;
  followers.set(follower, Promise.resolve());
  if (listening) return;
  listening = true;
  outside.native.onSummons((round, summons) => onSummons(round, summons, outside));
}

/** Resolves when nothing of the handle is on its way, and never rejects. */
export async function leave(follower: Follower): Promise<void> {
  const busy = followers.get(follower);
  followers.delete(follower);
  for (const following of [...followed.values(), ...local]) following.withdrawOne(follower);
  await busy;
}

/**
 * Waits for these handles to be out of the rounds that they follow. Never rejects.
 *
 * @returns false when one of them has come into another meanwhile
 */
export async function areFree(shops: readonly Workshop[]): Promise<boolean> {
  const before = membersOf(shops).map((follower) => [follower, followers.get(follower)] as const);
  await Promise.all(before.map(([, busy]) => busy));
  return before.every(([follower, busy]) => followers.get(follower) === busy);
}

/**
 * Of handles that are free and lead a round: those of them that are asked to follow another one wait, since what does not
 * go live may be on its way out for longer than its round. @returns what ends that
 */
export function occupy(shops: readonly Workshop[]): () => void {
  let vacate = (): void => undefined;
  const busy = new Promise<void>((resolve) => {
    vacate = resolve;
  });
  for (const follower of membersOf(shops)) followers.set(follower, busy);
  return vacate;
}

function membersOf(shops: readonly Workshop[]): readonly Follower[] {
  return [...followers.keys()].filter(({ shop }) => shops.includes(shop));
}

/** Those that are led by a handle of this thread. */
const local = new Set<Following>();

function onSummons(round: NativeRound, summons: NativeSummons, outside: Outside): void {
  if (summons === 'follow') {
    const following = new Following(round, outside, []);
    followed.set(round.id, following);
    void following.answer();
    return;
  }
  const following = followed.get(round.id);
  if (summons === 'stop') following?.stop();
  else void following?.withdraw();
}

/** The handles of one thread in a round. */
export class Following {
  readonly #round: NativeRound;
  readonly #outside: Outside;
  readonly #leaders: readonly Workshop[];
  readonly #parts: Part[] = [];
  #isOver = false;

  /** @param leaders handles of this thread that do not follow */
  constructor(round: NativeRound, outside: Outside, leaders: readonly Workshop[]) {
    this.#round = round;
    this.#outside = outside;
    this.#leaders = leaders;
    if (leaders.length > 0) local.add(this);
  }

  /**
   * Loads and prepares what replaces the image of each handle, and waits for those that are about to serve it.
   *
   * @throws `ReloadError` of the stage that refused
   */
  async gather(): Promise<void> {
    while (!this.#isOver) {
      const parts = this.#newParts();
      for (const part of parts) await part.arrive();
      if (parts.length > 0) continue;
      if (this.#native.roundArriving(this.#round.handle) === 0) return;
      await new Promise<void>((resolve) => {
        this.#outside.after(ARRIVAL_POLL_MS, resolve);
      });
    }
  }

  #newParts(): readonly Part[] {
    const added = this.#findNew().map(([follower, offer]) => {
      const part = new Part(follower, this.#round.handle, offer, followers.get(follower));
      followers.set(follower, part.ended);
      return part;
    });
    this.#parts.push(...added);
    return added;
  }

  /** Handles that run an image which is replaced, and are not among the parts yet. */
  #findNew(): readonly (readonly [Follower, NativeOffer])[] {
    const known = new Set(this.#parts.map(({ follower }) => follower));
    return [...followers.keys()].flatMap((follower): readonly (readonly [Follower, NativeOffer])[] => {
      const handle = sharedHandle(follower.shop.serving);
      if (handle === null || known.has(follower) || this.#leaders.includes(follower.shop)) return [];
      const offer = this.#native.roundOfferFor(this.#round.handle, handle);
      return offer === null ? [] : [[follower, offer]];
    });
  }

  /** Not so where one came by way of another round, after all had been gathered. */
  get isComplete(): boolean {
    return this.#findNew().length === 0;
  }

  get #native(): Native {
    return this.#outside.native;
  }

  /** Those that are to switch. */
  get ready(): readonly Ready[] {
    return this.#parts.flatMap(({ ready }) => ready ?? []);
  }

  /** Of a round that another thread leads. */
  async answer(): Promise<void> {
    try {
      await this.gather();
      this.#native.roundReady(this.#round.handle);
    } catch (error) {
      this.#fail(
        error,
        this.#parts.find((part) => part.hasFailed),
      );
    }
  }

  /**
   * The barrier, between two turns of the event loop: blocks until the leader has decided. Whoever goes over does so
   * before anything else of this thread runs.
   */
  stop(): void {
    const { handle } = this.#round;
    if (!this.isComplete) {
      const addon = this.#parts[0]?.follower.shop.source ?? '';
      this.#fail(errors.busy({ addon, reason: 'replacing', sharedWith: null }), undefined);
      return;
    }
    if (!this.#native.roundTurn(handle)) return;
    const { ready } = this;
    let isOver = false;
    const join = (): void => {
      isOver = !this.#native.roundJoin(handle);
      if (isOver) throw new Error('the round is over');
    };
    if (ready.length === 0) {
      if (this.#native.roundJoin(handle)) this.conclude([]);
      return;
    }
    const outcome = switchHere(ready, join);
    if (!('error' in outcome)) {
      this.conclude(outcome);
      return;
    }
    if (!isOver) {
      this.#fail(
        outcome.error,
        this.#parts.find((part) => part.ready === outcome.ready),
      );
    }
    warnOfResume(outcome.troubles);
  }

  /** All have gone over. */
  conclude(outcome: readonly Switched[]): void {
    this.#end();
    const together = new Map<Follower['conclude'], Map<Part, Switched>>();
    for (const part of this.#parts) {
      const switched = outcome.find(({ ready }) => ready === part.ready);
      if (switched === undefined) continue;
      const { conclude } = part.follower;
      together.set(conclude, (together.get(conclude) ?? new Map<Part, Switched>()).set(part, switched));
    }
    for (const [conclude, parts] of together) {
      for (const part of parts.keys()) part.goOver();
      const concluded = conclude([...parts.values()]).catch(() => undefined);
      for (const part of parts.keys()) part.release(concluded);
    }
  }

  /** Takes away what was loaded. Never rejects. */
  async withdraw(): Promise<void> {
    this.#end();
    await Promise.all(this.#parts.map((part) => part.withdraw()));
  }

  /** Of a handle that closes. */
  withdrawOne(follower: Follower): void {
    for (const part of this.#parts) if (part.follower === follower) void part.withdraw();
  }

  #end(): void {
    this.#isOver = true;
    followed.delete(this.#round.id);
    local.delete(this);
  }

  #fail(error: unknown, part: Part | undefined): void {
    this.#native.roundFail(
      this.#round.handle,
      writeFailure(error, part?.source ?? 0, part?.candidate ?? null),
    );
  }
}
