/** A copy of an addon's project, built and opened: what a test edits, rebuilds and reloads. */
import type { Addon } from '../addon.ts';
import type { BuildOutcome } from '../build/builder.ts';
import { errors } from '../errors.ts';
import type { HostCrash } from '../events.ts';
import type { ReloadOptions } from '../reload-options.ts';
import type { ReloadReport } from '../report.ts';
import { awaitCrash } from './crash.ts';

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
    this.root = parts.root;
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
    this.#work('edit', (copy) => copy.edit(file, change));

  /** Writes a whole file of the copy, a new one or in place of one. @throws `ERR_INVALID_OPTION` outside of the root */
  readonly write = (file: string, content: string): Promise<void> =>
    this.#work('write', (copy) => copy.write(file, content));

  /**
   * Builds the copy, and reloads nothing.
   *
   * @throws `ERR_BUILD_FAILED`
   */
  readonly rebuild = (): Promise<BuildOutcome> =>
    this.#work('rebuild', (copy) => copy.build(this.#ending.signal));

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

  /** As `close()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** After the end the copy is another test's, so that nothing may come late. */
  async #work<R>(attempted: string, work: (copy: Copy) => Promise<R>): Promise<R> {
    const { addon } = this.#parts;
    if (this.#closed !== null) throw errors.closed({ addon: addon.current.source, attempted });
    const working = work(this.#parts);
    this.#working.add(working);
    try {
      return await working;
    } finally {
      this.#working.delete(working);
    }
  }

  async #close(): Promise<void> {
    const { addon } = this.#parts;
    this.#ending.abort();
    try {
      await addon.close();
    } finally {
      // A handle that does not close must not leave its copy.
      await Promise.allSettled(this.#working);
      await this.#parts.giveBack();
    }
  }
}

/** @internal What it is made of. */
export interface ReloadableParts<T> extends Copy {
  readonly addon: Addon<T>;
}

/** @internal The copy that it has until it is closed. */
export interface Copy {
  /** Absolute folder. */
  readonly root: string;
  edit(file: string, change: (text: string) => string): Promise<void>;
  write(file: string, content: string): Promise<void>;
  build(signal: AbortSignal): Promise<BuildOutcome>;
  giveBack(): Promise<void>;
}
