/** How much memory reloads keep. */
import v8 from 'node:v8';
import type { Addon } from '../addon.ts';
import { invalid, onlyKeys, show, wholeNumber } from '../option-checks.ts';
import { attemptReload } from './attempt.ts';
import { expected, type Verdict } from './checks.ts';
import { explain, explainVersions } from './explain.ts';
import { collectGarbage } from './garbage.ts';
import { handleOf } from './subject.ts';

/** Of {@link assertLeaksLessThan} and `toLeakLessThan`. */
export interface LeakOptions {
  /** Over how many reloads of the same bytes. @defaultValue 50 */
  readonly reloads?: number;
}

const RELOADS = 50;
/** Caches and pools, of Node.js and malloc too, are full by then. */
const WARM_RELOADS = 20;
/** What leaks does so every time; what only grew once does not. */
const ROUNDS_MAX = 3;

/**
 * That the resident memory outside of V8's heap grows by less than so many bytes over some reloads. Rounds of reloads are
 * made until one stays below, three at most.
 *
 * @throws `ERR_INVALID_OPTION` for a version that a Worker or another process runs: each has a heap of its own, and most a
 *   process, whose start and end are all that would be measured
 */
export async function checkLeaksLessThan(
  subject: unknown,
  bytes: number,
  options: LeakOptions = {},
): Promise<Verdict> {
  const addon = handleOf(subject);
  if (typeof bytes !== 'number' || !(bytes > 0)) invalid('bytes', show(bytes), 'a number above 0');
  onlyKeys('options', { ...options }, ['reloads']);
  if (addon.isHosted) {
    const wanted = "'inline' for toLeakLessThan: what a version leaks, it leaks there, too";
    invalid('isolation', "'worker' or 'process'", wanted);
  }
  const reloads = wholeNumber('reloads', options.reloads, 1) ?? RELOADS;
  const refusal = await reloadOften(addon, WARM_RELOADS);
  if (refusal !== null) return refused(refusal);
  const grown: number[] = [];
  let before = await measure();
  while (grown.length < ROUNDS_MAX) {
    const found = await reloadOften(addon, reloads);
    if (found !== null) return refused(found);
    const after = await measure();
    grown.push(after - before);
    if (after - before < bytes) break;
    before = after;
  }
  const least = Math.min(...grown);
  const holds = least < bytes;
  const versions = explainVersions(addon);
  const wanted = `${reloads} reloads to leak less than ${bytes} bytes`;
  return {
    holds,
    isRefuted: !holds,
    report: null,
    message: (isNot) =>
      [
        `${expected(isNot, wanted)}`,
        `  resident memory outside of V8's heap grew by ${grown.join(', ')} bytes, ${Math.round(least / reloads)} for each reload`,
        versions,
      ].join('\n'),
  };
}

function refused(found: string): Verdict {
  return {
    holds: false,
    isRefuted: false,
    report: null,
    message: () => `Expected a reload of the same bytes to succeed\n${found}`,
  };
}

/** @returns why one was refused; null where none was */
async function reloadOften(addon: Addon, reloads: number): Promise<string | null> {
  for (let number = 0; number < reloads; number += 1) {
    const attempt = await attemptReload(addon, { force: true });
    if (attempt.kind === 'refused') return explain(attempt);
    // Finalizers, and the news of them, come by the event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return null;
}

/**
 * Without V8's heap: it grows and shrinks by mebibytes, whatever is collected, and what a version referred to in it is let go
 * of with the version.
 */
async function measure(): Promise<number> {
  await collectGarbage();
  return process.memoryUsage.rss() - v8.getHeapStatistics().total_physical_size;
}
