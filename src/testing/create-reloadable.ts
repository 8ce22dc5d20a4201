/** A kit for one test file, or for one test. */
import type { Remote } from '../isolate/remote.ts';
import { Bench } from './copy/bench.ts';
import { openOn } from './copy/open-on.ts';
import { type HostedReloadableOptions, type ReloadableOptions, resolveKit } from './options.ts';
import type { Reloadable } from './reloadable.ts';

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
