/**
 * A vector index in memory that no version owns, whose search is edited while it answers queries.
 *
 *     npm run example:vectors              a run for a person
 *     npm run example:vectors -- --json    the same on stderr, and its figures as the last line of stdout
 *     npm run example:vectors -- --vectors 20000    a smaller index
 *
 * Ends with exit code 1 when any query failed, a version finds too little, the index was touched, or a stage did not end
 * as it should.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { reversed } from '../lib/edits.mjs';
import { openScratch } from '../lib/open.mjs';
import { runExample } from '../lib/program.mjs';
import { createScratch } from '../lib/scratch.mjs';
import { beginStage } from '../lib/stages.mjs';
import { formatCount, formatMs } from '../lib/terminal.mjs';
import { addInLanes, halveDimensions, misspell, probeMore } from './edits.mjs';
import { conclude } from './lib/conclude.mjs';
import { makeData } from './lib/data.mjs';
import { startLoad } from './lib/load.mjs';
import { createSession } from './lib/session.mjs';
import { describeVersion, goLive, surviveFailure } from './lib/stages.mjs';
import { DIMENSIONS } from './lib/vectors.mjs';

const EXAMPLE = path.dirname(fileURLToPath(import.meta.url));
const VECTORS = 100_000;
/** What the kernel has room for, and the least that it can make its lists of; as `src/layout.h` has them. */
const VECTORS_MIN = 256;
const VECTORS_MAX = 2 ** 17;
/** Queries that version 1 answers before the first edit. */
const FIRST_EDIT_QUERIES = 160;

/** Builds the index once; no version after the first one does. */
function buildIndex(kernel, vectors, terminal) {
  const startMs = performance.now();
  kernel.exports.build(vectors);
  const index = kernel.exports.describe();
  const bytes = kernel.memory().reduce((sum, block) => sum + block.bytes, 0);
  terminal.print(
    `  indexed ${formatCount(index.vectors)} vectors of ${DIMENSIONS} floats in ${formatMs(performance.now() - startMs)}: ` +
      `${index.lists} lists by k-means, ${Math.round(bytes / 2 ** 20)} MiB of ctx.memory`,
  );
  return index;
}

async function runStages(session) {
  const { measured, answers } = await session.measure();
  session.terminal.print(`  ${describeVersion(measured)}`);
  const inLanes = await goLive(session, 2, 'Edit the search: sum in eight lanes', addInLanes);
  const sameAnswers = isDeepStrictEqual(inLanes, answers);
  session.expect(sameAnswers, 'version 2 has other answers than version 1');
  const refused = [
    await surviveFailure(session, 3, 'Misspell a name', misspell, 'ERR_BUILD_FAILED'),
    await surviveFailure(
      session,
      4,
      'Halve the dimensions: it compiles, but init finds the index that there is',
      [...reversed(misspell), ...halveDimensions],
      'ERR_HOOK_THREW',
    ),
  ];
  await goLive(session, 5, 'Mend it, and look into twice as many lists', [
    ...reversed(halveDimensions),
    ...probeMore,
  ]);
  return { sameAnswers, refused };
}

async function run(count, terminal, signal) {
  const { colors } = terminal;
  terminal.print(`${colors.bold('napi-reload')}  a vector index answers queries while its search is edited`);
  const scratch = createScratch(EXAMPLE, 'vector_index');
  let kernel;
  let load;
  try {
    const start = scratch.warm ? 'Build and open, from the objects of the last run' : 'Build and open';
    beginStage(terminal, 1, start);
    const opened = await openScratch(scratch, { terminal, signal });
    kernel = opened.kernel;
    terminal.print(`  version 1 is live after ${formatMs(opened.openMs)}`);
    const data = makeData(count);
    const built = buildIndex(kernel, data.vectors, terminal);
    load = startLoad(kernel, data);
    await load.reached(FIRST_EDIT_QUERIES);
    const session = createSession({ kernel, load, data, root: scratch.root, terminal, signal });
    const edited = await runStages(session);
    const figures = { ...(await conclude(session, built)), ...edited };
    return { figures, problems: session.problems };
  } finally {
    terminal.status('');
    await load?.stop().catch(() => undefined);
    await kernel?.close();
    scratch.remove();
  }
}

/** @throws when an argument is unknown, or no such index can be made */
function readArguments(args) {
  const options = { json: { type: 'boolean' }, vectors: { type: 'string' } };
  const { json = false, vectors = `${VECTORS}` } = parseArgs({ args, options }).values;
  const count = Number(vectors);
  if (!Number.isInteger(count) || count < VECTORS_MIN || count > VECTORS_MAX) {
    throw new RangeError(
      `Cannot make ${JSON.stringify(vectors)} vectors: wanted ${VECTORS_MIN} to ${VECTORS_MAX}`,
    );
  }
  return { json, count };
}

function main(args) {
  let wanted;
  try {
    wanted = readArguments(args);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  return runExample(wanted.json, (terminal, signal) => run(wanted.count, terminal, signal));
}

process.exitCode = await main(process.argv.slice(2));
