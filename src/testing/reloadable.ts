/** A copy of an addon's project, built and opened: what a test edits, rebuilds and reloads. */
import path from 'node:path';
import { Addon } from '../addon.ts';
import type { BuildOutcome, Builder } from '../build/builder.ts';
import { createBuilder } from '../build/create-builder.ts';
import type { ResolvedBuild } from '../build-options.ts';
import type { HostCrash } from '../events.ts';
import type { Remote } from '../isolate/remote.ts';
import { invalid } from '../option-checks.ts';
import type { OpenOptions } from '../options.ts';
import { realOutside } from '../outside.ts';
import type { ReloadOptions } from '../reload-options.ts';
import type { ReloadReport } from '../report.ts';
import { openCache } from './build-cache.ts';
import { awaitCrash } from './crash.ts';
import { KeptBuilder } from './kept-builder.ts';
import {
  type HostedReloadableOptions,
  type ReloadableOptions,
  type ResolvedKit,
  resolveKit,
} from './options.ts';
import { Workspace } from './workspace.ts';

/**
 * What {@link createReloadable} makes: the open handle of a copy, and what can be done to the copy. Its functions may be
 * taken off it.
 */
export class Reloadable<T = unknown> {
  /** The open handle. Its `reload()` builds the copy first. */
  readonly addon: Addon<T>;
  /** Absolute folder of the copy. Its sources are written by `edit` and `write` alone. */
  readonly root: string;
  readonly #workspace: Workspace;
  readonly #build: () => Promise<BuildOutcome>;

  /** @internal Use {@link createReloadable}. */
  constructor(addon: Addon<T>, workspace: Workspace, build: () => Promise<BuildOutcome>) {
    this.addon = addon;
    this.root = workspace.root;
    this.#workspace = workspace;
    this.#build = build;
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
    this.#workspace.edit(file, change);

  /** Writes a whole file of the copy, a new one or in place of one. @throws `ERR_INVALID_OPTION` outside of the root */
  readonly write = (file: string, content: string): Promise<void> => this.#workspace.write(file, content);

  /**
   * Builds the copy, and reloads nothing.
   *
   * @throws `ERR_BUILD_FAILED`
   */
  readonly rebuild = (): Promise<BuildOutcome> => this.#build();

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
  readonly close = async (): Promise<void> => {
    await this.addon.close();
    await this.#workspace.remove();
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
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
  const kit = resolveKit(options);
  const workspace = await Workspace.create(kit);
  try {
    const builder = await makeBuilder(kit, workspace);
    const stageDir = path.join(workspace.folder, 'stage');
    const addon = await Addon.open<T>(
      path.join(workspace.root, kit.addon),
      { stageDir, ...(kit.open as OpenOptions), build: BUILT_BY_THE_KIT },
      realOutside,
      builder,
    );
    return new Reloadable(addon, workspace, () => buildNow(builder, kit));
  } catch (error) {
    await workspace.remove();
    throw error;
  }
}

/** The builder is given; this only says that there is one. */
const BUILT_BY_THE_KIT = 'auto';

/**
 * Builds a copy and removes it, so that what was built is kept. Does nothing where nothing is kept.
 *
 * @throws `ERR_BUILD_FAILED`
 */
export async function buildAhead(options: ReloadableOptions | HostedReloadableOptions): Promise<void> {
  const kit = resolveKit(options);
  if (kit.cache === false) return;
  const workspace = await Workspace.create(kit);
  try {
    await buildNow(await makeBuilder(kit, workspace), kit);
  } finally {
    await workspace.remove();
  }
}

async function makeBuilder(kit: ResolvedKit, workspace: Workspace): Promise<Builder> {
  const source = path.join(workspace.root, kit.addon) as Parameters<typeof createBuilder>[1];
  const builder = await createBuilder(inCopy(kit.build, workspace.root), source, realOutside);
  if (builder === null) return invalid('build', 'none', 'a builder');
  return new KeptBuilder(builder, { kit, workspace, cache: await openCache(kit) });
}

/** A command runs in the root of the copy where it names no folder: none above the copy is one of its project. */
function inCopy(build: ResolvedBuild, root: string): ResolvedBuild {
  if (build.kind === 'none') return build;
  if (build.cwd !== null) return { ...build, cwd: path.join(root, build.cwd) };
  return build.kind === 'command' ? { ...build, cwd: root } : build;
}

function buildNow(builder: Builder, { buildTimeoutMs }: ResolvedKit): Promise<BuildOutcome> {
  const signal = new AbortController().signal;
  return builder.build({ signal, timeoutMs: buildTimeoutMs, onProgress: () => undefined });
}
