/** `napi-reload check`: whether an addon stands many reloads, for CI. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { type CheckOptions, check, MAX_RSS_PER_RELOAD, RELOADS, RELOADS_KEPT } from '../check/check.ts';
import { RELOADS_TO_TELL } from '../check/growth.ts';
import type { CheckReport } from '../check/report.ts';
import { printable } from './printable.ts';
import { type Command, type CommandInput, EXIT_USAGE } from './command.ts';

/** Exit code of a check that was not passed. */
const EXIT_FAILED = 1;
const RELOADS_MAX = 1_000_000;
const TIMEOUT_MS = 30_000;
/** What a timer of Node.js takes. */
const TIMEOUT_MAX_MS = 2_147_483_647;

export const checkCommand: Command = {
  name: 'check',
  summary: 'reload an addon many times in a process of its own, and fail if it crashes, leaks or stays',
  operands: ['<file.node>'],
  options: {
    reloads: {
      type: 'string',
      summary: `how many times, ${RELOADS}, or ${RELOADS_KEPT} if it never unloads`,
    },
    exercise: {
      type: 'string',
      summary: 'a module whose default export is called with the exports each time',
    },
    timeout: { type: 'string', summary: `milliseconds that one reload or exercise may take, ${TIMEOUT_MS}` },
    'max-rss-per-reload': {
      type: 'string',
      summary: `bytes of memory that a reload may leave, ${MAX_RSS_PER_RELOAD} if it unloads`,
    },
    json: { type: 'boolean', summary: 'print the report as JSON' },
  },
  async run({ options, operands: [file = ''], terminal }) {
    const wanted = readOptions(options);
    if (typeof wanted === 'string') {
      terminal.error(`${wanted}\nSee napi-reload check --help`);
      return EXIT_USAGE;
    }
    const report = await check(file, wanted);
    if (typeof report === 'string') {
      // As if it had come to a program without a handler for it.
      process.kill(process.pid, report);
      return EXIT_FAILED;
    }
    terminal.out(options['json'] === true ? JSON.stringify(report) : describeReport(report));
    return report.problems.length === 0 ? 0 : EXIT_FAILED;
  },
};

/** @returns what cannot be understood, in a sentence */
function readOptions(options: CommandInput['options']): CheckOptions | string {
  const reloads = wholeNumber(options, 'reloads', RELOADS_MAX);
  const timeoutMs = wholeNumber(options, 'timeout', TIMEOUT_MAX_MS) ?? TIMEOUT_MS;
  const maxRssPerReload = wholeNumber(options, 'max-rss-per-reload', Number.MAX_SAFE_INTEGER, 0);
  for (const value of [reloads, timeoutMs, maxRssPerReload]) if (typeof value === 'string') return value;
  if (maxRssPerReload !== null && typeof reloads === 'number' && reloads < RELOADS_TO_TELL) {
    return `Cannot use option "--max-rss-per-reload" with ${reloads} reloads: memory can be told of from ${RELOADS_TO_TELL} on`;
  }
  const exercise = typeof options['exercise'] === 'string' ? path.resolve(options['exercise']) : null;
  if (exercise !== null && !statSync(exercise, { throwIfNoEntry: false })?.isFile()) {
    return `Cannot use option "--exercise": no file at "${exercise}"`;
  }
  return { reloads, exercise, timeoutMs, maxRssPerReload } as CheckOptions;
}

/** @returns null when it was not given, a sentence when it is none */
function wholeNumber(
  options: CommandInput['options'],
  name: string,
  max: number,
  min = 1,
): number | string | null {
  const text = options[name];
  if (typeof text !== 'string') return null;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  return `Cannot use option "--${name}": found "${text}", wanted a whole number from ${min} to ${max}`;
}

function describeReport(report: CheckReport): string {
  const { file, reloads, unloaded, pinned, kept, promised, medianMs, p99Ms, problems } = report;
  const lines = [`${file}: ${problems.length === 0 ? 'passed' : 'failed'}`];
  for (const { code, message } of problems) lines.push(`  ${code}: ${message}`);
  if (reloads === 0) return lines.map(printable).join('\n');
  lines.push(
    `  reloads: ${reloads}, median ${medianMs} ms, p99 ${p99Ms} ms`,
    `  versions that were replaced: ${unloaded} unloaded, ${pinned} pinned, ${kept} kept (doctor: ${promised})`,
    `  memory: ${memory(report)}`,
  );
  return lines.map(printable).join('\n');
}

function memory({ rssBytesPerReload, maxRssPerReload, mappingsGrown }: CheckReport): string {
  if (rssBytesPerReload === null) return `told of from ${RELOADS_TO_TELL} reloads on`;
  const bound = maxRssPerReload === null ? 'no bound' : `at most ${maxRssPerReload}`;
  return `${rssBytesPerReload} bytes for each reload (${bound}), ${mappingsGrown} mappings more`;
}
