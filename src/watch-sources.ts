/** Which files a handle watches, and which of their changes are its own doing. */
import { hasChangedSince } from './build/files.ts';
import { isBuiltHere, noteProducts, stampOf, stampsOf } from './build/turns.ts';
import { describe } from './errors.ts';
import type { ResolvedWatch } from './options.ts';
import { BuildChanges, hashOf } from './watch/build-changes.ts';
import { Restarts } from './watch/restarts.ts';
import { startWatcher, type Watcher } from './watch/watcher.ts';
import type { Workshop } from './workshop.ts';

export interface SourceWatch {
  /** Looks again at what the build reads. Never rejects. */
  refresh(): Promise<void>;
  /** Tells of what has changed since it was staged, for a watch that began after that. */
  findMissed(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Watches what the build reads, and the built file, which somebody may also build by hand.
 *
 * @param together the handles that reload with this one, itself among them, in their order
 * @throws `ERR_INVALID_OPTION` when there are too many files to watch them all
 */
export async function watchSources(
  shop: Workshop,
  together: readonly Workshop[],
  options: ResolvedWatch,
  onChange: (files: readonly string[]) => void,
): Promise<SourceWatch> {
  const warn = (message: string, cause?: unknown) =>
    shop.events.emit('warning', { code: 'watch', message, ...(cause === undefined ? {} : { cause }) });
  const filter = new ChangeFilter(
    shop,
    together.filter(({ builder }) => builder !== null),
    new Restarts({
      onChange,
      onWarning: warn,
      after: (ms, callback) => void shop.outside.after(ms, callback),
    }),
  );
  const files = async (): Promise<readonly string[]> => [
    ...(options.paths ?? (await shop.builder?.inputs()) ?? []),
    shop.source,
    ...shop.stager.looked,
  ];
  const { ignore, debounceMs, persistent } = options;
  let watched = await files();
  const watcher: Watcher = await startWatcher(
    {
      ...{ files: watched, ignore, debounceMs, persistent },
      onChange: (changed) => filter.push(changed),
      onWarning: warn,
    },
    shop.outside,
  );
  return {
    async refresh() {
      // Inputs that cannot be read now, such as a binding.gyp in the middle of an edit, leave the old list in force.
      const now = await files().catch(() => null);
      if (now === null) return;
      const { builder, source, stager } = shop;
      if (builder !== null) noteProducts(builder.root, source, stager.looked);
      const before = new Set(watched);
      watched = now;
      await watcher.setFiles(now).catch((cause: unknown) => {
        warn(`Watching what the build reads now failed; changes may be missed: ${describe(cause)}`, cause);
      });
      // Nobody told of what changed in a file between the start of the build that first read it and now.
      const added = now.filter((file) => !before.has(file));
      if (options.paths === null) await filter.pushLate(added);
      await filter.pushOthers(added.filter((file) => stager.looked.includes(file)));
    },
    findMissed: () => filter.pushOthers([shop.source, ...shop.stager.looked]),
    close: () => watcher.close(),
  };
}

/** Drops what the builds of the handle, and of those that reload or build with it, have written. */
class ChangeFilter {
  readonly #shop: Workshop;
  /** Whether anybody builds. */
  readonly #hasBuilds: boolean;
  readonly #changes: BuildChanges;
  readonly #restarts: Restarts;
  /** Judging reads files; one list at a time, so that none overtakes another. */
  #judged: Promise<void> = Promise.resolve();
  /** Time and size of the addon and its libraries as the last builds left them. */
  #left: Promise<ReadonlyMap<string, string | null>> = Promise.resolve(new Map());

  /** @param builders the handles that build in one reload, from the first to the last: together they are one build here */
  constructor(shop: Workshop, builders: readonly Workshop[], restarts: Restarts) {
    this.#shop = shop;
    this.#hasBuilds = builders.length > 0;
    this.#changes = new BuildChanges(shop.outside);
    this.#restarts = restarts;
    builders.at(0)?.events.on('building', () => {
      this.#changes.begin();
      restarts.begin();
    });
    builders.at(-1)?.events.on('built', () => this.#end());
    shop.events.on('failed', () => this.#end());
  }

  push(changed: readonly string[]): void {
    this.#judged = this.#judged.then(() => this.#judge(changed));
  }

  /** Tells of those that have changed since the last build began. */
  async pushLate(files: readonly string[]): Promise<void> {
    const { outside } = this.#shop;
    const late: string[] = [];
    for (const file of files) {
      if (await hasChangedSince(outside, file, this.#changes.startedMs)) late.push(file);
    }
    if (late.length > 0) this.push(late);
  }

  /** Tells of the addon and private libraries that changed after they were staged, before they were watched. */
  async pushOthers(files: readonly string[]): Promise<void> {
    const { outside } = this.#shop;
    for (const file of files) {
      const hash = await hashOf(outside, file);
      if (hash !== null && !this.#isKnown(file, hash)) this.push([file]);
    }
  }

  /** A failure after the build is no second end of it. */
  #end(): void {
    if (!this.#changes.isBuilding) return;
    this.#left = stampsOf(this.#products(), this.#shop.outside);
    this.#changes.end();
    this.#restarts.end();
  }

  async #judge(changed: readonly string[]): Promise<void> {
    if (!this.#hasBuilds) return this.#restarts.changedOutside(changed);
    const products = new Set(this.#products());
    const { files, inBuild } = await this.#changes.judge(changed.filter((file) => !products.has(file)));
    const foreign: string[] = [];
    for (const file of changed) {
      if (products.has(file) && (await this.#isForeign(file))) foreign.push(file);
    }
    if (foreign.length > 0) this.#restarts.changedOutside([...files, ...foreign].sort());
    else if (files.length > 0 && inBuild) this.#restarts.changedInside(files);
    else if (files.length > 0) this.#restarts.changedOutside(files);
  }

  #products(): readonly string[] {
    return [this.#shop.source, ...this.#shop.stager.looked];
  }

  /** Whether somebody else has put other bytes there than those that serve, or were refused. */
  async #isForeign(file: string): Promise<boolean> {
    const { source, builder, outside } = this.#shop;
    if (this.#changes.isBuilding) return false;
    if (builder !== null && (await isBuiltHere(builder.root, source, file, outside))) return false;
    const left = (await this.#left).get(file);
    if (left !== undefined && left === (await stampOf(file, outside))) return false;
    const hash = await hashOf(outside, file);
    return hash === null || !this.#isKnown(file, hash);
  }

  #isKnown(file: string, hash: string): boolean {
    const { source, serving, rejected } = this.#shop;
    return [serving, rejected].some((contents) => {
      if (contents === null) return false;
      const parts = file === source ? [contents] : contents.libraries;
      return parts.some((part) => part.hash === hash);
    });
  }
}
