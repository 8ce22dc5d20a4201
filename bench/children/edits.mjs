// A project that napi-reload watches and builds, which is edited when it is asked for.
import assert from 'node:assert/strict';
import path from 'node:path';
import { open } from '../../dist/index.js';
import { ADDON, save } from '../builders/projects.mjs';
import { serve } from '../measure/child.mjs';

/** @typedef {{ value(): number }} Kernel */
/** @typedef {import('../../dist/index.js').Addon<Kernel>} Addon */
/** @typedef {{ folder: string, project: string, build: NonNullable<import('../../dist/index.js').OpenOptions['build']> }} Settings */

/** @param {Addon} addon @param {'reloaded' | 'unchanged'} event @param {() => void} save @returns {Promise<number>} ms from the save to the event */
function timeUntil(addon, event, save) {
  return new Promise((resolve, reject) => {
    const startMs = performance.now();
    /** @param {Error | null} error */
    const settle = (error) => {
      const tookMs = performance.now() - startMs;
      addon.off('failed', settle);
      addon.off(event, onEvent);
      if (error === null) resolve(tookMs);
      else reject(error);
    };
    const onEvent = () => settle(null);
    addon.on('failed', settle);
    addon.on(event, onEvent);
    save();
  });
}

serve(async (/** @type {Settings} */ { folder, project, build }) => {
  const stageDir = path.join(folder, 'stage');
  const addon = /** @type {Addon} */ (
    await open(path.join(project, ADDON), { build, watch: true, stageDir })
  );
  const { value } = addon.exports;
  assert.equal(value(), 0);
  return {
    /** @param {number} number */
    async edit(number) {
      const tookMs = await timeUntil(addon, 'reloaded', () => save(project, number));
      assert.equal(value(), number);
      return tookMs;
    },
    /** @param {number} number the one that it has */
    async same(number) {
      assert.equal(value(), number);
      return timeUntil(addon, 'unchanged', () => save(project, number));
    },
    end: () => addon.close(),
  };
});
