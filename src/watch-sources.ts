/** Which files a handle watches, and which of their changes are its own doing. */
import { isBuiltHere, noteProducts } from './build/turns.ts';
import { ChangeFilter, type FilterSubject } from './change-filter.ts';
import { describe } from './errors.ts';
import type { ResolvedWatch } from './options.ts';
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
  const builders = together.filter(({ builder }) => builder !== null);
  const filter = new ChangeFilter(subjectOf(shop, builders.length > 0), {
    onChange,
    onWarning: warn,
    after: (ms, callback) => void shop.outside.after(ms, callback),
  });
  // Those that build in one reload, from the first to the last, are one build here.
  builders.at(0)?.events.on('building', () => filter.buildBegan());
  builders.at(-1)?.events.on('built', () => filter.buildEnded());
  shop.events.on('failed', () => filter.buildEnded());
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

/** The handle as the filter sees it: its products are known by what serves and what was refused. */
function subjectOf(shop: Workshop, hasBuilds: boolean): FilterSubject {
  const { source, outside, builder } = shop;
  return {
    outside,
    hasBuilds,
    products: () => [source, ...shop.stager.looked],
    isKnown: (file, hash) =>
      [shop.serving, shop.rejected].some((contents) => {
        if (contents === null) return false;
        const parts = file === source ? [contents] : contents.libraries;
        return parts.some((part) => part.hash === hash);
      }),
    isBuiltHere: async (file) => builder !== null && isBuiltHere(builder.root, source, file, outside),
  };
}
