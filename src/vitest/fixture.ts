/** A test function of vitest that has a copy of an addon's project. */
import { afterAll, beforeAll, type TestAPI, test } from 'vitest';
import type { Addon } from '../addon.ts';
import type { Remote } from '../isolate/remote.ts';
import { Bench } from '../testing/copy/bench.ts';
import { openOn } from '../testing/copy/open-on.ts';
import { type HostedReloadableOptions, type ReloadableOptions, resolveKit } from '../testing/options.ts';
import type { Reloadable } from '../testing/reloadable.ts';

/** What a test of {@link reloadable} may ask for. No two tests have the same copy at the same time. */
export interface ReloadableFixtures<T = unknown> {
  /** All of it in one. */
  kit: Reloadable<T>;
  /** The open handle. Its `reload()` builds the copy first. */
  addon: Addon<T>;
  /** Changes a file of the copy. See {@link Reloadable.edit}. */
  edit: Reloadable['edit'];
  /** Writes a whole file of the copy. */
  write: Reloadable['write'];
  /** Builds the copy, and reloads nothing. */
  rebuild: Reloadable['rebuild'];
  /** Builds the copy, and makes what was built live. */
  reload: Reloadable['reload'];
  /** Ends what runs the live version. See {@link Reloadable.crash}. */
  crash: Reloadable['crash'];
}

/** What belongs to a whole file, and tests need not ask for. */
interface Fixtures extends ReloadableFixtures {
  benchOfFile: Bench;
}

/** More than the build itself may take: the copy before it, and the end of a build that is stopped. */
const AROUND_BUILD_MS = 30_000;

/**
 * Makes a test function whose tests may edit, rebuild and reload an addon. The addon is built before the first test of the
 * file, unless a run before has built the same.
 *
 * @throws {@link ReloadError} `ERR_INVALID_OPTION` for what cannot be used
 * @example
 * ```ts
 * import { reloadable } from 'napi-reload/vitest';
 * import { expect } from 'vitest';
 *
 * const test = reloadable<Kernel>({ addon: 'build/Release/kernel.node', source: 'src', build: 'node-gyp' });
 *
 * test('keeps its total', async ({ addon, edit }) => {
 *   addon.exports.add(2);
 *   await edit('src/kernel.cc', (text) => text.replace('sum += x', 'sum += 2 * x'));
 *   await expect(addon).toKeepState((exports) => exports.total());
 * });
 * ```
 */
export function reloadable<T = unknown>(
  options: HostedReloadableOptions,
): TestAPI<ReloadableFixtures<Remote<T>>>;
export function reloadable<T = unknown>(options: ReloadableOptions): TestAPI<ReloadableFixtures<T>>;
export function reloadable(
  options: ReloadableOptions | HostedReloadableOptions,
): TestAPI<ReloadableFixtures> {
  const bench = new Bench(resolveKit(options, rootOfVitest()));
  beforeAll(() => bench.prepare(), bench.kit.buildTimeoutMs + AROUND_BUILD_MS);
  afterAll(() => bench.end());
  return test.extend<Fixtures>({
    // Where files are not isolated, a test function of a module that they share has hooks in the first of them alone.
    benchOfFile: [
      // biome-ignore lint/correctness/noEmptyPattern: vitest reads from it what a fixture needs
      async ({}, use) => {
        bench.begin();
        await use(bench);
        await bench.end();
      },
      { scope: 'file' },
    ],
    kit: async ({ benchOfFile }, use) => {
      await using kit = await openOn(benchOfFile);
      await use(kit);
    },
    addon: ({ kit }, use) => use(kit.addon),
    edit: ({ kit }, use) => use(kit.edit),
    write: ({ kit }, use) => use(kit.write),
    rebuild: ({ kit }, use) => use(kit.rebuild),
    reload: ({ kit }, use) => use(kit.reload),
    crash: ({ kit }, use) => use(kit.crash),
  }) as unknown as TestAPI<ReloadableFixtures>;
}

/**
 * The root of the project of vitest that runs this file: with `--root`, and in a workspace, that is not the working directory.
 * Vitest 4 and 5 tell it to tests by no function, only in the state of a worker.
 */
function rootOfVitest(): string | undefined {
  const worker: unknown = Reflect.get(globalThis, '__vitest_worker__');
  const root = propertyOf(propertyOf(worker, 'config'), 'root');
  return typeof root === 'string' ? root : undefined;
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
