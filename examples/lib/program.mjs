/** An example as a program: what it prints where, and its exit code. */
import { Stopped, stopSignal } from './stop.mjs';
import { createTerminal } from './terminal.mjs';

/**
 * Runs an example. With `--json` its lines go to stderr, and its figures are the last line of stdout.
 *
 * @param {boolean} json
 * @param {(terminal: object, signal: AbortSignal) => Promise<{ figures: object, problems: readonly string[] }>} run
 * @returns {Promise<number>} the exit code: 1 when there are problems, or it failed
 */
export async function runExample(json, run) {
  const terminal = createTerminal(json ? process.stderr : process.stdout);
  const signal = stopSignal();
  try {
    const { figures, problems } = await run(terminal, signal);
    for (const problem of problems) process.stderr.write(`Wrong: ${problem}\n`);
    if (json) process.stdout.write(`${JSON.stringify(figures, toMicroseconds)}\n`);
    return problems.length === 0 ? 0 : 1;
  } catch (error) {
    const stopped = signal.aborted && signal.reason instanceof Stopped;
    process.stderr.write(`${stopped ? signal.reason.message : `The run failed: ${explain(error)}`}\n`);
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
