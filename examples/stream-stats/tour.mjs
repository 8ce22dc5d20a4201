/**
 * The whole of napi-reload in one run: a C++ kernel counts flights while its source is edited.
 *
 *     npm start              a tour for a person
 *     npm start -- --json    the same on stderr, and its figures as the last line of stdout
 *
 * Ends with exit code 1 when any row was lost, any figure differs from plain JavaScript, or a stage did not end as
 * it should.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { open } from '../../dist/index.js';
import { forgetParenthesis, forgetSquare, reversed } from './edits.mjs';
import { readFlights } from './lib/flights.mjs';
import { createScratch } from './lib/scratch.mjs';
import { createSession } from './lib/session.mjs';
import { Stopped, stopSignal } from './lib/stop.mjs';
import { addFeature, beginStage, mend, surviveFailure } from './lib/stages.mjs';
import { startStream } from './lib/stream.mjs';
import { createTerminal, formatCount, formatFigures, formatMs } from './lib/terminal.mjs';
import { migrate } from './migrate.mjs';

/** The data set in five seconds: about as long as the edits take. */
const ROWS_PER_SECOND = 40_000;
/** Four minutes of rows: by then what the stream waits for will not come. */
const ROWS_MAX = 10_000_000;
/** Rows that version 1 counts before the first edit. */
const FIRST_EDIT_ROWS = 20_000;

const EXAMPLE = path.dirname(fileURLToPath(import.meta.url));

/** Builds and opens the kernel, as anybody would; `onSwitch` sees the state in the middle of a switch. */
async function openKernel(scratch, terminal, signal, onSwitch) {
  const startMs = performance.now();
  let opened = false;
  const kernel = await open(scratch.addon, {
    build: 'node-gyp',
    watch: true,
    migrate: {
      ...migrate,
      1: (state) => {
        onSwitch(state);
        return migrate[1](state);
      },
    },
    onProgress: ({ phase, step }) => {
      if (opened || step === undefined) return;
      if (terminal.live) terminal.status(`  ${phase}: ${step}`);
      else if (!scratch.warm) terminal.print(`  ${phase}: ${step}`);
    },
    signal,
  }).finally(() => terminal.status(''));
  opened = true;
  scratch.keepBuild();
  return { kernel, openMs: performance.now() - startMs };
}

/** Everything that happens while the kernel is open. */
async function runStages(session, flights, atSwitch) {
  const { stream, terminal } = session;
  const feature = await addFeature(session, atSwitch);
  const survived = [
    await surviveFailure(session, 3, 'Forget a parenthesis', forgetParenthesis, 'ERR_BUILD_FAILED'),
    await surviveFailure(
      session,
      4,
      'Forget a square: it compiles, but init throws',
      [...reversed(forgetParenthesis), ...forgetSquare],
      'ERR_HOOK_THREW',
    ),
  ];
  await mend(session);
  await stream.finish();
  const { summary, rowsLost, equal } = session.compare();
  const passes = stream.rows / flights.rows;
  terminal.print(
    '',
    terminal.colors.bold(`${formatCount(summary.count)} of ${formatCount(stream.rows)} rows counted`) +
      `: the data set ${passes === 1 ? 'once' : `${passes} times, for the edits took that long`}`,
    `  ${formatFigures(summary, terminal.colors)}`,
    `  ${equal ? 'equal to' : terminal.colors.red('DIFFERENT from')} plain JavaScript over all rows, ` +
      'in total and for each hour of the day',
  );
  return {
    rowsBefore: atSwitch.counted,
    rowsAfter: summary.count,
    rowsLost,
    versions: session.versionsLive,
    stateCarried: feature.report.state === 'carried' && feature.equal && feature.rowsLost === 0 && equal,
    failuresSurvived: survived.filter(Boolean).length,
    buildMs: feature.buildMs,
    reloadMs: feature.reloadMs,
    phasesMs: feature.report.phasesMs,
  };
}

async function tour(terminal, signal) {
  const { colors } = terminal;
  terminal.print(
    `${colors.bold('napi-reload')}  a C++ kernel counts flight delays while its source is edited`,
  );
  const flights = await readFlights();
  const scratch = createScratch(EXAMPLE);
  let kernel;
  let stream;
  try {
    beginStage(
      terminal,
      1,
      scratch.warm ? 'Build and open, from the objects of the last run' : 'Build and open',
    );
    const atSwitch = { counted: 0, pushed: 0 };
    const opened = await openKernel(scratch, terminal, signal, ({ counts }) => {
      atSwitch.counted = counts.reduce((sum, count) => sum + count, 0);
      atSwitch.pushed = stream.rows;
    });
    kernel = opened.kernel;
    stream = startStream(flights, kernel.exports.push, { rowsPerSecond: ROWS_PER_SECOND, rowsMax: ROWS_MAX });
    terminal.print(
      `  version 1 is live after ${formatMs(opened.openMs)}; from here on rows flow: ` +
        `${formatCount(flights.rows)} flights, again and again`,
    );
    await stream.reached(FIRST_EDIT_ROWS);
    const session = createSession({ kernel, stream, flights, root: scratch.root, terminal, signal });
    const figures = await runStages(session, flights, atSwitch);
    return { figures, problems: session.problems };
  } finally {
    terminal.status('');
    await stream?.stop().catch(() => undefined);
    await kernel?.close();
    scratch.remove();
  }
}

async function main(args) {
  const json = args.includes('--json');
  const unknown = args.find((arg) => arg !== '--json');
  if (unknown !== undefined) {
    process.stderr.write(`Unknown argument ${JSON.stringify(unknown)}; there is --json\n`);
    return 2;
  }
  const terminal = createTerminal(json ? process.stderr : process.stdout);
  const signal = stopSignal();
  try {
    const { figures, problems } = await tour(terminal, signal);
    for (const problem of problems) process.stderr.write(`Wrong: ${problem}\n`);
    if (json) process.stdout.write(`${JSON.stringify(figures, toMicroseconds)}\n`);
    return problems.length === 0 ? 0 : 1;
  } catch (error) {
    const stopped = signal.aborted && signal.reason instanceof Stopped;
    process.stderr.write(`${stopped ? signal.reason.message : `The tour failed: ${explain(error)}`}\n`);
    return stopped ? signal.reason.exitCode : 1;
  }
}

/** Digits that mean something: milliseconds are given to the microsecond. */
function toMicroseconds(_key, value) {
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
}

function explain(error) {
  const output = error?.details?.output ?? error?.cause?.details?.output;
  const text = error instanceof Error ? error.message : String(error);
  return output ? `${text}\n${output}` : text;
}

process.exitCode = await main(process.argv.slice(2));
