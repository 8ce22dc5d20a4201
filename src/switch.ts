/**
 * The switch: `save → migrate → init → verify → swap`, of one handle or of several at once. Synchronous from its first
 * line to its last; nothing in it may emit, await or call a listener.
 *
 * A step is done for each handle before any does the next one, and what can fail comes before the first swap. So all
 * go over, or none does.
 */
import assert from 'node:assert/strict';
import type { Ready } from './candidate.ts';
import { errors } from './errors.ts';
import { hookContext } from './hook-context.ts';
import { type Claim, claimImage } from './load/shared-image.ts';
import type { ReloadedReport } from './report.ts';
import type { Hooks } from './state/hooks.ts';
import { migrate } from './state/migrate.ts';
import type { SwapPlan } from './swap/live-exports.ts';
import { enter, liveCode, type Version } from './version.ts';
import type { Workshop } from './workshop.ts';

/** A handle that went over to its new version. */
export interface Switched {
  readonly ready: Ready;
  readonly previous: Version | null;
  readonly oldHooks: Hooks | null;
  readonly plan: SwapPlan;
  readonly state: ReloadedReport['state'];
  /** What objects of the addon threw when they were made one with their facades. */
  readonly troubles: readonly unknown[];
}

/** What made a switch fail, after which every handle serves as before. */
export interface SwitchFailure {
  /** Of whose version the fault was. */
  readonly ready: Ready;
  readonly error: unknown;
  readonly troubles: readonly ResumeTrouble[];
}

/** What an old version threw when it was told to go on. */
export interface ResumeTrouble {
  readonly shop: Workshop;
  readonly version: number;
  readonly cause: unknown;
}

/** Takes all over to their new versions, or none. */
export function switchTogether(all: readonly Ready[]): readonly Switched[] | SwitchFailure {
  const sides = all.map((ready) => new Side(ready));
  const steps = ['save', 'init', 'verify', 'swap'] as const;
  for (const step of steps) {
    for (const side of sides) {
      try {
        side[step]();
      } catch (error) {
        return { ready: side.ready, error, troubles: sides.toReversed().flatMap((each) => each.revert()) };
      }
    }
  }
  return sides.map((side) => side.outcome());
}

/** One handle in the switch. The steps are called in the order in which they stand. */
class Side {
  readonly ready: Ready;
  readonly #previous: Version | null;
  readonly #old: Hooks | null;
  #claim: Claim | null = null;
  #isSaved = false;
  #state: unknown;
  #plan: SwapPlan | null = null;
  #troubles: readonly unknown[] = [];

  constructor(ready: Ready) {
    this.ready = ready;
    this.#previous = ready.shop.serving;
    this.#old = this.#previous === null ? null : liveCode(this.#previous).hooks;
  }

  /** @throws what `save` or a step of the migration threw, or `ERR_BUSY` */
  save(): void {
    const { shop, request, clock, code } = this.ready;
    this.#claim = claimImage(this.#previous, shop.outside);
    const old = this.#old;
    if (old === null || request.discardState) return;
    const saved = clock.inSwitch('save', () => {
      this.#isSaved = old.has('save');
      return old.callSync('save');
    });
    if (saved === undefined) return;
    this.#state = clock.inSwitch('migrate', () => carry(shop, saved, old, code.hooks));
  }

  init(): void {
    const { request, clock, code } = this.ready;
    const context = hookContext(this.#previous, this.#state, !request.discardState);
    clock.inSwitch('init', () => code.hooks.callSync('init', context));
  }

  verify(): void {
    const { shop, clock, code, candidate } = this.ready;
    this.#plan = clock.inSwitch('verify', () => {
      checkSave(shop, code.hooks, candidate, this.#state !== undefined);
      const handle = candidate.hold?.kind === 'ledger' ? candidate.hold.handle : null;
      return shop.live.plan(code.exports, candidate.id, handle);
    });
  }

  /** Does not fail: whatever can be refused was refused by the steps before. */
  swap(): void {
    const { shop, clock, candidate, code } = this.ready;
    clock.inSwitch('swap', () => {
      this.#troubles = this.#plan?.publish() ?? [];
      shop.serving = candidate;
      shop.rejected = null;
      enter(candidate, { name: 'live', code });
      this.#claim?.end(candidate);
    });
  }

  /** Undoes what was done. A side whose turn had not come has nothing to undo. */
  revert(): readonly ResumeTrouble[] {
    this.#claim?.end(null);
    const old = this.#old;
    if (!this.#isSaved || old === null) return [];
    try {
      old.callSync('resume');
      return [];
    } catch (cause) {
      return [{ shop: this.ready.shop, version: old.version, cause }];
    }
  }

  outcome(): Switched {
    assert(this.#plan !== null);
    return {
      ready: this.ready,
      previous: this.#previous,
      oldHooks: this.#old,
      plan: this.#plan,
      state: this.#stateOutcome(),
      troubles: this.#troubles,
    };
  }

  #stateOutcome(): ReloadedReport['state'] {
    if (this.#state !== undefined) return 'carried';
    return this.ready.request.discardState && this.#old?.has('save') ? 'discarded' : 'stateless';
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

/** The new version must be able to hand its state on before it goes live. */
function checkSave(shop: Workshop, next: Hooks, candidate: Version, tookState: boolean): void {
  const failed = { addon: shop.source, version: candidate.id };
  let saved: unknown;
  try {
    saved = next.callSync('save');
  } catch (cause) {
    throw errors.stateRoundtrip({ ...failed, reason: 'save-failed' }, cause);
  }
  if (tookState && saved === undefined) throw errors.stateRoundtrip({ ...failed, reason: 'save-empty' });
}
