/** `napi-reload check`: whether an addon stands many reloads, for CI. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { check, MAX_RSS_PER_RELOAD, RELOADS, RELOADS_KEPT } from '../check/check.ts';
import { RELOADS_TO_TELL } from '../check/growth.ts';
import type { CheckReport } from '../check/report.ts';
import { printable } from './printable.ts';
import { type Command, command, EXIT_FAILURE, EXIT_USAGE } from './command.ts';

const RELOADS_MAX = 1_000_000;
const TIMEOUT_MS = 30_000;

export const checkCommand: Command = command({
  name: 'check',
  summary: 'reload an addon many times in a process of its own, and fail if it crashes, leaks or stays',
  operands: [{ name: '<file.node>', summary: 'the built addon', completes: '.node' }],
  options: {
    reloads: {
      type: 'number',
      summary: 'how many times',
      short: 'n',
      min: 1,
      max: RELOADS_MAX,
      default: `${RELOADS}, or ${RELOADS_KEPT} if it never unloads`,
    },
    exercise: {
      type: 'string',
      summary: 'a module whose default export is called with the exports each time',
      value: 'file',
      completes: 'file',
    },
    timeout: {
      type: 'duration',
      summary: 'how long one reload or exercise may take',
      min: 1,
      default: `${TIMEOUT_MS / 1_000}s`,
    },
    'max-rss-per-reload': {
      type: 'number',
      summary: `memory that a reload may leave, told of from ${RELOADS_TO_TELL} reloads on`,
      value: 'bytes',
      default: `${MAX_RSS_PER_RELOAD} if it unloads`,
    },
    json: { type: 'boolean', summary: 'print the report as JSON' },
  },
  examples: [
    { line: 'napi-reload check build/Release/kernel.node', summary: 'in CI, after the build' },
    {
      line: 'napi-reload check build/Release/kernel.node --exercise test/exercise.mjs --json',
      summary: 'with calls in each version, and figures for a program',
    },
  ],
  exits: [
    ['0', 'passed'],
    ['1', 'it crashed, hung, leaked, or stayed where doctor says that it unloads'],
  ],
  async run({ options, operands: [file = ''], terminal }) {
    const { reloads = null, timeout: timeoutMs = TIMEOUT_MS, json } = options;
    const { exercise = null, 'max-rss-per-reload': maxRssPerReload = null } = options;
    const wrong = refusal(reloads, maxRssPerReload, exercise);
    if (wrong !== null) {
      terminal.error(`${wrong}\nSee napi-reload check --help`);
      return EXIT_USAGE;
    }
    const module = exercise === null ? null : path.resolve(exercise);
    const report = await check(file, { reloads, exercise: module, timeoutMs, maxRssPerReload });
    if (typeof report === 'string') {
      // As if it had come to a program without a handler for it.
      process.kill(process.pid, report);
      return EXIT_FAILURE;
    }
    terminal.out(json === true ? JSON.stringify(report) : describeReport(report));
    return report.problems.length === 0 ? 0 : EXIT_FAILURE;
  },
});

/** @returns what cannot be used, in a sentence; null where all can */
function refusal(
  reloads: number | null,
  maxRssPerReload: number | null,
  exercise: string | null,
): string | null {
  if (maxRssPerReload !== null && reloads !== null && reloads < RELOADS_TO_TELL) {
    return `Cannot use option "--max-rss-per-reload" with ${reloads} reloads: memory can be told of from ${RELOADS_TO_TELL} on`;
  }
  if (exercise !== null && !statSync(exercise, { throwIfNoEntry: false })?.isFile()) {
    return `Cannot use option "--exercise": no file at "${path.resolve(exercise)}"`;
  }
  return null;
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
