// Handles of one addon, in a process of their own: what they leave running burdens nobody else.
import assert from 'node:assert/strict';
import path from 'node:path';
import { open } from '../../dist/index.js';
import { Builds } from '../measure/builds.mjs';
import { answer } from '../measure/children.mjs';

/** @typedef {{ sum(values: Float64Array): number, version(): number }} Kernel */
/** @typedef {import('../../dist/index.js').Addon<import('../../dist/index.js').Remote<Kernel>>} Handle */
/** @typedef {{ folder: string, built: string[], options: object }} Settings */

/** @type {Handle[]} */
const handles = [];
/** @type {() => Promise<Handle>} */
let openOne;
/** @type {Builds} */
let builds;
/** @type {Float64Array} */
let values;

function first() {
  const [handle] = handles;
  if (handle === undefined) throw new Error('no handle was opened');
  return handle;
}

answer({
  /** @param {Settings} settings */
  async begin({ folder, built, options }) {
    const file = path.join(folder, 'hosts.node');
    builds = new Builds(built, file);
    const version = builds.install();
    openOne = async () => {
      const all = /** @type {any} */ ({ stageDir: path.join(folder, 'stage'), ...options });
      const handle = /** @type {Handle} */ (await open(file, all));
      handles.push(handle);
      assert.equal(await handle.exports.version(), version);
      return handle;
    };
    await openOne();
  },
  async openMore() {
    await openOne();
    globalThis.gc?.();
  },
  /** @param {{ bytes: number, isAllocated: boolean }} array */
  fill({ bytes, isAllocated }) {
    values = new Float64Array(isAllocated ? first().allocate(bytes) : new ArrayBuffer(bytes));
    for (let index = 0; index < values.length; index++) values[index] = (index % 1000) / 500;
  },
  async sum() {
    const startMs = performance.now();
    const sum = await first().exports.sum(values);
    return { ms: performance.now() - startMs, sum };
  },
  /** @returns {Promise<{ wholeMs: number, liveMs: number, rehearsalMs: number | null }>} */
  async reload() {
    const version = builds.install();
    const startMs = performance.now();
    const { status, phasesMs } = await first().reload();
    const wholeMs = performance.now() - startMs;
    assert.equal(status, 'reloaded');
    assert.equal(await first().exports.version(), version);
    return { wholeMs, liveMs: wholeMs - (phasesMs.retire ?? 0), rehearsalMs: phasesMs.rehearse ?? null };
  },
  async end() {
    for (const handle of handles) await handle.close();
  },
});
