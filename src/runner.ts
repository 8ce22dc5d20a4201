/** What runs reloads, of one handle or of a group: one at a time, latest change wins, and an orderly end. */
import type { ReloadRequest, ReloadSignals } from './candidate.ts';
import { describe, errors, ReloadError } from './errors.ts';
import type { Follower } from './follower.ts';
import { enlist, leave } from './followers.ts';
import { JobQueue } from './job-queue.ts';
import { endWorkshop, findBuilder, revokeExports } from './open-workshop.ts';
import type { ReloadReport } from './report.ts';
import type { Switched } from './switch.ts';
import { subjectOf, trace } from './tracing.ts';
import { concludeFollowed, enterNow, transact } from './transaction.ts';
import { createSettler, type Settler } from './watch/settle.ts';
import { WatchRetries } from './watch-retries.ts';
import { type SourceWatch, watchSources } from './watch-sources.ts';
import type { Workshop } from './workshop.ts';

/** What a handle needs of whoever runs its reloads. */
export interface HandleRunner {
  /** @throws `ReloadError` of the stage that refused, or `ERR_CLOSED` */
  reload(request: ReloadRequest): Promise<ReloadReport>;
  /** Never rejects. */
  close(): Promise<void>;
}

/** Several handles that reload as one, and who is told of them as one, after those who listen to a single handle. */
export interface RunnerOptions<Outcome> {
  /** In the order in which they reload. */
  readonly shops: readonly [Workshop, ...Workshop[]];
  /** What a reload says of itself, from what it says of each handle. */
  conclude(reports: readonly ReloadReport[]): Outcome;
  readonly observer?: RunnerObserver<Outcome>;
}

export interface RunnerObserver<Outcome> {
  changed(files: readonly string[]): void;
  ended(outcome: Outcome): void;
  failed(error: ReloadError): void;
  closed(): void;
}

/** The watches of several handles tell of one edit within so many milliseconds of each other. */
const GATHER_MS = 20;

/** What nobody asked for more of. */
const BUILT = { force: false, discardState: false, goal: { kind: 'built' } } as const;
const WATCHED = { ...BUILT, trigger: 'watch' } as const;

