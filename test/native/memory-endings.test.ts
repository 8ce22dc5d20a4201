/** What becomes of memory that stays when a handle, a worker or the process ends, while native code still uses it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createScratch, type Scratch } from '../support/addons.ts';
import { LOOK, ring } from '../support/ring.ts';
import { type Ended, traceOf } from './trace.ts';

let scratch: Scratch;
beforeEach(() => {
  scratch = createScratch();
});
afterEach(() => scratch[Symbol.dispose]());

describe('the end of a thread whose addon counts in memory that stays, on a thread of its own', () => {
  const stopped = ['v2 stopped its thread', 'v2 ended'];
  const replaced = ['v1 stopped its thread', 'v1 ended'];
  const builds = (): Readonly<Record<string, string>> => ({
    v1: ring('c', 1, 'THREAD'),
    v2: ring('c', 2, 'THREAD', 'BYTES=16384'),
  });
  const LIVE = `
    install('v1');
    const addon = await openAddon();
    install('v2');
    await reload(addon);
    globalThis.kept = addon.exports.pin();
  `;

  async function endsOf(script: string): Promise<Ended & { readonly told: readonly string[] }> {
    const ended = await traceOf(scratch, LOOK + script, { builds: builds() });
    expect([ended.exitCode, ended.signal]).toEqual([0, null]);
    return { ...ended, told: ended.errors.split('\n').filter((line) => line !== '') };
  }

  test.each([
    [
      'close',
      'kept = null; await collect(); await close(addon); await collect(); sayLeft();',
      stopped,
      ['closed', '0 files, 0 mappings'],
    ],
    // The thread counts on: only the hook stops it, which would run if nothing else pinned its version.
    [
      'close, with a pin',
      'await close(addon); await collect(); sayLeft();',
      stopped,
      ['closed', '0 files, 1 mappings'],
    ],
    ['the last turn', '', stopped, []],
    // Node.js runs no hook then: the thread counts on, until the process is gone.
    ['process.exit', 'process.exit();', ['v2 ended'], []],
  ])('leaves the bytes there for whoever needs them last, by %s', async (_, end, told, trace) => {
    const ended = await endsOf(LIVE + end);
    expect(ended.told).toEqual([...replaced, ...told]);
    expect(ended.trace).toEqual(['opened', 'reloaded stateless', ...trace]);
  });

  test.each([
    ['its last turn', "parentPort.postMessage('lives');"],
    ['its last turn after a close with a pin', "await addon.close(); parentPort.postMessage('lives');"],
    ['process.exit', "parentPort.postMessage('lives'); process.exit();"],
    ['worker.terminate', "parentPort.postMessage('lives'); parentPort.on('message', () => {});"],
    ['an exception', "parentPort.postMessage('lives'); setImmediate(() => { throw new Error('no'); });"],
  ])('leaves nothing of a worker behind, by %s', async (name, end) => {
    const worker = `
      const { install, openAddon, reload } = await import(process.env.TRACE_CHILD);
      const { parentPort } = await import('node:worker_threads');
      ${LIVE}
      ${end}
    `;
    const { told, trace } = await endsOf(`
      import { once } from 'node:events';
      import { Worker } from 'node:worker_threads';
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(worker)})));
      worker.on('error', () => {});
      const ended = new Promise((resolve) => worker.once('exit', resolve));
      await new Promise((resolve) => worker.once('message', resolve));
      if (${JSON.stringify(name)} === 'worker.terminate') await worker.terminate();
      await ended;
      sayLeft();
    `);
    expect(told).toEqual([...replaced, ...stopped]);
    expect(trace).toEqual(['opened', 'reloaded stateless', '0 files, 0 mappings']);
  });
});
