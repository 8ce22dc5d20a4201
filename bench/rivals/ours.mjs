// A child that reloads by napi-reload. Arguments: the file, a folder, the kernel, options of open() as JSON.
import assert from 'node:assert/strict';
import path from 'node:path';
import { open } from '../../dist/index.js';
import { answer } from './answer.mjs';
import { kernelOf } from './kernels.mjs';

const [file = '', folder = '', name, options = '{}'] = process.argv.slice(2);
const kernel = kernelOf(name);
const addon = await open(file, { stageDir: path.join(folder, 'stage'), ...JSON.parse(options) });
await kernel.begin(addon.exports);

/** @typedef {{ ms: number, result: unknown, done: Promise<void> | null }} Call `done` where the result comes as a promise, from a host */

/** @param {number} startMs @returns {Call} */
function callFirst(startMs) {
  /** @type {Call} */
  const call = { ms: Number.NaN, result: undefined, done: null };
  const note = (/** @type {unknown} */ result) => {
    call.ms = performance.now() - startMs;
    call.result = result;
  };
  const result = kernel.call(addon.exports);
  if (result instanceof Promise) call.done = result.then(note);
  else note(result);
  return call;
}

await answer({
  async reload(version) {
    /** @type {Call[]} */
    const calls = [];
    const startMs = performance.now();
    // Between the switch and the end of the old version.
    addon.once('swapped', () => void calls.push(callFirst(startMs)));
    const report = await addon.reload();
    const [call] = calls;
    await call?.done;
    const ended = performance.now() - startMs;
    assert.ok(call !== undefined && report.status === 'reloaded', JSON.stringify(report));
    assert.equal(report.retired?.outcome, 'unloaded');
    kernel.check(call.result, version, true);
    return { first: call.ms, ended, phasesMs: report.phasesMs };
  },
  async collect() {
    await kernel.collect(addon.exports);
  },
  end: () => addon.close(),
});
