/** The checks of `napi-reload/testing` as matchers of vitest. */
import { expect } from 'vitest';
import type { ReloadOptions } from '../reload-options.ts';
import {
  checkKeepsState,
  checkReloads,
  checkStaysOnVersion,
  checkUnloads,
  type StayOptions,
  type UnloadOptions,
  type Verdict,
} from '../testing/checks.ts';
import { checkLeaksLessThan, type LeakOptions } from '../testing/leak.ts';
import type { ExportsOf } from '../testing/subject.ts';

/**
 * What `expect(addon)` can be asked, of an open handle or a kit. Each reloads, so await it.
 *
 * @example
 * ```ts
 * await edit('src/kernel.cc', (text) => text.replace('sum += x', 'sum += 2 * x'));
 * await expect(addon).toKeepState((exports) => exports.total());
 * ```
 */
export interface ReloadMatchers<S = unknown> {
  /** A reload makes a new version live. */
  toReload(options?: ReloadOptions): Promise<void>;
  /** What `read` returns of the exports is the same before and after a reload. It must be what `structuredClone` copies. */
  toKeepState(read: (exports: ExportsOf<S>) => unknown, options?: ReloadOptions): Promise<void>;
  /** The version that a reload replaces leaves the memory. */
  toUnload(options?: UnloadOptions): Promise<void>;
  /** A reload is refused, or finds nothing new, and this version serves. */
  toStayOnVersion(id: number, options?: StayOptions): Promise<void>;
  /** Reloads of the same bytes let resident memory outside of V8's heap grow by less than so many bytes, all together. */
  toLeakLessThan(bytes: number, options?: LeakOptions): Promise<void>;
}

interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
  readonly actual?: unknown;
  readonly expected?: unknown;
}

/** Makes the matchers known to `expect`. The import of `napi-reload/vitest` does it. */
export function registerMatchers(): void {
  expect.extend({
    toReload: async (subject: unknown, options?: ReloadOptions) =>
      resultOf(await checkReloads(subject, options)),
    toKeepState: async (subject: unknown, read: (exports: never) => unknown, options?: ReloadOptions) =>
      resultOf(await checkKeepsState(subject, read, options)),
    toUnload: async (subject: unknown, options?: UnloadOptions) =>
      resultOf(await checkUnloads(subject, options)),
    toStayOnVersion: async (subject: unknown, id: number, options?: StayOptions) =>
      resultOf(await checkStaysOnVersion(subject, id, options)),
    toLeakLessThan: async (subject: unknown, bytes: number, options?: LeakOptions) =>
      resultOf(await checkLeaksLessThan(subject, bytes, options)),
  });
}

function resultOf({ holds, message, compared }: Verdict): MatcherResult {
  return { pass: holds, message, ...compared };
}
