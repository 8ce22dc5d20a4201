/**
 * The kernel under watch, for a person with an editor: `npm run dev`, then change a file in src/.
 *
 * Rows flow all the time. Whatever is saved is built and goes live with the state; what does not build, or does not
 * start, is shown, and the version before serves on. Ctrl-C ends it.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { watch } from 'chokidar';
import { isReloadError, open } from '../../dist/index.js';
import { stopSignal } from '../lib/stop.mjs';
import { createTerminal, formatFailure, formatFigures, formatMs, formatPhases } from '../lib/terminal.mjs';
import { readFlights } from './lib/flights.mjs';
import { startStream } from './lib/stream.mjs';
import { migrate } from './migrate.mjs';

const EXAMPLE = path.dirname(fileURLToPath(import.meta.url));
const ADDON = path.join(EXAMPLE, 'build', 'Release', 'stream_stats.node');
const ROWS_PER_SECOND = 2_000;
const STATUS_INTERVAL_MS = 200;

const terminal = createTerminal(process.stdout);
const { colors } = terminal;
const relative = (file) => path.relative(EXAMPLE, file);

/** Opens the kernel; while its source does not let it, waits for the next change of it. Null when stopped. */
async function openKernel(signal) {
  while (!signal.aborted) {
    // Set up before the build, so that a change while it runs is not lost.
    const change = watchForChange(signal);
    try {
      terminal.print('building');
      return await open(ADDON, {
        build: 'node-gyp',
        watch: true,
        migrate,
        signal,
        onProgress: ({ phase, step }) => terminal.status(`${phase}${step ? `: ${step}` : ''}`),
      });
    } catch (error) {
      if (signal.aborted) break;
      if (!isReloadError(error) || error.code === 'ERR_SHIM_UNAVAILABLE') throw error;
      terminal.status('');
      terminal.print(...formatFailure(error, EXAMPLE, colors), 'nothing serves yet; waiting for a change');
      await change.next;
    } finally {
      await change.close();
    }
  }
  return null;
}

/** `next` resolves at the first change of a source, or when the signal fires. */
function watchForChange(signal) {
  const watcher = watch([path.join(EXAMPLE, 'src'), path.join(EXAMPLE, 'binding.gyp')], {
    ignoreInitial: true,
  });
  const next = new Promise((resolve) => {
    watcher.once('all', resolve);
    signal.addEventListener('abort', resolve, { once: true });
  });
  return { next, close: () => watcher.close() };
}

function describeServing(kernel) {
  try {
    return `version ${kernel.current.id}  ${formatFigures(kernel.exports.summary(), colors)}`;
  } catch (error) {
    return `version ${kernel.current.id}  summary() threw: ${error.message}`;
  }
}

function printEvents(kernel) {
  kernel.on('changed', ({ files }) => terminal.print(`changed   ${files.map(relative).join(', ')}`));
  kernel.on('building', () => terminal.print('building'));
  kernel.on('built', ({ durationMs, diagnostics }) => {
    terminal.print(`built     in ${formatMs(durationMs)}`);
    for (const { file, line, column, severity, text } of diagnostics) {
      terminal.print(`  ${relative(file)}:${line}:${column}: ${colors.yellow(severity)}: ${text}`);
    }
  });
  kernel.on('reloaded', ({ from, to, state, phasesMs }) => {
    terminal.print(
      `${colors.green('reloaded')}  version ${from} to ${to}, state ${state}`,
      ...formatPhases(phasesMs).map((line) => `  ${colors.dim(line)}`),
      `  ${describeServing(kernel)}`,
    );
  });
  kernel.on('unchanged', () => terminal.print('unchanged the bytes are those of the live version'));
  kernel.on('failed', (error) => {
    terminal.print(...formatFailure(error, EXAMPLE, colors), `version ${kernel.current.id} serves on`);
  });
  kernel.on('warning', ({ message }) => terminal.print(colors.yellow(message)));
}

/** Rows flow until the kernel is closed. A `push` that throws stops them until the next version is live. */
function feed(kernel, flights) {
  let stream;
  const start = () => {
    stream = startStream(flights, kernel.exports.push, { rowsPerSecond: ROWS_PER_SECOND });
    stream.ended.catch((error) => {
      stream = null;
      terminal.print(`${colors.red('push threw')}: ${error.message}; the rows wait for the next version`);
    });
  };
  start();
  kernel.on('reloaded', () => {
    if (stream === null) start();
  });
  return { stop: async () => stream?.stop().catch(() => undefined) };
}

async function dev(signal) {
  const flights = await readFlights();
  const kernel = await openKernel(signal);
  if (kernel === null) return;
  terminal.status('');
  terminal.print(`version ${kernel.current.id} serves; change a file in ${path.join(EXAMPLE, 'src')}`);
  printEvents(kernel);
  const rows = feed(kernel, flights);
  const ticker = terminal.live
    ? setInterval(() => terminal.status(describeServing(kernel)), STATUS_INTERVAL_MS)
    : undefined;
  try {
    await new Promise((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', resolve, { once: true });
    });
  } finally {
    clearInterval(ticker);
    terminal.status('');
    await rows.stop();
    await kernel.close();
  }
}

try {
  await dev(stopSignal());
} catch (error) {
  terminal.status('');
  process.stderr.write(`Cannot go on: ${error.message}\n`);
  process.exitCode = 1;
}
