/**
 * An HTTP server under load, whose kernel in C++ is reloaded ten times a second.
 *
 *     npm run example:http                    a run for a person: 60 s without reloads and 60 s with, three times
 *     npm run example:http -- --json          the same on stderr, and its figures as the last line of stdout
 *     npm run example:http -- --seconds 2     a shorter one
 *     npm run example:http -- --connections 8    more load than that of 2 connections
 *     npm run example:http -- --isolation process    one of inline, worker and process; may be given again
 *     npm run example:http -- --reloads-first    with reloads before without, for who runs both orders
 *
 * Ends with exit code 1 when a request failed, an answer was wrong, a quote was not counted, or a reload was refused.
 */
import { parseArgs } from 'node:util';
import { runExample } from '../lib/program.mjs';
import { createScratch } from '../lib/scratch.mjs';
import { beginStage } from '../lib/stages.mjs';
import { formatCount, formatMs } from '../lib/terminal.mjs';
import { prepareBuilds } from './lib/builds.mjs';
import { measure } from './lib/measure.mjs';

const SECONDS = 60;
/** Few: the server and the load share the processors, and a new process takes a part of them, too. */
const CONNECTIONS = 2;
const PLACES = {
  inline: 'in the thread of the server',
  worker: 'each version in a Worker',
  process: 'each version in a process',
};

async function run({ seconds, connections, isolations, reloadsFirst }, terminal, signal) {
  terminal.print(
    `${terminal.colors.bold('napi-reload')}  an HTTP server answers while its kernel is reloaded ten times a second`,
  );
  const scratch = createScratch(import.meta.dirname, 'quotes');
  try {
    beginStage(terminal, 1, 'Build both versions');
    const startMs = performance.now();
    const put = await prepareBuilds(scratch, { terminal, signal });
    terminal.print(`  built and opened in ${formatMs(performance.now() - startMs)}`);
    const problems = [];
    const session = {
      put,
      addon: scratch.addon,
      seconds,
      connections,
      reloadsFirst,
      terminal,
      signal,
      /** Records a problem unless `condition` holds. */
      expect: (condition, problem) => condition || problems.push(problem),
    };
    const runs = [];
    for (const [index, isolation] of isolations.entries()) {
      beginStage(terminal, index + 2, `${isolation}: ${PLACES[isolation]}`);
      runs.push(await measure(session, isolation));
    }
    return { figures: conclude(runs, terminal), problems };
  } finally {
    terminal.status('');
    scratch.remove();
  }
}

function conclude(runs, terminal) {
  const phases = runs.flatMap((each) => [each.without, each.with]);
  const requests = phases.reduce((sum, phase) => sum + phase.requests, 0);
  const failed = phases.reduce((sum, phase) => sum + phase.failed, 0);
  const reloads = runs.reduce((sum, each) => sum + each.reloads, 0);
  terminal.print(
    '',
    terminal.colors.bold(`${formatCount(requests)} requests, ${failed} failed`) +
      `: each answer checked, over ${formatCount(reloads)} reloads`,
  );
  return { requests, failed, reloads, runs };
}

/** @throws when an argument is unknown, or cannot be taken */
function readArguments(args) {
  const {
    json,
    seconds,
    connections,
    isolation,
    'reloads-first': reloadsFirst,
  } = parseArgs({
    args,
    options: {
      json: { type: 'boolean', default: false },
      'reloads-first': { type: 'boolean', default: false },
      seconds: { type: 'string', default: `${SECONDS}` },
      connections: { type: 'string', default: `${CONNECTIONS}` },
      isolation: { type: 'string', multiple: true, default: Object.keys(PLACES) },
    },
  }).values;
  const unknown = isolation.find((name) => !(name in PLACES));
  if (unknown !== undefined) {
    throw new RangeError(
      `No isolation ${JSON.stringify(unknown)}: wanted one of ${Object.keys(PLACES).join(', ')}`,
    );
  }
  if (!(Number(seconds) >= 1))
    throw new RangeError(`Cannot run ${JSON.stringify(seconds)} s: wanted 1 or more`);
  if (!(Number.isInteger(Number(connections)) && Number(connections) >= 1)) {
    throw new RangeError(`Cannot open ${JSON.stringify(connections)} connections: wanted 1 or more`);
  }
  return {
    json,
    seconds: Number(seconds),
    connections: Number(connections),
    isolations: isolation,
    reloadsFirst,
  };
}

function main(args) {
  let wanted;
  try {
    wanted = readArguments(args);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  return runExample(wanted.json, (terminal, signal) => run(wanted, terminal, signal));
}

process.exitCode = await main(process.argv.slice(2));
