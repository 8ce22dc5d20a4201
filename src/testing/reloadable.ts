/** A copy of an addon's project, built and opened: what a test edits, rebuilds and reloads. */
import os from 'node:os';
import path from 'node:path';
import { Addon } from '../addon.ts';
import type { BuildOutcome } from '../build/builder.ts';
import { errors } from '../errors.ts';
import type { HostCrash } from '../events.ts';
import type { Remote } from '../isolate/remote.ts';
import { invalid, show } from '../option-checks.ts';
import type { OpenOptions } from '../options.ts';
import { realOutside } from '../outside.ts';
import type { ReloadOptions } from '../reload-options.ts';
import type { ReloadReport } from '../report.ts';
import { Bench, type Place } from './bench.ts';
import { awaitCrash } from './crash.ts';
import { isNoExec } from './noexec.ts';
import { type HostedReloadableOptions, type ReloadableOptions, resolveKit } from './options.ts';

/**
 * What {@link createReloadable} makes: the open handle of a copy, and what can be done to the copy. Its functions may be
 * taken off it.
 */
export class Reloadable<T = unknown> {
  /** The open handle. Its `reload()` builds the copy first. */
  readonly addon: Addon<T>;
  /** Absolute folder of the copy. Its sources are written by `edit` and `write` alone. */
  readonly root: string;
  readonly #parts: ReloadableParts<T>;
  /** Ends builds that the test has not waited for. */
  readonly #ending = new AbortController();
  readonly #working = new Set<Promise<unknown>>();
  #closed: Promise<void> | null = null;

  /** @internal Use {@link createReloadable}. */
  constructor(parts: ReloadableParts<T>) {
    this.addon = parts.addon;
    this.root = parts.place.workspace.root;
    this.#parts = parts;
  }

  /**
   * Changes a file of the copy. Nothing is built yet.
   *
   * @param file relative to the root of the project
   * @param change gets the text of the file, and returns the new one
   * @throws `ERR_INVALID_OPTION` when there is no such file, it is no text, or the text stays as it is
   * @example
   * ```ts
   * await kit.edit('src/kernel.cc', (text) => text.replace('sum += x', 'sum += 2 * x'));
   * ```
   */
  readonly edit = (file: string, change: (text: string) => string): Promise<void> =>
    this.#work('edit', ({ workspace }) => workspace.edit(file, change));

  /** Writes a whole file of the copy, a new one or in place of one. @throws `ERR_INVALID_OPTION` outside of the root */
  readonly write = (file: string, content: string): Promise<void> =>
    this.#work('write', ({ workspace }) => workspace.write(file, content));

  /**
   * Builds the copy, and reloads nothing.
   *
   * @throws `ERR_BUILD_FAILED`
   */
  readonly rebuild = (): Promise<BuildOutcome> =>
    this.#work('rebuild', (place) => this.#parts.bench.build(place, this.#ending.signal));

  /** As `addon.reload()`: builds the copy and makes what was built live. */
  readonly reload = (options?: ReloadOptions): Promise<ReloadReport> => this.addon.reload(options);

  /**
   * Ends what runs the live version, as a crash of it would (a process by SIGKILL), and waits until it runs again or was
   * given up.
   *
   * @throws `ERR_INVALID_OPTION` with `isolation: 'inline'`, where a crash would end the process of the test itself
   */
  readonly crash = (): Promise<HostCrash> => awaitCrash(this.addon as Addon);

  /** Closes the handle, and removes the copy. Safe to call twice. */
  readonly close = (): Promise<void> => {
    this.#closed ??= this.#close();
    return this.#closed;
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** After the end the copy is another test's, so that nothing may come late. */
  async #work<R>(attempted: string, work: (place: Place) => Promise<R>): Promise<R> {
    const { addon, place } = this.#parts;
    if (this.#closed !== null) throw errors.closed({ addon: addon.current.source, attempted });
    const working = work(place);
    this.#working.add(working);
    try {
      return await working;
    } finally {
      this.#working.delete(working);
    }
  }

  async #close(): Promise<void> {
    const { addon, bench, place, onClosed } = this.#parts;
    this.#ending.abort();
    try {
      await addon.close();
    } finally {
      // A handle that does not close must not leave its copy.
      await Promise.allSettled(this.#working);
      await bench.give(place).finally(onClosed);
    }
  }
}

/** @internal */
export interface ReloadableParts<T> {
  readonly addon: Addon<T>;
  readonly bench: Bench;
  readonly place: Place;
  readonly onClosed: () => Promise<void>;
}

/**
 * Copies a project, builds the copy and opens its addon. What is in the project itself is only read; the built file is
 * kept by what it was made from, so that the next run need not build it.
 *
 * @throws {@link ReloadError} as {@link open} does, most often `ERR_BUILD_FAILED`; `ERR_INVALID_OPTION` when nothing
 *   can be copied
 * @example
 * ```ts
 * await using kit = await createReloadable({ addon: 'build/Release/kernel.node', source: 'src', build: 'node-gyp' });
 * await kit.edit('src/kernel.cc', (text) => text.replace('sum += x', 'sum += 2 * x'));
 * await assertKeepsState(kit.addon, (exports) => exports.total());
 * ```
 */
export function createReloadable<T = unknown>(
  options: HostedReloadableOptions,
): Promise<Reloadable<Remote<T>>>;
export function createReloadable<T = unknown>(options: ReloadableOptions): Promise<Reloadable<T>>;
export async function createReloadable<T>(
  options: ReloadableOptions | HostedReloadableOptions,
): Promise<Reloadable<T>> {
  const bench = new Bench(resolveKit(options));
  try {
    return await openOn<T>(bench, () => bench.end());
  } catch (error) {
    await bench.end();
    throw error;
  }
}

/** The builder is given; this only says that there is one. */
const BUILT_BY_THE_KIT = 'auto';

/**
 * Opens the addon of a copy.
 *
 * @param onClosed called when the copy was given back
 * @throws {@link ReloadError} as {@link createReloadable} does; the copy was given back then
 */
export async function openOn<T>(
  bench: Bench,
  onClosed: () => Promise<void> = async () => undefined,
): Promise<Reloadable<T>> {
  const place = await bench.take();
  const { root, folder } = place.workspace;
  const { addon: name, open: given } = bench.kit;
  try {
    if (given['stageDir'] === undefined && isNoExec(folder)) {
      const found = `none, and temporary files in ${show(os.tmpdir())}, which is mounted "noexec"`;
      invalid('stageDir', found, 'a folder from which code can be loaded, or TMPDIR set to one');
    }
    const options = {
      stageDir: path.join(folder, 'stage'),
      ...(given as OpenOptions),
      build: BUILT_BY_THE_KIT,
    };
    const addon = await Addon.open<T>(
      path.join(root, name),
      options as OpenOptions,
      realOutside,
      place.builder,
    );
    return new Reloadable<T>({ addon, bench, place, onClosed });
  } catch (error) {
    await bench.give(place);
    throw error;
  }
}
