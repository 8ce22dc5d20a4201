/**
 * The switch: `save → migrate → init → verify → swap`, of one handle or of several at once. Nothing in it may emit or
 * call a listener.
 *
 * 1. A step is done for each handle before any does the next one, and what can fail comes before the first swap. So all
 *    go over, or none does.
 * 2. Of versions in this thread it is synchronous from its first line to its last.
 * 3. Versions in other threads or processes are asked, and their calls wait meanwhile. They come first, as far as the
 *    swap: whatever waits does so before the first version of this thread is saved.
 */
import assert from 'node:assert/strict';
import { type Ready, reasonOf } from './candidate.ts';
import { errors } from './errors.ts';
import { hookContext } from './hook-context.ts';
import { HostedMove } from './isolate/hosted-move.ts';
import type { HostedVersion } from './isolate/hosted-version.ts';
import { runSteps, type Steps, settled } from './later.ts';
import { serve } from './load/shared-image.ts';
import type { InstanceCounts, ReloadedReport } from './report.ts';
import type { Hooks } from './state/hooks.ts';
import { InstanceMove, type InstanceMover } from './state/instances.ts';
import { chooseSchema, migrate } from './state/migrate.ts';
import { checkSave, copyState, type Given } from './state/roundtrip.ts';
import type { SwapPlan } from './swap/live-exports.ts';
import { enter, hostOf, liveCode, type Version } from './version.ts';
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

type Outcome = readonly Switched[] | SwitchFailure;

/**
 * Takes all over to their new versions, or none.
 *
 * @returns a promise only where one of them is in another thread or process
 */
export function switchTogether(all: readonly Ready[]): Outcome | Promise<Outcome> {
  return runSteps(takeOver(all, () => undefined));
}

/**
 * The same for versions of this thread alone, in one turn.
 *
 * @param agree what comes last before the first swap, where other threads have a say: nothing fails after it
 */
export function switchHere(all: readonly Ready[], agree: () => void): Outcome {
  const outcome = runSteps(takeOver(all, agree));
  assert(!(outcome instanceof Promise), 'nothing of this is elsewhere');
  return outcome;
}

function* takeOver(all: readonly Ready[], agree: () => void): Steps<Outcome> {
  const sides = all.map((ready) => new Side(ready));
  const [hosted, inline] = [true, false].map((isHosted) =>
    sides.filter((side) => side.isHosted === isHosted),
  );
  for (const some of [hosted ?? [], inline ?? []]) {
    for (const step of ['save', 'init', 'verify'] as const) {
      for (const side of some) {
        try {
          yield* side[step]();
        } catch (error) {
          return { ready: side.ready, error, troubles: yield* revertAll(sides) };
        }
      }
    }
  }
  // What was verified may have ended while others were. From here on no time passes.
  for (const side of sides) {
    try {
      side.checkHost();
    } catch (error) {
      return { ready: side.ready, error, troubles: yield* revertAll(sides) };
    }
  }
  const [leader] = sides;
  try {
    if (leader !== undefined) agree();
  } catch (error) {
    assert(leader !== undefined);
    return { ready: leader.ready, error, troubles: yield* revertAll(sides) };
  }
  for (const side of sides) side.swap();
  return sides.map((side) => side.outcome());
}

function* revertAll(sides: readonly Side[]): Steps<readonly ResumeTrouble[]> {
  const troubles: ResumeTrouble[] = [];
  for (const side of sides.toReversed()) troubles.push(...(yield* side.revert()));
  return troubles;
}

/** One handle in the switch. The steps are called in the order in which they stand. */
class Side {
  readonly ready: Ready;
  readonly #previous: Version | null;
  readonly #old: Hooks | null;
  #isSaved = false;
  #state: unknown;
  #move: InstanceMover | null = null;
  /** What the state was before the new version had it, where it is to be compared. */
  #given: Given | null = null;
  #plan: SwapPlan | null = null;
  #troubles: readonly unknown[] = [];
  #isHidden = false;

  constructor(ready: Ready) {
    this.ready = ready;
    this.#previous = ready.shop.serving;
    this.#old = this.#previous === null ? null : liveCode(this.#previous).hooks;
  }

