/** One handle in a round that another one leads: its new version, from the offer of the leader to the swap or away. */
import { Arrival } from './arrival.ts';
import type { Ready } from './candidate.ts';
import type { Route } from './history.ts';
import type { NativeOffer } from './native.ts';
import { readNote } from './round-notes.ts';
import type { Switched } from './switch.ts';
import type { Workshop } from './workshop.ts';

/** A handle that can be brought along. */
export interface Follower {
  readonly shop: Workshop;
  /**
   * What is left to do once new versions serve, the same function for all handles that reload together. What happens
   * before its first `await` is of the same turn.
   */
  readonly conclude: (outcome: readonly Switched[]) => Promise<void>;
}

/** One handle in a round. */
export class Part {
  readonly follower: Follower;
  /** Which of the leader's handles has the new version. */
  readonly source: number;
  /** Settles, well, when the handle is free for the next round. */
  readonly ended: Promise<void>;
  hasFailed = false;
  readonly #arrival: Arrival;
  readonly #before: Promise<unknown> | undefined;
  readonly #abort = new AbortController();
  readonly #round: object;
  readonly #goesBack: boolean;
  #arriving: Promise<void> = Promise.resolve();
  #isDone = false;
  #resolve: (after?: Promise<void>) => void = () => undefined;

  constructor(
    follower: Follower,
    round: object,
    { kept, note }: NativeOffer,
    before: Promise<unknown> | undefined,
  ) {
    const { index, fingerprint, back, discardState } = readNote(note);
    const { shop } = follower;
    const place = back === 'before' ? shop.history.placeOf(fingerprint) : null;
    const goesBack = back !== null;
    const route: Route = { kind: 'follow', kept, place, goesBack };
    const request = { trigger: 'call', force: true, discardState, goal: { kind: 'built' } } as const;
    const { signal } = this.#abort;
    this.follower = follower;
    this.source = index;
    this.#round = round;
    this.#goesBack = goesBack;
    this.#before = before;
    this.#arrival = new Arrival(shop, request, route, { build: signal, all: signal });
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** @throws what refused the new version, unless it was withdrawn meanwhile */
  async arrive(): Promise<void> {
    this.#arriving = this.#arrive();
    try {
      await this.#arriving;
    } catch (error) {
      if (this.#isDone) return;
      this.hasFailed = true;
      throw error;
    }
  }

  async #arrive(): Promise<void> {
    await this.#before;
    if (this.#isDone) return;
    this.follower.shop.round = { round: this.#round, follows: true };
    for (const step of ['stage', 'load', 'prepare', 'settle'] as const) await this.#arrival[step]();
  }

  /** What is to switch; null where it is not loaded, or was withdrawn. */
  get ready(): Ready | null {
    return this.#isDone ? null : this.#arrival.ready;
  }

  /** Id of the new version; null while there is none. */
  get candidate(): number | null {
    return this.#arrival.candidate?.id ?? null;
  }

  /** It serves. */
  goOver(): void {
    this.#isDone = true;
    this.follower.shop.round = null;
    if (this.#goesBack) this.#arrival.refuseBuilt();
  }

  /** @param after what else is to settle before the handle is free */
  release(after?: Promise<void>): void {
    this.#resolve(after);
  }

  async withdraw(): Promise<void> {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#abort.abort('the round is over');
    await this.#arriving.catch(() => undefined);
    try {
      await this.#arrival.giveUp();
    } finally {
      this.follower.shop.round = null;
      this.release();
    }
  }
}
