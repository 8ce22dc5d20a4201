/** Runs a check in a process of its own, which may crash or hang, and listens to it. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { sweep } from '../isolate/sweep.ts';
import { loadNative } from '../native.ts';
import type { CheckCrash } from './report.ts';
import { Tally } from './tally.ts';
import { type CheckPlan, readWord, WORDS_FD } from './words.ts';

/** What is run from its sources has it beside the built files, as src/isolate/host-program.ts has the other program. */
const FILE = import.meta.url.endsWith('.ts') ? '../../dist/check/check-main.js' : './check-main.js';
const PROGRAM = fileURLToPath(new URL(FILE, import.meta.url));
/** Between the end of a process and that of its line: a process that it started may hold it. */
const LAST_WORDS_MS = 200;
/** What would leave the process that is checked behind. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Watched {
  readonly tally: Tally;
  /** Null when it ended as it should, or told why it did not. */
  readonly crashed: CheckCrash | null;
  /** The signal that asked this process to stop meanwhile; nothing else counts then. */
  readonly stopped: NodeJS.Signals | null;
}

/** What V8 compiles while it warms up is megabytes, more than a leak is in a thousand reloads. */
const V8_FLAGS = ['--expose-gc', '--no-opt', '--no-maglev', '--no-sparkplug'];

/**
 * Nothing is left of it: neither the process nor what it has staged.
 *
 * @param timeoutMs bound on each step, such as a reload or a call of the exercise
 */
export async function supervise(plan: CheckPlan, timeoutMs: number): Promise<Watched> {
  const tally = new Tally();
  const child = spawn(process.execPath, [...V8_FLAGS, PROGRAM, JSON.stringify(plan)], {
    // What the addon and the exercise print is no part of the report.
    stdio: ['ignore', 2, 2, 'pipe'],
  });
  let isLate = false;
  let stopped: NodeJS.Signals | null = null;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, timeoutMs);
  const stop = (signal: NodeJS.Signals): void => {
    stopped = signal;
    child.kill('SIGKILL');
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  try {
    const ended = await new Ending(child, (line) => {
      const word = readWord(line);
      if (word === null || isLate) return;
      timer.refresh();
      tally.take(word);
    }).wait();
    return {
      tally,
      crashed: isLate || !isOrderly(ended, tally) ? crashOf(ended, tally, isLate) : null,
      stopped,
    };
  } finally {
    clearTimeout(timer);
    for (const signal of SIGNALS) process.off(signal, stop);
    sweep(plan.stageDir, loadNative());
  }
}

interface Ended {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Waits for the end of a process and of all that it has said. */
class Ending {
  readonly #child: ChildProcess;
  readonly #line: Readable | null;
  #text = '';

  constructor(child: ChildProcess, onLine: (line: string) => void) {
    this.#child = child;
    this.#line = child.stdio[WORDS_FD] as Readable | null;
    this.#line?.setEncoding('utf8').on('data', (part: string) => {
      const lines = (this.#text + part).split('\n');
      this.#text = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    });
  }

  wait(): Promise<Ended> {
    return new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('exit', (exitCode, signal) => {
        const end = (): void => {
          clearTimeout(timer);
          this.#line?.destroy();
          resolve({ exitCode, signal });
        };
        // Behind a look for more to read: this process may not have run for as long.
        const timer = setTimeout(() => setImmediate(end), LAST_WORDS_MS);
        if (this.#line === null || this.#line.readableEnded) end();
        else this.#line.once('end', end);
      });
    });
  }
}

function isOrderly({ exitCode, signal }: Ended, { isDone, threw }: Tally): boolean {
  if (threw !== null) return signal === null;
  return isDone && exitCode === 0;
}

function crashOf({ exitCode, signal }: Ended, { place }: Tally, isLate: boolean): CheckCrash {
  // That it was killed by us is no news.
  if (isLate) return { ...place, reason: 'timeout', signal: null, exitCode: null };
  return { ...place, reason: signal === null ? 'exit' : 'signal', signal, exitCode };
}