export class Runner<Outcome> {
  readonly #options: RunnerOptions<Outcome>;
  /** What an error that is of no single handle says of whose it is. */
  readonly #about: { readonly addon?: string };
  readonly #queue: JobQueue<ReloadRequest, Outcome>;
  readonly #gather: Settler | null;
  readonly #watches: SourceWatch[] = [];
  readonly #retries: WatchRetries;
  readonly #followers: readonly Follower[];
  /** What is left to do of a start that nobody waited for. Never rejects. */
  #begun: Promise<void> = Promise.resolve();
  #watching: Promise<void> = Promise.resolve();
  #end: AbortController | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: RunnerOptions<Outcome>) {
    const [first, ...others] = options.shops;
    const isAlone = others.length === 0;
    this.#options = options;
    this.#about = isAlone ? { addon: first.source } : {};
    this.#queue = new JobQueue({
      about: this.#about,
      run: (request, signals) => this.#run(request, signals),
      merge,
    });
    this.#retries = new WatchRetries({
      after: (delayMs, callback) => first.outside.after(delayMs, callback),
      again: () => void this.#queue.supersede(WATCHED),
    });
    for (const shop of options.shops) shop.goBack = (from) => this.#goBack(shop, from);
    const conclude = (outcome: readonly Switched[]): Promise<void> => this.#conclude(outcome);
    this.#followers = options.shops.map((shop) => ({ shop, conclude }));
    for (const follower of this.#followers) enlist(follower);
    this.#gather = isAlone
      ? null
      : createSettler(first.outside, GATHER_MS, (files) => this.#supersede([...files].sort()));
  }

  /**
   * Watches, and loads the first version of each handle. Nothing is left open when it fails.
   *
   * @throws `ReloadError` of the stage that refused; `ERR_ABORTED` when a signal fired meanwhile
   */
  async start(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /**
   * Loads the first version of the only handle before it returns, and watches from then on.
   *
   * @throws `ReloadError` of the stage that refused
   */
  startNow(): void {
    const [shop] = this.#options.shops;
    const ending = new AbortController();
    this.#end = ending;
    const works: Promise<void>[] = [];
    try {
      enterNow(shop, ending.signal, (work) => works.push(work));
      works.push(findBuilder(shop));
    } finally {
      const told = works.map((work) => work.catch((cause: unknown) => this.#tellFailure(cause)));
      this.#begun = Promise.all(told).then(() => undefined);
    }
    this.#watching = this.#begun.then(() => this.#watchLate(shop));
  }

  async #watchLate(shop: Workshop): Promise<void> {
    try {
      await this.#watch(shop);
      await this.#watches[0]?.findMissed();
    } catch (cause) {
      const message = `${shop.source} is not watched: ${describe(cause)}`;
      shop.events.emit('warning', { code: 'watch', message, cause });
    }
  }

  /** @throws `ReloadError` of the stage that refused, or `ERR_CLOSED` */
  reload(request: ReloadRequest): Promise<Outcome> {
    return this.#queue.push(request);
  }

  /** Safe to call twice; never rejects. */
  close(): Promise<void> {
    this.#closing ??= trace({ operation: 'close', ...subjectOf(this.#options.shops) }, () => this.#close());
    return this.#closing;
  }

  /** After a version has crashed too often. Who reloads meanwhile has replaced it. */
  #goBack({ source: addon }: Workshop, id: number): Promise<Outcome> {
    const goal = { kind: 'before', of: { addon, id } } as const;
    return this.#queue.push({ trigger: 'call', force: true, discardState: false, goal });
  }

  async #start(): Promise<void> {
    const { shops } = this.#options;
    const signals = this.#listenToSignals();
    const aborted = (): AbortSignal | undefined => signals.find((signal) => signal.aborted);
    // Before the first build, so that a change while it runs is not lost.
    for (const shop of shops) await this.#watch(shop);
    try {
      await this.#queue.push({ ...BUILT, trigger: 'first' });
    } catch (error) {
      if (aborted() === undefined) throw error;
    }
    // Also when it fired too late to stop the load: a handle that is closed already is of no use to who waits for it.
    const signal = aborted();
    if (signal) throw errors.aborted({ ...this.#about, during: 'open' }, signal.reason);
  }

  /** Closes when any of them fires, also one that has already. */
  #listenToSignals(): readonly AbortSignal[] {
    const { shops } = this.#options;
    const signals = [...new Set(shops.flatMap(({ options }) => options.signal ?? []))];
    const onAbort = (): void => void this.close();
    for (const signal of signals) {
      signal.addEventListener('abort', onAbort, { once: true });
      shops[0].events.on('closed', () => signal.removeEventListener('abort', onAbort));
      if (signal.aborted) onAbort();
    }
    return signals;
  }

  async #watch(shop: Workshop): Promise<void> {
    const { watch: options } = shop.options;
    if (options === null) return;
    const watch = await watchSources(shop, this.#options.shops, options, (files) =>
      this.#onChange(shop, files),
    );
    this.#watches.push(watch);
    // A signal may have ended the handle meanwhile; that close did not know of this watch yet.
    if (this.#closing !== null) await watch.close();
  }

  #onChange(shop: Workshop, files: readonly string[]): void {
    if (this.#closing !== null) return;
    shop.events.emit('changed', { files });
    if (this.#gather === null) this.#supersede(files);
    else for (const file of files) this.#gather.hint(file);
  }

  #supersede(files: readonly string[]): void {
    this.#options.observer?.changed(files);
    this.#retries.reset();
    void this.#queue.supersede(WATCHED);
  }

  async #run(request: ReloadRequest, signals: ReloadSignals): Promise<Outcome> {
    const { shops, observer } = this.#options;
    const context = { operation: 'reload', ...subjectOf(shops), trigger: request.trigger } as const;
    try {
      let reports: readonly ReloadReport[] = [];
      const outcome = await trace(context, async () => {
        await this.#begun;
        reports = await transact(shops, request, signals);
        return this.#options.conclude(reports);
      });
      for (const [index, report] of reports.entries()) tell(shops[index], report);
      observer?.ended(outcome);
      this.#retries.reset();
      return outcome;
    } catch (cause) {
      const error = this.#tellFailure(cause);
      if (request.trigger === 'watch' && this.#closing === null) this.#retries.failed(error);
      throw error;
    } finally {
      await Promise.all(this.#watches.map((watch) => watch.refresh()));
    }
  }

  #tellFailure(cause: unknown): ReloadError {
    const error =
      cause instanceof ReloadError ? cause : errors.internal({ ...this.#about, during: 'reload' }, cause);
    if (error.code === 'ERR_ABORTED') return error;
    const { shops, observer } = this.#options;
    for (const { events } of shops) events.emit('failed', error);
    observer?.failed(error);
    return error;
  }

  /** What is left to do for handles that came along in a reload of others. */
  async #conclude(switched: readonly Switched[]): Promise<void> {
    const { shops, observer } = this.#options;
    const context = { operation: 'reload', ...subjectOf(shops), trigger: 'thread' } as const;
    let reports: readonly ReloadReport[] = [];
    const outcome = await trace(context, async () => {
      reports = await concludeFollowed(switched, shops);
      return this.#options.conclude(reports);
    });
    for (const [index, report] of reports.entries()) {
      if (report.status === 'reloaded') tell(shops[index], report);
    }
    observer?.ended(outcome);
    await Promise.all(this.#watches.map((watch) => watch.refresh()));
  }

  async #close(): Promise<void> {
    const { shops, observer } = this.#options;
    this.#gather?.stop();
    this.#retries.reset();
    this.#end?.abort('close');
    const left = this.#followers.map((follower) => leave(follower));
    // All of it is told in one turn: what runs stops where it is.
    await Promise.all([
      this.#queue.close(),
      ...left,
      ...this.#watches.map((watch) => watch.close()),
      ...[this.#begun, this.#watching],
    ]);
    // Who comes later may depend on who came before, so it ends first.
    const fromLast = shops.toReversed();
    for (const shop of fromLast) revokeExports(shop);
    for (const shop of fromLast) await endWorkshop(shop);
    for (const { events } of fromLast) events.emit('closed');
    observer?.closed();
  }
}

function tell(shop: Workshop | undefined, report: ReloadReport): void {
  if (report.status === 'unchanged') shop?.events.emit('unchanged', report);
  else shop?.events.emit('reloaded', report);
}

const TRIGGER_RANK: Readonly<Record<ReloadRequest['trigger'], number>> = { watch: 0, call: 1, first: 2 };

/** A reload after a rollback is no rollback, and two rollbacks go back by two: each is a job of its own. */
function merge(older: ReloadRequest, newer: ReloadRequest): ReloadRequest | null {
  if (older.goal.kind !== 'built' || newer.goal.kind !== 'built') return null;
  const trigger = TRIGGER_RANK[older.trigger] >= TRIGGER_RANK[newer.trigger] ? older.trigger : newer.trigger;
  return {
    trigger,
    force: older.force || newer.force,
    discardState: older.discardState || newer.discardState,
    goal: newer.goal,
  };
}
