/** Handles in a Worker: it ends in whatever way, and main goes on with the same file as if nothing had been. */
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createScratch, type Scratch } from '../support/addons.ts';
import { type Plan, traceAddon, traceOf } from './trace.ts';

let scratch: Scratch;
beforeEach(() => {
  scratch = createScratch();
});
afterEach(() => scratch[Symbol.dispose]());

/** The worker takes v2 after v1, tells main, and then does as main's message says. */
const WORKER = (meanwhile: string): string => `
  const { openAddon, reload, close, say } = await import(process.env.TRACE_CHILD);
  const { parentPort } = await import('node:worker_threads');
  parentPort.once('message', async ({ reloads }) => {
    const addon = await openAddon();
    addon.exports.increment();
    parentPort.once('message', async () => {
      await reload(addon);
      addon.exports.increment();
      say('worker has reloaded');
      parentPort.once('message', async () => { ${meanwhile} });
      parentPort.postMessage('reloaded');
    });
    parentPort.postMessage('opened');
  });
`;

const MAIN = (meanwhile: string, end: string): string => `
  import { once } from 'node:events';
  import { Worker } from 'node:worker_threads';
  install('v1');
  const addon = await openAddon();
  addon.exports.increment();
  const code = 'data:text/javascript,' + encodeURIComponent(${JSON.stringify(WORKER(meanwhile))});
  const worker = new Worker(new URL(code));
  // Said with the end: the worker unloads its addons while main hears of the error.
  let threw = '';
  worker.on('error', ({ message }) => { threw = ' after it threw ' + message; });
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  const tell = async () => { worker.postMessage({}); await once(worker, 'message'); };
  await tell();
  install('v2');
  await tell();
  addon.exports.increment();
  sayStaged();
  ${end}
  say('worker ended ' + await ended + threw);
  sayStaged();
  install('v3');
  await reload(addon);
  addon.exports.increment();
  await close(addon);
  sayStaged();
`;

const plan = (...macros: readonly string[]): Plan => ({
  builds: { v1: traceAddon(1), v2: traceAddon(2, ...macros), v3: traceAddon(3) },
});

const OPEN = ['v1 mapped', 'v1 module init', 'v1 prepare', 'v1 init 0', 'v1 save 0', 'opened'];
const SIDE_BY_SIDE = [
  ...[...OPEN, 'v1 increment 1', ...OPEN, 'v1 increment 1'],
  ...['v2 mapped', 'v2 module init', 'v2 prepare', 'v1 save 1', 'v2 init 1', 'v2 save 1', 'v1 dispose'],
  ...['v1 unmapped', 'reloaded carried', 'v2 increment 2', 'worker has reloaded'],
  // Main's own v1: another image, of which the worker's reload knows nothing.
  ...['v1 increment 2', 'staged 2 directories, copies: 1 1 2'],
];
const MAIN_GOES_ON = [
  'staged 1 directories, copies: 1',
  ...['v3 mapped', 'v3 module init', 'v3 prepare', 'v1 save 2', 'v3 init 2', 'v3 save 2', 'v1 dispose'],
  ...['v1 unmapped', 'reloaded carried', 'v3 increment 3', 'v3 dispose', 'v3 unmapped', 'closed'],
  'staged 0 directories, copies: none',
];

interface Ending {
  readonly name: string;
  /** What the worker does at last. */
  readonly inWorker?: string;
  /** What main does then. */
  readonly inMain?: string;
  readonly trace: readonly string[];
}

const endings: Ending[] = [
  {
    name: 'closes its handle and ends',
    inWorker: 'await close(addon);',
    trace: ['v2 dispose', 'v2 unmapped', 'closed', 'worker ended 0'],
  },
  { name: 'ends without a close', trace: ['v2 unmapped', 'worker ended 0'] },
  { name: 'calls process.exit()', inWorker: 'process.exit(4);', trace: ['v2 unmapped', 'worker ended 4'] },
  {
    name: 'throws',
    inWorker: `throw new Error('mine');`,
    trace: ['v2 unmapped', 'worker ended 1 after it threw mine'],
  },
  { name: 'is terminated', inMain: 'await worker.terminate();', trace: ['v2 unmapped', 'worker ended 1'] },
];

describe('a worker that opened and reloaded the file that main serves', () => {
  test.each(endings)('$name, and main goes on', async ({ inWorker = '', inMain, trace }) => {
    const script = MAIN(inWorker, inMain ?? 'worker.postMessage({});');
    const ended = await traceOf(scratch, script, plan());
    expect(ended).toEqual({
      trace: [...SIDE_BY_SIDE, ...trace, ...MAIN_GOES_ON],
      errors: '',
      exitCode: 0,
      signal: null,
    });
  });

  test('is terminated while a hook is pending, and main goes on', async () => {
    const script = `
      import { Worker } from 'node:worker_threads';
      install('v1');
      const addon = await openAddon();
      const code = ${JSON.stringify(`
        const { openAddon, install } = await import(process.env.TRACE_CHILD);
        const { parentPort } = await import('node:worker_threads');
        const addon = await openAddon();
        install('v2');
        addon.on('progress', ({ phase }) => {
          if (phase === 'prepare') setImmediate(() => parentPort.postMessage('preparing'));
        });
        await addon.reload();
      `)};
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(code)));
      await new Promise((resolve) => worker.once('message', resolve));
      sayStaged();
      await worker.terminate();
      sayStaged();
      addon.exports.increment();
      await close(addon);
      sayStaged();
    `;
    const ended = await traceOf(scratch, script, plan('PREPARE=NEVER_SETTLES'));
    expect(ended).toEqual({
      trace: [
        ...[...OPEN, ...OPEN, 'v2 mapped', 'v2 module init', 'v2 prepare'],
        'staged 2 directories, copies: 1 1 2',
        ...['v2 unmapped', 'v1 unmapped', 'staged 1 directories, copies: 1', 'v1 increment 1'],
        ...['v1 dispose', 'v1 unmapped', 'closed', 'staged 0 directories, copies: none'],
      ],
      errors: '',
      exitCode: 0,
      signal: null,
    });
  });

  // It emits no 'exit', by which src/build/group.ts ends what it runs: src/group-guard.ts does.
  test('runs a build when it is terminated: the build ends with it', async () => {
    const script = `
      import { Worker } from 'node:worker_threads';
      install('v1');
      make('exit 0');
      const code = ${JSON.stringify(`
        const { openAddon, make } = await import(process.env.TRACE_CHILD);
        const addon = await openAddon();
        make('echo $$ > pid; mv pid built; exec sleep 1000');
        await addon.reload();
      `)};
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(code)));
      await new Promise((resolve) => {
        const watcher = fs.watch(plan.folder, () => {
          if (!fs.existsSync(plan.folder + '/built')) return;
          watcher.close();
          resolve();
        });
      });
      await worker.terminate();
      sayStaged();
    `;
    const ended = await traceOf(scratch, script, { ...plan(), options: { build: true } });
    const pid = Number(fs.readFileSync(scratch.file('built'), 'utf8'));
    const isRunning =
      fs.existsSync(`/proc/${pid}`) && !/\) [ZX] /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
    if (isRunning) process.kill(-pid, 'SIGKILL');
    expect(ended).toMatchObject({ errors: '', exitCode: 0, signal: null });
    expect(isRunning).toBe(false);
  });
});
