// Handles of one addon, in a process of their own: what they leave running burdens nobody else.
import assert from 'node:assert/strict';
import path from 'node:path';
import { open } from '../../dist/index.js';
import { Builds } from '../measure/builds.mjs';
import { serve } from '../measure/child.mjs';
import { timeReload } from '../measure/live.mjs';

/** @typedef {{ sum(values: Float64Array): number, version(): number }} Kernel */
/** @typedef {import('../../dist/index.js').Addon<import('../../dist/index.js').Remote<Kernel>>} Handle */
/** @typedef {{ folder: string, built: string[], options: object }} Settings */
/** @typedef {{ ms: number, sum: number }} Sum */
/** @typedef {{ firstMs: number, wholeMs: number, rehearsalMs: number | null }} Reload */

serve(async (/** @type {Settings} */ { folder, built, options }) => {
  const file = path.join(folder, 'hosts.node');
  const builds = new Builds(built, file);
  const firstVersion = builds.install();
  const openOne = async () => {
    const all = /** @type {any} */ ({ stageDir: path.join(folder, 'stage'), ...options });
    const handle = /** @type {Handle} */ (await open(file, all));
    assert.equal(await handle.exports.version(), firstVersion);
    return handle;
  };
  const first = await openOne();
  const handles = [first];
  let values = new Float64Array();
  return {
    async openMore() {
      handles.push(await openOne());
      globalThis.gc?.();
    },
    /** @param {{ bytes: number, isAllocated: boolean }} array */
    fill({ bytes, isAllocated }) {
      values = new Float64Array(isAllocated ? first.allocate(bytes) : new ArrayBuffer(bytes));
      for (let index = 0; index < values.length; index++) values[index] = (index % 1000) / 500;
    },
    /** @returns {Promise<Sum>} */
    async sum() {
      const startMs = performance.now();
      const sum = await first.exports.sum(values);
      return { ms: performance.now() - startMs, sum };
    },
    /** @returns {Promise<Reload>} */
    async reload() {
      const version = builds.install();
      const { firstMs, wholeMs, result, report } = await timeReload(first, first.exports.version);
      assert.equal(result, version);
      return { firstMs, wholeMs, rehearsalMs: report.phasesMs.rehearse ?? null };
    },
    async end() {
      for (const handle of handles) await handle.close();
    },
  };
});
