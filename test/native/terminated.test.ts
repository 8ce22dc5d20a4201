/** Workers that are terminated in the init of an image that threads share, and before it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addon } from '../fixtures/ledger/build.mjs';
import { createScratch, type Scratch } from '../support/addons.ts';
import { type Ended, traceOf } from './trace.ts';

let scratch: Scratch;
beforeEach(() => {
  scratch = createScratch();
});
afterEach(() => scratch[Symbol.dispose]());

/** A worker whose init runs the given code. It says when it is about to run that init. */
const PRELUDE = `
  import { on } from 'node:events';
  import { Worker } from 'node:worker_threads';
  function startLoading(duringInit) {
    const script = \`
      import { parentPort } from 'node:worker_threads';
      const { file, openAddon } = await import(process.env.TRACE_CHILD);
      globalThis.duringInit = () => { \${duringInit} };
      const { dlopen } = process;
      process.dlopen = (module, ...rest) => {
        dlopen(module, ...rest);
        if (module.filename === file) parentPort.postMessage('before init');
      };
      await openAddon();
    \`;
    const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(script)));
    worker.on('error', (error) => say(error.message));
    return worker;
  }
  async function told(worker, wanted) {
    for await (const [message] of on(worker, 'message')) if (message === wanted) return;
  }
  globalThis.duringInit = () => say('init of main');
  install('v1');
  const first = startLoading(
    'parentPort.postMessage("in init"); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);',
  );
  await told(first, 'in init');
`;
const EPILOGUE = `
  await close(await openAddon());
  say('mapped ' + fs.readFileSync('/proc/self/maps', 'utf8').includes(stageDir));
`;

const run = (script: string): Promise<Ended> =>
  traceOf(scratch, PRELUDE + script + EPILOGUE, {
    builds: { v1: addon('reenter') },
    options: { scope: 'process' },
  });
const endsWell = (...ends: readonly string[]): Ended => ({
  trace: [...ends, 'init of main', 'opened', 'closed', 'mapped false'],
  errors: '',
  exitCode: 0,
  signal: null,
});

describe('a worker that is terminated', () => {
  test('in the init of a shared image leaves it to the next', async () => {
    expect(await run(`say('ended ' + (await first.terminate()));`)).toEqual(endsWell('ended 1'));
  });

  test('while it waits for the init of another does not run its own', async () => {
    const ended = await run(`
      const others = ['', '', ''].map(startLoading);
      await Promise.all(others.map((worker) => told(worker, 'before init')));
      // They wait as long as the first one runs, which must not end before.
      const ends = [...others, first].map((worker) => worker.terminate());
      say('ended ' + (await Promise.all(ends)));
    `);
    expect(ended).toEqual(endsWell('ended 1,1,1,1'));
  });
});
