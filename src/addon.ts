/** The handle: one reload at a time, latest change wins, and an orderly end. */
import path from 'node:path';
import type { SourcePath } from './brands.ts';
import { createBuilder } from './build/create-builder.ts';
import type { ReloadRequest, ReloadSignals } from './candidate.ts';
import { errors, ReloadError } from './errors.ts';
import { type AddonEvents, Events, type Listener } from './events.ts';
import { JobQueue } from './job-queue.ts';
import {
  type OpenOptions,
  type Options,
  type ReloadOptions,
  resolveOptions,
  resolveReloadOptions,
} from './options.ts';
import { type Outside, realOutside } from './outside.ts';
import type { ReloadReport } from './report.ts';
import { createBudget } from './retire/budget.ts';
import { openStager, type StagerOptions } from './stage/stager.ts';
import { createLiveExports } from './swap/live-exports.ts';
import { trace } from './tracing.ts';
import { transact } from './transaction.ts';
import { liveCode, type VersionInfo } from './version.ts';
import { type SourceWatch, watchSources } from './watch-sources.ts';
import { describe, lookAtPinned, lookAtShared, retireVersion, type Workshop } from './workshop.ts';

/** One bound for all handles of this thread: what it guards is the process. */
const budget = createBudget(realOutside);

/**
 * A reloadable addon. Made by {@link open}.
 *
 * @example
 * ```ts
 * await using kernel = await open<{ dot(a: Float64Array, b: Float64Array): number }>('build/Release/kernel.node');
 * const { dot } = kernel.exports;
 * await kernel.reload(); // `dot` runs the new code from here on
 * ```
 */
export class Addon<T = unknown> {
  readonly #shop: Workshop;
  readonly #queue: JobQueue<ReloadRequest, ReloadReport>;
  #watch: SourceWatch | null = null;
  #closing: Promise<void> | null = null;