  /** Whether it has to ask another thread or process. */
  get isHosted(): boolean {
    return hostOf(this.#previous) !== null || hostOf(this.ready.candidate) !== null;
  }

  /** @throws what `save` or a step of the migration threw, or `ERR_BUSY` */
  *save(): Steps<void> {
    const { shop, request, clock, code } = this.ready;
    hostOf(this.#previous)?.hold();
    const old = this.#old;
    if (this.#goesElsewhere) this.#hide();
    if (old === null || request.discardState) return;
    const saved = yield* clock.inSteps('save', () => this.#save(old));
    if (saved === undefined) return;
    this.#state = clock.inSwitch('migrate', () => carry(shop, saved, old, code.hooks));
    const isInItsSchema = chooseSchema(old.schema, code.hooks, shop.options.migrate) === code.hooks.schema;
    if (shop.options.verify !== 'deep' || !isInItsSchema) return;
    this.#given = clock.inSwitch('verify', () => copyState(this.#state, this.#about));
  }

  /** Whether a version of this thread is followed by one elsewhere. */
  get #goesElsewhere(): boolean {
    return (
      this.#previous !== null && hostOf(this.#previous) === null && hostOf(this.ready.candidate) !== null
    );
  }

  /**
   * Nothing may enter the old version any more while the new one, elsewhere, takes its state: calls go to what waits for
   * the new one.
   */
  #hide(): void {
    const { shop, candidate, code } = this.ready;
    hostOf(candidate)?.hold();
    this.#plan = shop.live.plan(code.exports, candidate.id, null);
    this.#plan.publish();
    this.#isHidden = true;
  }

  /** What waited goes to the old version after all. */
  #show(): void {
    const { shop, candidate } = this.ready;
    const previous = this.#previous;
    if (!this.#isHidden || previous === null) return;
    const { exports } = liveCode(previous);
    const handle = previous.hold?.kind === 'ledger' ? previous.hold.handle : null;
    shop.live.plan(exports, previous.id, handle).publish();
    hostOf(candidate)?.calls.giveBack(exports);
  }

  *#save(old: Hooks): Steps<unknown> {
    this.#isSaved = old.has('save') && !this.#follows;
    const state = this.#follows ? undefined : yield* settled(old.callSync('save'));
    this.#move = this.#findInstances(old);
    this.#move?.save(this.ready.shop.options.verify === 'deep', this.#about);
    return state;
  }

  *init(): Steps<void> {
    if (this.ready.preparing !== null) return;
    const { shop, request, route, clock, code, memory } = this.ready;
    const withOrigin = !request.discardState;
    const context = hookContext(shop, code.hooks, reasonOf(route), this.#state, withOrigin, memory.ask);
    const move = this.#move;
    yield* clock.inSteps('init', function* init() {
      yield* settled(code.hooks.callSync('init', context));
      yield* settled(move?.init(context));
    });
    memory.end();
  }

  *verify(): Steps<void> {
    const { shop, clock, code, candidate } = this.ready;
    if (this.ready.preparing === null) {
      yield* clock.inSteps('verify', () =>
        checkSave(code.hooks, this.#state !== undefined, this.#given, this.#about),
      );
    }
    this.#plan = clock.inSwitch('verify', () => {
      this.#move?.verify(this.#about);
      const handle = candidate.hold?.kind === 'ledger' ? candidate.hold.handle : null;
      return this.#plan ?? shop.live.plan(code.exports, candidate.id, handle);
    });
  }

  /** @throws `ERR_HOST_CRASHED` where the host of the new version has ended since */
  checkHost(): void {
    hostOf(this.ready.candidate)?.checkAlive();
  }

  /** Does not fail: whatever can be refused was refused by the steps before. */
  swap(): void {
    const { shop, clock, candidate, code, memory } = this.ready;
    clock.inSwitch('swap', () => {
      if (this.ready.preparing === null) memory.keep();
      if (!this.#isHidden) this.#troubles = this.#plan?.publish() ?? [];
      this.#move?.finish();
      for (const { instances, old, next } of this.#move?.classes ?? []) {
        shop.live.move(instances, old.made, next.made);
      }
      shop.serving = candidate;
      shop.rejected = null;
      enter(candidate, { name: 'live', code });
      serve(candidate, shop.outside);
      const host = hostOf(candidate);
      host?.serve();
      if (this.#isHidden) host?.release();
      if (host !== null) shop.hosting?.supervisor.watch(host);
      if (host !== null) hostOf(this.#previous)?.forwardTo(host);
    });
  }

  /** Undoes what was done. A side whose turn had not come has nothing to undo. */
  *revert(): Steps<readonly ResumeTrouble[]> {
    const old = this.#old;
    const troubles: ResumeTrouble[] = [];
    const note = (cause: unknown): void => {
      if (old !== null) troubles.push({ shop: this.ready.shop, version: old.version, cause });
    };
    const lost = this.#move?.revert() ?? 0;
    if (lost > 0) note(`${lost} instances could not be given back to it`);
    this.#show();
    try {
      if (this.#isSaved) yield* settled(old?.callSync('resume'));
    } catch (cause) {
      note(cause);
    }
    hostOf(this.#previous)?.release();
    return troubles;
  }

  /** Only what the ledger follows is known, and only an old version that is not at work can let its instances go. */
  #findInstances(old: Hooks): InstanceMover | null {
    const { shop, candidate, code } = this.ready;
    const [from, to] = [this.#previous?.hold, candidate.hold];
    if (from?.kind === 'hosted' && to?.kind === 'hosted') return this.#findHosted(old, from.host, to.host);
    if (from?.kind !== 'ledger' || to?.kind !== 'ledger') return null;
    const found = InstanceMove.find(
      { handle: from.handle, hooks: old },
      { handle: to.handle, hooks: code.hooks },
      (instance, made) => shop.live.canMove(instance, made),
      shop.outside.native,
    );
    if (found === null || found.classes.length === 0) return found;
    if (isInCall(shop)) throw errors.busy({ addon: shop.source, reason: 'in-call', sharedWith: null });
    this.#checkInstanceSchema(old);
    return found;
  }

  #findHosted(old: Hooks, from: HostedVersion, to: HostedVersion): InstanceMover | null {
    if (old.classes.size === 0) return null;
    const found = new HostedMove({ host: from, hooks: old }, { host: to, hooks: this.ready.code.hooks });
    if (found.classes.length > 0) this.#checkInstanceSchema(old);
    return found;
  }

  #checkInstanceSchema({ schema }: Hooks): void {
    const { shop, code } = this.ready;
    const { hooks: next } = code;
    if (schema === next.schema || next.accepts.includes(schema)) return;
    const schemas = { from: schema, to: next.schema, step: null };
    throw errors.stateSchema({ addon: shop.source, ...schemas, reason: 'instances' });
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
