/** What can be asked of a reload. Each asks for one, and says what came of it. */
import { isDeepStrictEqual } from 'node:util';
import { describe, type ErrorCode, errors } from '../errors.ts';
import { nearest } from '../nearest.ts';
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
  /** Whether the opposite does: neither where there was nothing to see. */
  readonly isRefuted: boolean;
  /**
   * Why it does not hold.
   *
   * @param isNot why the opposite does not
   */
  message(isNot: boolean): string;
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
  const attempt = await attemptReload(handleOf(subject), options);
  const found = verdict(attempt, 'a new version to go live', () => true);
  // That is what is asked: a refusal answers it.
  return { ...found, isRefuted: !found.holds };
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
  return { ...found, message: (isNot) => `${found.message(isNot)}\n  found: ${seen}` };
}

/** That a reload is refused, or finds nothing new, and this version serves. */
export async function checkStaysOnVersion(
  subject: unknown,
  id: number,
  { code, ...options }: StayOptions = {},
): Promise<Verdict> {
  const addon = handleOf(subject);
  wholeNumber('version', id, 1) ?? invalid('version', 'nothing', 'the number of a version');
  checkCode(code);
  const attempt = await attemptReload(addon, options);
  const { current } = addon;
  const found = attempt.kind === 'refused' ? attempt.error.code : null;
  const holds = current.id === id && current.state === 'live' && (code === undefined || found === code);
  const wanted = `version ${id} to serve after a reload${code === undefined ? '' : ` that is refused with ${code}`}`;
  return {
    holds,
    // Of one that is refused with another code nothing is known but that.
    isRefuted: current.id !== id,
    report: isReloaded(attempt) ? attempt.report : null,
    message: (isNot) => {
      const asked = isNot
        ? `Expected another version than ${id} to serve after a reload`
        : expected(false, wanted);
      return `${asked}; version ${current.id} serves\n${explain(attempt)}`;
    },
  };
}

/** The names of their factories are those of the codes. */
const CODES: ReadonlySet<string> = new Set(
  Object.keys(errors).map((name) => `ERR_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`),
);

function checkCode(code: unknown): void {
  if (code === undefined || (typeof code === 'string' && CODES.has(code))) return;
  const meant = typeof code === 'string' ? nearest(code, [...CODES]) : null;
  invalid(
    'code',
    show(code),
    meant === null ? 'a code of an error' : `a code of an error; did you mean ${show(meant)}?`,
  );
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
  return {
    holds: doesHold,
    isRefuted: report !== null && !doesHold,
    report,
    message(isNot) {
      const untested = 'a new version to go live, without which there is nothing to test';
      return `${isNot && report === null ? `Expected ${untested}` : expected(isNot, wanted)}\n${explain(attempt)}`;
    },
  };
}

/** @param isNot whether a test complains that it is so */
export function expected(isNot: boolean, wanted: string): string {
  return `Expected ${isNot ? 'not ' : ''}${wanted}`;
}

function isReloaded(attempt: Attempt): attempt is Attempt & { readonly report: ReloadedReport } {
  return attempt.kind === 'done' && attempt.report.status === 'reloaded';
}
