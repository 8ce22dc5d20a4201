/**
 * The switch: `save → migrate → init → verify → swap`, of one handle or of several at once. Synchronous from its first
 * line to its last; nothing in it may emit, await or call a listener.
 *
 * A step is done for each handle before any does the next one, and what can fail comes before the first swap. So all
 * go over, or none does.
 */
import assert from 'node:assert/strict';
import { type Ready, reasonOf } from './candidate.ts';
import { errors } from './errors.ts';
import { hookContext } from './hook-context.ts';
import { serve } from './load/shared-image.ts';
import type { InstanceCounts, ReloadedReport } from './report.ts';
import type { Hooks } from './state/hooks.ts';
import { InstanceMove } from './state/instances.ts';
import { chooseSchema, migrate } from './state/migrate.ts';
import { checkSave, copyState, type Given } from './state/roundtrip.ts';
import type { SwapPlan } from './swap/live-exports.ts';
import { enter, liveCode, type Version } from './version.ts';
import { isInCall, type ResumeTrouble, type Workshop } from './workshop.ts';

/** A handle that went over to its new version. */
export interface Switched {
  readonly ready: Ready;
  readonly previous: Version | null;
  readonly oldHooks: Hooks | null;
  readonly plan: SwapPlan;
  readonly state: ReloadedReport['state'];
  readonly instances: InstanceCounts;
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

/**
 * Takes all over to their new versions, or none.
 *
 * @param agree what comes last before the first swap, where other threads have a say: nothing fails after it
 */
export function switchTogether(
  all: readonly Ready[],
  agree: () => void = () => undefined,
): readonly Switched[] | SwitchFailure {
  const sides = all.map((ready) => new Side(ready));
  const steps = ['save', 'init', 'verify', 'swap'] as const;
  for (const step of steps) {
    for (const side of sides) {
      try {
        if (step === 'swap' && side === sides[0]) agree();
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
  #isSaved = false;
  #state: unknown;
  #move: InstanceMove | null = null;
  /** What the state was before the new version had it, where it is to be compared. */
  #given: Given | null = null;
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
    const old = this.#old;
    if (old === null || request.discardState) return;
    const saved = clock.inSwitch('save', () => {
      this.#isSaved = old.has('save') && !this.#follows;
      const state = this.#follows ? undefined : old.callSync('save');
      this.#move = this.#findInstances(old);
      this.#move?.save(shop.options.verify === 'deep', this.#about);
      return state;
    });
    if (saved === undefined) return;
    this.#state = clock.inSwitch('migrate', () => carry(shop, saved, old, code.hooks));
    const isInItsSchema = chooseSchema(old.schema, code.hooks, shop.options.migrate) === code.hooks.schema;
    if (shop.options.verify !== 'deep' || !isInItsSchema) return;
    this.#given = clock.inSwitch('verify', () => copyState(this.#state, this.#about));
  }

  init(): void {
    const { shop, request, route, clock, code, memory } = this.ready;
    const withOrigin = !request.discardState;
    const context = hookContext(shop, code.hooks, reasonOf(route), this.#state, withOrigin, memory.ask);
    clock.inSwitch('init', () => {
      code.hooks.callSync('init', context);
      this.#move?.init(context);
    });
    memory.end();
  }

  verify(): void {
    const { shop, clock, code, candidate } = this.ready;
    this.#plan = clock.inSwitch('verify', () => {
      checkSave(code.hooks, this.#state !== undefined, this.#given, this.#about);
      this.#move?.verify(this.#about);
      const handle = candidate.hold?.kind === 'ledger' ? candidate.hold.handle : null;
      return shop.live.plan(code.exports, candidate.id, handle);
    });
  }

  /** Does not fail: whatever can be refused was refused by the steps before. */
  swap(): void {
    const { shop, clock, candidate, code, memory } = this.ready;
    clock.inSwitch('swap', () => {
      memory.keep();
      this.#troubles = this.#plan?.publish() ?? [];
      this.#move?.finish();
      for (const { instances, old, next } of this.#move?.classes ?? []) {
        shop.live.move(instances, old.made, next.made);
      }
      shop.serving = candidate;
      shop.rejected = null;
      enter(candidate, { name: 'live', code });
      serve(candidate, shop.outside);
    });
  }

  /** Undoes what was done. A side whose turn had not come has nothing to undo. */
  revert(): readonly ResumeTrouble[] {
    const old = this.#old;
    const troubles: ResumeTrouble[] = [];
    const note = (cause: unknown): void => {
      if (old !== null) troubles.push({ shop: this.ready.shop, version: old.version, cause });
    };
    const lost = this.#move?.revert() ?? 0;
    if (lost > 0) note(`${lost} instances could not be given back to it`);
    if (!this.#isSaved) return troubles;
    try {
      old?.callSync('resume');
    } catch (cause) {
      note(cause);
    }
    return troubles;
  }

  /** Only what the ledger follows is known, and only an old version that is not at work can let its instances go. */
  #findInstances(old: Hooks): InstanceMove | null {
    const { shop, candidate, code } = this.ready;
    const [from, to] = [this.#previous?.hold, candidate.hold];
    if (from?.kind !== 'ledger' || to?.kind !== 'ledger') return null;
    const found = InstanceMove.find(
      { handle: from.handle, hooks: old },
      { handle: to.handle, hooks: code.hooks },
      (instance, made) => shop.live.canMove(instance, made),
      shop.outside.native,
    );
    if (found === null || found.classes.length === 0) return found;
    if (isInCall(shop)) throw errors.busy({ addon: shop.source, reason: 'in-call', sharedWith: null });
    const [schema, next] = [old.schema, code.hooks];
    if (schema !== next.schema && !next.accepts.includes(schema)) {
      const schemas = { from: schema, to: next.schema, step: null };
      throw errors.stateSchema({ addon: shop.source, ...schemas, reason: 'instances' });
    }
    return found;
  }

  outcome(): Switched {
    assert(this.#plan !== null);
    return {
      ready: this.ready,
      previous: this.#previous,
      oldHooks: this.#old,
      plan: this.#plan,
      state: this.#stateOutcome(),
      instances: this.#move?.counts ?? { moved: {}, stayed: {} },
      troubles: this.#troubles,
    };
  }

  /** Whether another handle carries the state of the image that both have. */
  get #follows(): boolean {
    return this.ready.route.kind === 'follow';
  }

  get #about(): { readonly addon: string; readonly version: number } {
    return { addon: this.ready.shop.source, version: this.ready.candidate.id };
  }

  #stateOutcome(): ReloadedReport['state'] {
    if (this.#follows) return 'shared';
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
  const { migrate: steps } = shop.options;
  return migrate(state, old.schema, chooseSchema(old.schema, next, steps), steps);
}
