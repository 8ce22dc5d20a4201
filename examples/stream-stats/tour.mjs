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
import { reversed } from '../lib/edits.mjs';
import { openScratch } from '../lib/open.mjs';
import { runExample } from '../lib/program.mjs';
import { createScratch } from '../lib/scratch.mjs';
import { beginStage } from '../lib/stages.mjs';
import { formatCount, formatFigures, formatMs } from '../lib/terminal.mjs';
import { forgetParenthesis, forgetSquare } from './edits.mjs';
import { readFlights } from './lib/flights.mjs';
import { createSession } from './lib/session.mjs';
import { addFeature, mend, surviveFailure } from './lib/stages.mjs';
import { startStream } from './lib/stream.mjs';
import { migrate } from './migrate.mjs';

/** The data set in five seconds: about as long as the edits take. */
const ROWS_PER_SECOND = 40_000;
/** Four minutes of rows: by then what the stream waits for will not come. */
const ROWS_MAX = 10_000_000;
/** Rows that version 1 counts before the first edit. */
const FIRST_EDIT_ROWS = 20_000;

const EXAMPLE = path.dirname(fileURLToPath(import.meta.url));

/** The steps of the kernel; `onSwitch` sees the state in the middle of a switch. */
function watchedMigration(onSwitch) {
  return {
    1: {
      ...migrate[1],
      up: (state) => {
        onSwitch(state);
        return migrate[1].up(state);
      },
    },
  };
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
  const scratch = createScratch(EXAMPLE, 'stream_stats');
  let kernel;
  let stream;
  try {
    beginStage(
      terminal,
      1,
      scratch.warm ? 'Build and open, from the objects of the last run' : 'Build and open',
    );
    const atSwitch = { counted: 0, pushed: 0 };
    const opened = await openScratch(scratch, {
      terminal,
      signal,
      migrate: watchedMigration(({ counts }) => {
        atSwitch.counted = counts.reduce((sum, count) => sum + count, 0);
        atSwitch.pushed = stream.rows;
      }),
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

function main(args) {
  const json = args.includes('--json');
  const unknown = args.find((arg) => arg !== '--json');
  if (unknown !== undefined) {
    process.stderr.write(`Unknown argument ${JSON.stringify(unknown)}; there is --json\n`);
    return 2;
  }
  return runExample(json, tour);
}

process.exitCode = await main(process.argv.slice(2));
