/** Reports and refusals, in the lines that a failed test shows. */
import type { Addon } from '../addon.ts';
import { describe, isReloadError, ReloadError } from '../errors.ts';
import type { NativePin } from '../native.ts';
import type { Phase, ReloadedReport, ReloadReport } from '../report.ts';
import type { Attempt } from './attempt.ts';

/** Of a build that says very much, the first are what the rest comes from. */
const DIAGNOSTICS_MAX = 5;
const VERSIONS_MAX = 10;
/** Of a build that says nothing that a compiler says. */
const OUTPUT_LINES_MAX = 20;

export function explain(attempt: Attempt): string {
  return attempt.kind === 'done'
    ? explainReport(attempt.report)
    : explainRefusal(attempt.error, attempt.phase);
}

function explainReport(report: ReloadReport): string {
  if (report.status === 'unchanged') {
    const why = report.reason === 'live' ? 'the bytes of the live version' : 'bytes that were refused before';
    return `unchanged: the built addon has ${why}, and version ${report.to} serves\n  edit a source first, or reload with { force: true }`;
  }
  const { from, to, phasesMs } = report;
  const times = Object.entries(phasesMs).map(([phase, ms]) => `${phase} ${ms.toFixed(1)}`);
  return [
    `reloaded: version ${from} -> ${to}, state ${report.state}`,
    `  phases (ms): ${times.join(', ')}`,
    ...linesOf('exports added', report.exports.added),
    ...linesOf('exports removed', report.exports.removed),
    ...(report.retired === null ? [] : [`  ${explainRetired(report)}`]),
  ].join('\n');
}

function linesOf(title: string, names: readonly string[]): readonly string[] {
  return names.length === 0 ? [] : [`  ${title}: ${names.join(', ')}`];
}

/** What became of the version that was replaced. */
export function explainRetired({ retired }: ReloadedReport): string {
  if (retired === null) return 'no version was replaced';
  const version = `version ${retired.id}`;
  switch (retired.outcome) {
    case 'unloaded':
      return `${version} was unloaded`;
    case 'pinned':
      return `${version} is pinned by ${explainPins(retired.pins)}`;
    case 'shared':
      return `${version} is run by ${retired.others} other handles`;
    case 'kept':
      return `${version} stays in memory: ${retired.reason}`;
  }
}

export function explainPins(pins: readonly NativePin[]): string {
  return pins
    .map(({ kind, count, bytes }) => `${count} ${kind}${bytes > 0 ? ` (${bytes} bytes)` : ''}`)
    .join(', ');
}

function explainRefusal(error: ReloadError, phase: Phase | null): string {
  const lines = [`refused${phase === null ? '' : ` in "${phase}"`} with ${error.code}: ${error.message}`];
  if (isReloadError(error, 'ERR_BUILD_FAILED')) {
    for (const { file, line, column, severity, text } of error.details.diagnostics.slice(0, DIAGNOSTICS_MAX))
      lines.push(`  ${file}:${line}:${column}: ${severity}: ${text}`);
    const output = outputTail(error);
    if (output !== null && !error.message.endsWith(output)) lines.push(output);
  }
  if ('stderr' in error.details && error.details.stderr !== '')
    lines.push(...error.details.stderr.split('\n').map((line) => `  ${line}`));
  if (error.cause !== undefined) lines.push(`  because: ${describe(error.cause)}`);
  return lines.join('\n');
}

/** @returns the last lines of what a build printed, where no diagnostic says why it failed; null otherwise */
function outputTail({ details }: ReloadError<'ERR_BUILD_FAILED'>): string | null {
  const hasReason = details.diagnostics.some(({ severity }) => /error$/.test(severity));
  const lines = details.output.trimEnd().split('\n');
  if (hasReason || details.output.trim() === '') return null;
  return lines
    .slice(-OUTPUT_LINES_MAX)
    .map((line) => `  ${line}`)
    .join('\n');
}

/** The same error, with what the build printed in its message where nothing else says why: most tests show that alone. */
export function withOutput(error: unknown): unknown {
  if (!isReloadError(error, 'ERR_BUILD_FAILED')) return error;
  const output = outputTail(error);
  if (output === null) return error;
  return new ReloadError(error.code, `${error.message}\n${output}`, error.details, error.cause);
}

/** The versions in memory, with what holds each. */
export function explainVersions(addon: Addon): string {
  const versions = addon.versions();
  const lines = versions.slice(0, VERSIONS_MAX).map(({ id, state, pins, reason }) => {
    const held = pins.length > 0 ? ` by ${explainPins(pins)}` : '';
    return `  version ${id}: ${state}${held}${reason === null ? '' : `: ${reason}`}`;
  });
  const more = versions.length - lines.length;
  return [
    `versions in memory: ${versions.length}`,
    ...lines,
    ...(more > 0 ? [`  … and ${more} more`] : []),
  ].join('\n');
}
