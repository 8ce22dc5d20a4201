/** The checks of `napi-reload/testing` as matchers of vitest. */
import { type Assertion, expect } from 'vitest';
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

/** What `expect` returns for an open handle or a kit. */
export interface ReloadAssertion<S> extends ReloadMatchers<S> {
  /** The same, turned round; of a kit with which nothing was tested, such as after a failed build, it fails as well. */
  readonly not: Assertion & ReloadMatchers<S>;
}

interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
  readonly actual?: unknown;
  readonly expected?: unknown;
}

/** Of what vitest calls a matcher with, what is asked here. */
interface Asked {
  readonly isNot: boolean;
}

/** Makes the matchers known to `expect`. The import of `napi-reload/vitest` does it. */
export function registerMatchers(): void {
  expect.extend({
    async toReload(subject: unknown, options?: ReloadOptions) {
      return resultOf(this, await checkReloads(subject, options));
    },
    async toKeepState(subject: unknown, read: (exports: never) => unknown, options?: ReloadOptions) {
      return resultOf(this, await checkKeepsState(subject, read, options));
    },
    async toUnload(subject: unknown, options?: UnloadOptions) {
      return resultOf(this, await checkUnloads(subject, options));
    },
    async toStayOnVersion(subject: unknown, id: number, options?: StayOptions) {
      return resultOf(this, await checkStaysOnVersion(subject, id, options));
    },
    async toLeakLessThan(subject: unknown, bytes: number, options?: LeakOptions) {
      return resultOf(this, await checkLeaksLessThan(subject, bytes, options));
    },
  });
}

/** Vitest turns `pass` round for `.not`, so that what was not tested must say that it passes there to fail. */
function resultOf({ isNot }: Asked, { holds, isRefuted, message, compared }: Verdict): MatcherResult {
  return { pass: isNot ? !isRefuted : holds, message: () => message(isNot), ...compared };
}
