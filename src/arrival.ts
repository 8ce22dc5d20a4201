/** One handle in a reload: how far its new version has come, and what must go when it does not arrive. */
import type { VersionId } from './brands.ts';
import {
  build,
  bytesInForce,
  callPrepare,
  isFaultOfTheBytes,
  loadStaged,
  prepare,
  type Ready,
  type ReloadRequest,
  type ReloadSignals,
  reasonOf,
} from './candidate.ts';
import { errors } from './errors.ts';
import { noSuchVersion, type Route } from './history.ts';
import { Later, runNow, runSteps, type Steps, settled } from './later.ts';
import { PhaseClock } from './phase-clock.ts';
import type { UnchangedReport } from './report.ts';
import type { Staged } from './stage/stager.ts';
import { hostOf, liveCode, type Version } from './version.ts';
import {
  createCandidate,
  discard,
  isInCall,
  lookAtPinned,
  retireVersion,
  type Workshop,
} from './workshop.ts';

/** The steps are called in the order in which they stand. Those after `stage` do nothing where it found no news. */
export class Arrival {
  readonly #shop: Workshop;
  readonly #request: ReloadRequest;
  readonly #route: Route;
  readonly #signals: ReloadSignals;
  readonly #clock: PhaseClock;
  /** Null while nothing is staged, and where the bytes are those of the live version. */
  #news: { readonly staged: Staged; readonly candidate: Version } | null = null;
  #ready: Ready | null = null;
  #takeAway = async (): Promise<void> => {};

  constructor(shop: Workshop, request: ReloadRequest, route: Route, signals: ReloadSignals) {
    this.#shop = shop;
    this.#request = request;
    this.#route = route;
    this.#signals = signals;
    this.#clock = new PhaseClock(shop.outside, (phase) => shop.events.emit('progress', { phase }));
  }

  /** Path of the addon. */
  get source(): string {
    return this.#shop.source;
  }

