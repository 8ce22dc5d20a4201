/** The handle that a user holds. What runs its reloads is given to it. */
import assert from 'node:assert/strict';
import type { Builder } from './build/builder.ts';
import { errors } from './errors.ts';
import type { AddonEvents, Listener } from './events.ts';
import type { FormerVersion, Goal } from './history.ts';
import type { Remote } from './isolate/remote.ts';
import { enrol } from './handles.ts';
import { openWorkshop, resolveSource, setUpWorkshop } from './open-workshop.ts';
import { type HostedOpenOptions, type OpenOptions, resolveOptions } from './options.ts';
import { type Outside, realOutside } from './outside.ts';
import {
  type ReloadOptions,
  type RollbackOptions,
  resolveReloadOptions,
  resolveRollback,
} from './reload-options.ts';
import type { ReloadReport } from './report.ts';
import { type HandleRunner, Runner } from './runner.ts';
import type { MemoryInfo } from './state/memory.ts';
import { trace } from './tracing.ts';
import { hostOf, type VersionInfo } from './version.ts';
import { describe, lookAtShared, type Workshop } from './workshop.ts';

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
  readonly #runner: HandleRunner;

  /** @internal Use {@link open}. */
  constructor(shop: Workshop, runner: HandleRunner) {
    this.#shop = shop;
    this.#runner = runner;
    enrol(this, shop.source);
  }

  /**
   * @internal Use {@link open}; `outside` is for tests, which make it fail.
   *
   * @param builder instead of the one that the options ask for
   */
  static async open<T>(
    file: string,
    options: OpenOptions | HostedOpenOptions,
    outside: Outside,
    builder: Builder | null = null,
  ): Promise<Addon<T>> {
    const resolved = resolveOptions(options);
    const source = resolveSource(file, 'file');
    return trace({ operation: 'open', addon: source, trigger: 'first' }, async () => {
      if (resolved.signal?.aborted)
        throw errors.aborted({ addon: source, during: 'open' }, resolved.signal.reason);
      const shop = await openWorkshop(source, resolved, outside, builder);
      const runner = new Runner({ shops: [shop], conclude: onlyReport });
      await runner.start();
      return new Addon<T>(shop, runner);
    });
  }

  /**
   * @internal Opened before it returns, for `require`. What is there is loaded, and versions run in this thread.
   *
   * @param adopted what the exports are to be, where they are a plain object
   * @throws {@link ReloadError} as {@link open} does
   */
  static openNow(file: string, options: OpenOptions, outside: Outside, adopted: object | null): Addon {
    const resolved = resolveOptions(options);
    const source = resolveSource(file, 'file');
    const shop = setUpWorkshop(source, resolved, outside, adopted);
    const runner = new Runner({ shops: [shop], conclude: onlyReport });
    try {
      runner.startNow();
    } catch (error) {
      void runner.close();
      throw error;
    }
    return new Addon(shop, runner);
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

  /** Memory that its versions asked for by `ctx.memory`, in the order in which it was made. Empty after `close()`. */
  memory(): readonly MemoryInfo[] {
    return this.#shop.memory.list();
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
    const { force, discardState, to } = resolveReloadOptions(options);
    const goal: Goal =
      to === null ? { kind: 'built' } : { kind: 'version', addon: this.#shop.source, id: to };
    return this.#runner.reload({ trigger: 'call', force, discardState, goal });
  }

  /**
   * Undoes the last change: makes the bytes that were live before it live once more, as a new version, with the state
   * carried back. Called again, it goes further back. Nothing is built, and a watcher does not go forward by itself until
   * the built file gets other bytes; `reload()` does.
   *
   * @throws {@link ReloadError} `ERR_NO_SUCH_VERSION` when nothing was live before, or `history()` does not have it any
   *   more; `ERR_STATE_SCHEMA` when no step leads down; else as `reload()` does
   * @example
   * ```ts
   * await kernel.rollback();
   * console.log(`v${kernel.current.id} is live`, kernel.history());
   * ```
   */
  async rollback(options: RollbackOptions = {}): Promise<ReloadReport> {
    const { discardState } = resolveRollback(options);
    const goal: Goal = { kind: 'before' };
    return this.#runner.reload({ trigger: 'call', force: true, discardState, goal });
  }

  /**
   * Bytes that are 0. With `isolation` 'worker' or 'process' they lie in memory that each host sees: as an argument an array
   * over them is shared, not copied, also after a reload. Others are copied once for each call.
   *
   * @example
   * ```ts
   * const samples = new Float64Array(kernel.allocate(8 * 1_000_000));
   * await kernel.exports.scale(samples, 2);
   * ```
   */
  allocate(byteLength: number): ArrayBuffer {
    return this.#shop.hosting?.hosts.allocate(byteLength) ?? new ArrayBuffer(byteLength);
  }

  /** @internal Whether a Worker or another process runs the version that serves. */
  get isHosted(): boolean {
    return hostOf(this.#shop.serving) !== null;
  }

  /**
   * @internal Ends what runs the version that serves, as a crash of it would; supervision goes on as for any other.
   *
   * @returns `inline` where that is this process, `down` where it has ended already; nothing is done then
   */
  crash(): 'crashed' | 'inline' | 'down' {
    const host = hostOf(this.#shop.serving);
    if (host === null) return 'inline';
    return host.crash() ? 'crashed' : 'down';
  }

  /** The versions that `rollback()` and `reload({ to })` can go back to, oldest first; none after `close()`. */
  history(): readonly FormerVersion[] {
    return this.#shop.history.former.map(({ info }) => info);
  }

  /**
   * Has a listener called for each event of that name. What it throws, or rejects with, becomes a process warning.
   *
   * @returns the handle
   * @example
   * ```ts
   * kernel.on('reloaded', ({ to, state }) => console.log(`v${to} is live, its state ${state}`));
   * ```
   */
  on<K extends keyof AddonEvents>(event: K, listener: Listener<K>): this {
    this.#shop.events.on(event, listener);
    return this;
  }

  /**
   * Has a listener called for the next event of that name alone.
   *
   * @returns the handle
   * @example
   * ```ts
   * kernel.once('swapped', ({ from }) => console.log(`v${from} was the first`));
   * ```
   */
  once<K extends keyof AddonEvents>(event: K, listener: Listener<K>): this {
    this.#shop.events.once(event, listener);
    return this;
  }

  /**
   * Takes a listener off again, one of `on` or of `once`. One that was never put on is no error.
   *
   * @returns the handle
   * @example
   * ```ts
   * const tell = ({ files }: { readonly files: readonly string[] }): void => console.log(files.join());
   * kernel.on('changed', tell).off('changed', tell);
   * ```
   */
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
    return this.#runner.close();
  }

  /** As `close()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
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
 *   migrate: { 1: (state: object) => ({ ...state, variance: 0 }) },
 * });
 * kernel.on('failed', (error) => console.error(error.message));
 * ```
 */
export function open<T = unknown>(file: string, options: HostedOpenOptions): Promise<Addon<Remote<T>>>;
export function open<T = unknown>(
  file: string,
  options: OpenOptions & { readonly fallback: 'process' },
): Promise<Addon<T | Remote<T>>>;
export function open<T = unknown>(file: string, options?: OpenOptions): Promise<Addon<T>>;
export function open<T>(file: string, options: OpenOptions | HostedOpenOptions = {}): Promise<Addon<T>> {
  return Addon.open<T>(file, options, realOutside);
}

function onlyReport([report]: readonly ReloadReport[]): ReloadReport {
  assert(report !== undefined);
  return report;
}
