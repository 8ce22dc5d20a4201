/** Which files a handle watches, and which of their changes are its own doing. */
import { describe } from './errors.ts';
import type { ResolvedWatch } from './options.ts';
import type { Workshop } from './workshop.ts';
import { startWatcher } from './watch/watcher.ts';

export interface SourceWatch {
  /** Looks again at what the build reads. Never rejects. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Watches what the build reads, and the built file, which somebody may also build by hand.
 *
 * @throws `ERR_INVALID_OPTION` when there are too many files to watch them all
 */
export async function watchSources(
  shop: Workshop,
  options: ResolvedWatch,
  onChange: (files: readonly string[]) => void,
): Promise<SourceWatch> {
  const ownOutput = followOwnOutput(shop);
  const files = async (): Promise<readonly string[]> => [
    ...(options.paths ?? (await shop.builder?.inputs()) ?? []),
    shop.source,
  ];
  const watcher = await startWatcher(
    {
      files: await files(),
      ignore: options.ignore,
      debounceMs: options.debounceMs,
      onChange: (changed) => {
        void ownOutput.without(changed).then((foreign) => {
          if (foreign.length > 0) onChange(foreign);
        });
      },
      onWarning: (message, cause) => shop.events.emit('warning', { code: 'watch', message, cause }),
    },
    shop.outside,
  );
  return {
    async refresh() {
      // Inputs that cannot be read now, such as a binding.gyp in the middle of an edit, leave the old list in force.
      const now = await files().catch(() => null);
      if (now === null) return;
      await watcher.setFiles(now).catch((cause: unknown) => {
        const message = `Watching what the build reads now failed; changes may be missed: ${describe(cause)}`;
        shop.events.emit('warning', { code: 'watch', message, cause });
      });
    },
    close: () => watcher.close(),
  };
}

interface OwnOutput {
  without(changed: readonly string[]): Promise<readonly string[]>;
}

/** The handle's own build writes the watched file; that is no change to react to. */
function followOwnOutput({ builder, events, outside, source }: Workshop): OwnOutput {
  let building = false;
  let written: string | null = null;
  const stamp = async (): Promise<string | null> => {
    const stat = await outside.stat(source).catch(() => null);
    return stat === null ? null : `${stat.mtimeMs} ${stat.size}`;
  };
  events.on('building', () => {
    building = true;
  });
  const onEnd = (): void => {
    building = false;
    void stamp().then((now) => {
      written = now;
    });
  };
  events.on('built', onEnd);
  events.on('failed', onEnd);
  return {
    async without(changed) {
      if (builder === null || !changed.includes(source)) return changed;
      const own = building || (await stamp()) === written;
      return own ? changed.filter((file) => file !== source) : changed;
    },
  };
}