  async build(): Promise<void> {
    const { builder, pinned, outside } = this.#shop;
    // A reload of a small addon waits for nothing: whoever reloads in a row would keep all pins from ending.
    if (pinned.size > 0) await outside.turn();
    lookAtPinned(this.#shop);
    if (builder !== null && this.#route.kind === 'built')
      await build(this.#shop, builder, this.#clock, this.#request, this.#signals.build);
  }

  async stage(): Promise<void> {
    await runSteps(this.#stage(false));
  }

  async load(): Promise<void> {
    await runSteps(this.#load(false));
  }

  /**
   * All up to the switch, before it returns. Of a `prepare` that takes longer, {@link Ready.preparing} is what is left.
   */
  arriveNow(): void {
    runNow(this.#stage(true));
    runNow(this.#load(true));
    const ready = this.#ready;
    if (ready === null) return;
    const preparing = ready.clock.outsideSwitch('prepare', () => callPrepare(ready, this.#signals.all));
    if (preparing !== undefined) this.#ready = { ...ready, preparing };
  }

  *#stage(atOnce: boolean): Steps<void> {
    const shop = this.#shop;
    if (this.#route.kind === 'stay') return;
    const staged = yield* this.#clock.through('stage', () => this.#stageRoute(atOnce));
    if (staged === null) return;
    this.#news = { staged, candidate: createCandidate(shop, staged) };
    this.#takeAway = async () => discard(shop, staged);
  }

  /** @returns null when that is what is live */
  *#stageRoute(atOnce: boolean): Steps<Staged | null> {
    const shop = this.#shop;
    const route = this.#route;
    const id = shop.nextId as VersionId;
    const skip = this.#request.force ? null : bytesInForce(shop.serving);
    if (route.kind === 'follow') return yield* settled(new Later(this.#stageOffered(id, route)));
    if (route.kind !== 'back') {
      const staged = yield* shop.stager.stage(id, skip, this.#signals.all, atOnce);
      shop.built = staged ?? shop.serving;
      return staged;
    }
    const { to } = route;
    if (skip === to.fingerprint || skip === to.kept.hash) return null;
    const staged = yield* settled(new Later(shop.stager.restore(id, to.kept, this.#signals.all)));
    if (staged !== null) return staged;
    shop.history.drop(to.id);
    throw noSuchVersion(shop.source, shop.history, to.id);
  }

  async #stageOffered(id: VersionId, route: Extract<Route, { kind: 'follow' }>): Promise<Staged> {
    const shop = this.#shop;
    const { path } = route.kept;
    const staged = await shop.stager.restore(id, route.kept, this.#signals.all);
    if (staged === null)
      throw errors.stageIo({ addon: shop.source, path, operation: 'copy', errno: 'ENOENT' });
    if (!route.goesBack) shop.built = staged;
    return staged;
  }

  *#load(atOnce: boolean): Steps<void> {
    if (this.#news === null || this.#route.kind === 'stay') return;
    const { staged, candidate } = this.#news;
    const shop = this.#shop;
    const clock = this.#clock;
    this.#takeAway = async () => {};
    const { discardState } = this.#request;
    const reason = shop.serving === null ? 'first' : reasonOf(this.#route);
    const code = yield* loadStaged(
      shop,
      staged,
      candidate,
      { discardState, reason, atOnce },
      clock,
      this.#signals.all,
    );
    this.#takeAway = async () => void (await retireVersion(shop, candidate, code.hooks));
    const request = this.#request;
    const memory = shop.memory.claim(candidate.id, request.discardState);
    const host = hostOf(candidate);
    if (host !== null) host.memory = memory;
    this.#ready = { shop, request, route: this.#route, clock, candidate, code, memory, preparing: null };
  }

  async prepare(): Promise<void> {
    if (this.#ready === null) return;
    const ready = this.#ready;
    await ready.clock.during('prepare', () => prepare(ready, this.#signals.all));
  }

  /**
   * Waits for native calls of the old version, such as one that runs the event loop itself, where its instances are to
   * move. Calls that begin meanwhile end before anything else runs.
   */
  async settle(): Promise<void> {
    if (this.#ready === null || !movesInstances(this.#ready)) return;
    const { outside, options } = this.#shop;
    const endMs = outside.nowMs() + options.drainTimeoutMs;
    while (isInCall(this.#shop) && outside.nowMs() < endMs && !this.#signals.all.aborted)
      await outside.turn();
  }

  /** What is to switch; null where there is nothing new. */
  get ready(): Ready | null {
    return this.#ready;
  }

  /** Null while nothing is staged. */
  get candidate(): Version | null {
    return this.#news?.candidate ?? null;
  }

  get hasNews(): boolean {
    return this.#news !== null;
  }

  /** Whether its bytes are as they were when bytes were refused last. */
  get isAsRefused(): boolean {
    return this.#news?.staged.fingerprint === this.#shop.rejected?.fingerprint;
  }

  /** Takes away what it has staged, loaded and asked for. A version that was loaded disposes first. */
  async giveUp(): Promise<void> {
    await this.#takeAway();
    // What its dispose stops may use the memory until then.
    this.#ready?.memory.undo();
  }

  /** Whether the bytes that were built would be refused for it again. */
  isAtFault(error: unknown): boolean {
    return (
      this.#route.kind === 'built' && this.#news !== null && isFaultOfTheBytes(error, this.#news.candidate.id)
    );
  }

  noteRefused(): void {
    this.#shop.rejected = this.#news?.staged ?? null;
  }

  /** After going back, the built file still has what was gone back from: a watcher that sees it must not go forward. */
  refuseBuilt(): void {
    const { built, serving } = this.#shop;
    this.#shop.rejected = built?.fingerprint === serving?.fingerprint ? null : built;
  }

  unchanged(): UnchangedReport {
    const id = this.#shop.serving?.id ?? 0;
    const reason = this.hasNews ? 'rejected' : 'live';
    return { status: 'unchanged', reason, from: id, to: id, phasesMs: this.#clock.phasesMs };
  }
}

function movesInstances({ shop, request, code }: Ready): boolean {
  if (shop.serving === null || request.discardState) return false;
  const { hold } = shop.serving;
  const { classes } = liveCode(shop.serving).hooks;
  const described = [...classes.values()].filter(({ name }) => code.hooks.classes.has(name));
  if (described.length === 0 || hold?.kind !== 'ledger' || !isInCall(shop)) return false;
  const made = described.map((each) => each.made);
  return shop.outside.native
    .findInstances(hold.handle, made)
    .some((found) => found !== null && found.length > 0);
}
