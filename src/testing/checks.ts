/** What can be asked of a reload. Each asks for one, and says what came of it. */
import { isDeepStrictEqual } from 'node:util';
import { describe, type ErrorCode } from '../errors.ts';
import { invalid, milliseconds, show, wholeNumber } from '../option-checks.ts';
import type { ReloadOptions } from '../reload-options.ts';
import type { ReloadedReport } from '../report.ts';
import { type Attempt, attemptReload } from './attempt.ts';
import { explain, explainRetired } from './explain.ts';
import { handleOf } from './subject.ts';
import { awaitUnload } from './unload.ts';

/** Whether it holds, and the words for either case. */
export interface Verdict {
  readonly holds: boolean;
  /** Why it does not hold; where it does, what a test saw that wanted it not to. */
  message(): string;
  /** What is compared, where something is. */
  readonly compared?: { readonly actual: unknown; readonly expected: unknown };
  /** Of the reload that was made; null where it was refused, or nothing was new. */
  readonly report: ReloadedReport | null;
}

/** Of {@link assertUnloads} and `toUnload`. */
export interface UnloadOptions extends ReloadOptions {
  /** How long a version may take that is held by what is garbage already, or by work that ends. @defaultValue 1000 */
  readonly withinMs?: number;
}

/** Of {@link assertStaysOnVersion} and `toStayOnVersion`. */
export interface StayOptions extends ReloadOptions {
  /** What the reload must be refused with; without it, one that finds nothing new will do. */
  readonly code?: ErrorCode;
}

const UNLOAD_WITHIN_MS = 1_000;

/** That a reload makes a new version live. */
export async function checkReloads(subject: unknown, options: ReloadOptions = {}): Promise<Verdict> {
  return verdict(await attemptReload(handleOf(subject), options), 'a new version to go live', () => true);
}

/** That what is read before a reload is read after it, too. */
export async function checkKeepsState(
  subject: unknown,
  read: (exports: never) => unknown,
  options: ReloadOptions = {},
): Promise<Verdict> {
  const addon = handleOf(subject);
  if (typeof read !== 'function') invalid('read', show(read), 'a function of the exports');
  const expected = copyOf(await read(addon.exports as never));
  if (expected === undefined) invalid('read', 'a function that returned nothing', 'one that returns a state');
  const attempt = await attemptReload(addon, options);
  if (!isReloaded(attempt)) return verdict(attempt, 'state to be kept over a reload', () => false);
  const actual = copyOf(await read(addon.exports as never));
  const holds = isDeepStrictEqual(actual, expected);
  const wanted = 'state to be kept over a reload';
  return { ...verdict(attempt, wanted, () => holds), ...(holds ? {} : { compared: { actual, expected } }) };
}

/** That the version which is replaced leaves the memory. */
export async function checkUnloads(
  subject: unknown,
  { withinMs, ...options }: UnloadOptions = {},
): Promise<Verdict> {
  const addon = handleOf(subject);
  const boundMs = milliseconds('withinMs', withinMs, UNLOAD_WITHIN_MS);
  const attempt = await attemptReload(addon, options);
  const retired = isReloaded(attempt) ? attempt.report.retired : null;
  const isGone =
    retired?.outcome === 'unloaded' ||
    (retired?.outcome === 'pinned' && (await awaitUnload(addon, retired.id, boundMs)));
  const found = verdict(attempt, 'the version that was replaced to be unloaded', () => isGone);
  if (found.report === null) return found;
  const { report } = found;
  const seen = isGone ? `version ${retired?.id} was unloaded` : explainRetired(report);
  return { ...found, message: () => `${found.message()}\n  found: ${seen}` };
}

/** That a reload is refused, or finds nothing new, and this version serves. */
export async function checkStaysOnVersion(
  subject: unknown,
  id: number,
  { code, ...options }: StayOptions = {},
): Promise<Verdict> {
  const addon = handleOf(subject);
  wholeNumber('version', id, 1) ?? invalid('version', 'nothing', 'the number of a version');
  const attempt = await attemptReload(addon, options);
  const { current } = addon;
  const found = attempt.kind === 'refused' ? attempt.error.code : null;
  const holds = current.id === id && current.state === 'live' && (code === undefined || found === code);
  const wanted = `version ${id} to serve after a reload${code === undefined ? '' : ` that is refused with ${code}`}`;
  return {
    holds,
    report: isReloaded(attempt) ? attempt.report : null,
    message: () => `${expected(holds, wanted)}; version ${current.id} serves\n${explain(attempt)}`,
  };
}

/** What is live may change with the version. */
function copyOf(state: unknown): unknown {
  try {
    return structuredClone(state);
  } catch (cause) {
    return invalid(
      'read',
      `a function that returned what is no data: ${describe(cause)}`,
      'one that returns data',
    );
  }
}

function verdict(attempt: Attempt, wanted: string, holds: () => boolean): Verdict {
  const report = isReloaded(attempt) ? attempt.report : null;
  const doesHold = report !== null && holds();
  return { holds: doesHold, report, message: () => `${expected(doesHold, wanted)}\n${explain(attempt)}` };
}

/** @param holds whether it does, and a test complains that it should not */
export function expected(holds: boolean, wanted: string): string {
  return `Expected ${holds ? 'not ' : ''}${wanted}`;
}

function isReloaded(attempt: Attempt): attempt is Attempt & { readonly report: ReloadedReport } {
  return attempt.kind === 'done' && attempt.report.status === 'reloaded';
}
