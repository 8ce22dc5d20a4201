/** Assertions about reloads, for node:test and any other runner. */
import { AssertionError } from 'node:assert';
import type { ReloadOptions } from '../reload-options.ts';
import type { ReloadedReport } from '../report.ts';
import {
  checkKeepsState,
  checkReloads,
  checkStaysOnVersion,
  checkUnloads,
  type StayOptions,
  type UnloadOptions,
  type Verdict,
} from './checks.ts';
import { checkLeaksLessThan, type LeakOptions } from './leak.ts';
import type { ExportsOf, Subject } from './subject.ts';

/**
 * Reloads, and asserts that a new version went live.
 *
 * @throws `AssertionError` when the reload is refused, or finds nothing new
 * @example
 * ```ts
 * const { state } = await assertReloads(kit.addon);
 * assert.equal(state, 'carried');
 * ```
 */
export async function assertReloads(subject: Subject, options?: ReloadOptions): Promise<ReloadedReport> {
  const verdict = demand(await checkReloads(subject, options), assertReloads);
  return verdict.report as ReloadedReport;
}

/**
 * Reads a state, reloads, and asserts that the new version has the same one.
 *
 * @param read returns the state, or a promise of it: something that `structuredClone` copies
 * @throws `AssertionError` when the state differs, or no new version went live
 * @example
 * ```ts
 * await assertKeepsState(kit.addon, (exports) => exports.total());
 * ```
 */
export async function assertKeepsState<S extends Subject>(
  subject: S,
  read: (exports: ExportsOf<S>) => unknown,
  options?: ReloadOptions,
): Promise<void> {
  demand(await checkKeepsState(subject, read, options), assertKeepsState);
}

/**
 * Reloads, and asserts that the version which was replaced leaves the memory. What only garbage holds is collected.
 *
 * @throws `AssertionError` with what pins it, or why it stays
 * @example
 * ```ts
 * await assertUnloads(kit.addon, { force: true });
 * ```
 */
export async function assertUnloads(subject: Subject, options?: UnloadOptions): Promise<void> {
  demand(await checkUnloads(subject, options), assertUnloads);
}

/**
 * Reloads, and asserts that this version serves afterwards: the reload was refused, or found nothing new.
 *
 * @throws `AssertionError` when another one serves, or the reload was not refused with `code`
 * @example
 * ```ts
 * await kit.edit('src/kernel.cc', (text) => text.replace(';', ''));
 * await assertStaysOnVersion(kit.addon, 1, { code: 'ERR_BUILD_FAILED' });
 * ```
 */
export async function assertStaysOnVersion(
  subject: Subject,
  id: number,
  options?: StayOptions,
): Promise<void> {
  demand(await checkStaysOnVersion(subject, id, options), assertStaysOnVersion);
}

/**
 * Reloads the same bytes many times, and asserts that resident memory outside of V8's heap grows by less than so many
 * bytes. Node.js and malloc take some kilobytes for each of the first few hundred reloads by themselves.
 *
 * @param bytes over all of the reloads
 * @throws `AssertionError` with what it grew by, and the versions that are still in memory
 * @example
 * ```ts
 * await assertLeaksLessThan(kit.addon, 4 * 2 ** 20, { reloads: 100 });
 * ```
 */
export async function assertLeaksLessThan(
  subject: Subject,
  bytes: number,
  options?: LeakOptions,
): Promise<void> {
  demand(await checkLeaksLessThan(subject, bytes, options), assertLeaksLessThan);
}

/** @param asked the function that a stack should begin with the caller of */
function demand(verdict: Verdict, asked: unknown): Verdict {
  if (verdict.holds) return verdict;
  const stackStartFn = asked as () => void;
  throw new AssertionError({
    message: verdict.message(false),
    ...verdict.compared,
    operator: 'fail',
    stackStartFn,
  });
}