  /** @internal Use {@link open}. */
  private constructor(shop: Workshop) {
    this.#shop = shop;
    this.#queue = new JobQueue({
      addon: shop.source,
      run: (request, signals) => this.#run(request, signals),
      merge,
    });
  }

  /** @internal Use {@link open}; `outside` is for tests, which make it fail. */
  static async open<T>(file: string, options: OpenOptions, outside: Outside): Promise<Addon<T>> {
    const resolved = resolveOptions(options);
    const source = resolveSource(file);
    return trace({ operation: 'open', addon: source, trigger: 'first' }, async () => {
      if (resolved.signal?.aborted)
        throw errors.aborted({ addon: source, during: 'open' }, resolved.signal.reason);
      const addon = new Addon<T>(await openShop(source, resolved, outside));
      try {
        await addon.#start(resolved);
        return addon;
      } catch (error) {
        await addon.close();
        throw error;
      }
    });
  }

  /**
   * The addon's exports: one object, function or class for the life of the handle, with the same functions in it.
   * Exports of another kind as a whole (an instance, an array, a Proxy) are the live version's own.
   *
   * @throws `ERR_CLOSED` after `close()`, for those
   */
  get exports(): T {
    return this.#shop.live.value as T;
  }

  /** The version that serves; after `close()`, the last one that did. */
  get current(): VersionInfo {
    const { serving } = this.#shop;
    if (serving === null)
      throw errors.closed({ addon: this.#shop.source, attempted: 'look at the current version' });
    return describe(this.#shop, serving);
  }

  /** Every version whose image is still in memory, oldest first. Looks first whether those that it shared have gone. */
  versions(): readonly VersionInfo[] {
    lookAtShared(this.#shop);
    return this.#shop.versions.map((version) => describe(this.#shop, version));
  }

  /**
   * Builds if the handle has a builder, and makes what was built live. Calls that come while a reload runs share
   * one more, after it.
   *
   * @throws {@link ReloadError} of the stage that refused; the version that served before goes on serving
   * @example
   * ```ts
   * const report = await kernel.reload();
   * if (report.status === 'reloaded') console.log(`v${report.to} is live`, report.phasesMs);
   * ```
   */
  async reload(options: ReloadOptions = {}): Promise<ReloadReport> {
    const { force, discardState } = resolveReloadOptions(options);
    return this.#queue.push({ trigger: 'call', force, discardState });
  }

  on<K extends keyof AddonEvents>(event: K, listener: Listener<K>): this {
    this.#shop.events.on(event, listener);
    return this;
  }

  once<K extends keyof AddonEvents>(event: K, listener: Listener<K>): this {
    this.#shop.events.once(event, listener);
    return this;
  }

  off<K extends keyof AddonEvents>(event: K, listener: Listener<K>): this {
    this.#shop.events.off(event, listener);
    return this;
  }

  /**
   * Ends the handle: a build in flight is stopped, a reload that waits is refused with `ERR_CLOSED`, the serving
   * version's `dispose` runs, staged files are deleted. Functions of the exports throw `ERR_CLOSED` from then on.
   * Safe to call twice; never rejects.
   */
  close(): Promise<void> {
    this.#closing ??= trace({ operation: 'close', addon: this.#shop.source }, () => this.#close());
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #start({ watch, signal, onProgress }: Options): Promise<void> {
    const { events } = this.#shop;
    if (onProgress !== null) events.on('progress', onProgress);
    const onAbort = (): void => void this.close();
    signal?.addEventListener('abort', onAbort, { once: true });
    events.on('closed', () => signal?.removeEventListener('abort', onAbort));
    if (signal?.aborted) onAbort();
    // Before the first build, so that a change while it runs is not lost.
    if (watch !== null) {
      this.#watch = await watchSources(this.#shop, watch, (files) => this.#onChange(files));
      // The signal may have ended the handle meanwhile; that close did not know of this watch yet.
      if (this.#closing !== null) await this.#watch.close();
    }
    try {
      await this.#queue.push({ trigger: 'first', force: false, discardState: false });
    } catch (error) {
      if (!signal?.aborted) throw error;
    }
    // Also when it fired too late to stop the load: a handle that is closed already is of no use to who waits for it.
    if (signal?.aborted) throw errors.aborted({ addon: this.#shop.source, during: 'open' }, signal.reason);
  }

  #onChange(files: readonly string[]): void {
    if (this.#closing !== null) return;
    this.#shop.events.emit('changed', { files });
    void this.#queue.supersede({ trigger: 'watch', force: false, discardState: false });
  }

  async #run(request: ReloadRequest, signals: ReloadSignals): Promise<ReloadReport> {
    const context = { operation: 'reload', addon: this.#shop.source, trigger: request.trigger } as const;
    const { events } = this.#shop;
    try {
      const report = await trace(context, () => transact(this.#shop, request, signals));
      if (report.status === 'unchanged') events.emit('unchanged', report);
      else events.emit('reloaded', report);
      return report;
    } catch (cause) {
      const error =
        cause instanceof ReloadError
          ? cause
          : errors.internal({ addon: this.#shop.source, during: 'reload' }, cause);
      if (error.code !== 'ERR_ABORTED') events.emit('failed', error);
      throw error;
    } finally {
      await this.#watch?.refresh();
    }
  }

  async #close(): Promise<void> {
    const { live, stager, events, source } = this.#shop;
    await Promise.all([this.#queue.close(), this.#watch?.close()]);
    // Only now: a reload that was past its swap has changed it meanwhile.
    const { serving } = this.#shop;
    live.revoke(() => errors.closed({ addon: source, attempted: 'call an export' }));
    lookAtPinned(this.#shop);
    if (serving !== null) await retireVersion(this.#shop, serving, liveCode(serving).hooks);
    stager.close();
    events.emit('closed');
  }
}

/**
 * Opens an addon for reloading: stages the built file, loads the copy, and runs the addon's own hooks.
 *
 * @param file path of the built `.node` file, relative to the working directory
 * @throws {@link ReloadError}; most often `ERR_NOT_FOUND`, `ERR_NOT_AN_ADDON`, `ERR_BUILD_FAILED`
 * @example
 * ```ts
 * const kernel = await open<typeof import('./kernel.d.ts')>('build/Release/kernel.node', {
 *   build: 'node-gyp',
 *   watch: true,
 *   migrate: { 1: (state) => ({ ...state, variance: 0 }) },
 * });
 * kernel.on('failed', (error) => console.error(error.message));
 * ```
 */
export function open<T = unknown>(file: string, options: OpenOptions = {}): Promise<Addon<T>> {
  return Addon.open<T>(file, options, realOutside);
}

function resolveSource(file: unknown): SourcePath {
  if (typeof file === 'string' && file !== '' && !file.includes('\0'))
    return path.resolve(file) as SourcePath;
  throw errors.invalidOption({ option: 'file', found: String(file), wanted: 'the path of a .node file' });
}

async function openShop(source: SourcePath, options: Options, outside: Outside): Promise<Workshop> {
  const builder = await createBuilder(options.build, source, outside);
  return {
    source,
    options,
    outside,
    builder,
    budget,
    events: new Events(),
    stager: openStager(stagerOptions(source, options, builder !== null), outside),
    live: createLiveExports(source, outside.native),
    versions: [],
    pinned: new Map(),
    serving: null,
    nextId: 1,
    rejected: null,
  };
}

function stagerOptions(source: SourcePath, options: Options, writerEnds: boolean): StagerOptions {
  // Integrity is judged by the bytes as they came, so nothing may be done to them before.
  const examine = options.integrity === null;
  const rebind = options.reclaim !== 'never';
  const wanted = { examine, rebind, libraries: rebind || !examine };
  return { source, stageDir: options.stageDir, writerEnds, wanted };
}

const TRIGGER_RANK: Readonly<Record<ReloadRequest['trigger'], number>> = { watch: 0, call: 1, first: 2 };

function merge(older: ReloadRequest, newer: ReloadRequest): ReloadRequest {
  const trigger = TRIGGER_RANK[older.trigger] >= TRIGGER_RANK[newer.trigger] ? older.trigger : newer.trigger;
  return {
    trigger,
    force: older.force || newer.force,
    discardState: older.discardState || newer.discardState,
  };
}
