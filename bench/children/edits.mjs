// A project that napi-reload watches and builds, which is edited when it is asked for.
import assert from 'node:assert/strict';
import path from 'node:path';
import { open } from '../../dist/index.js';
import { ADDON, save } from '../builders/projects.mjs';
import { serve } from '../measure/child.mjs';

/** @typedef {{ value(): number }} Kernel */
/** @typedef {import('../../dist/index.js').Addon<Kernel>} Addon */

const [folder = '', project = '', buildText = '"auto"'] = process.argv.slice(2);
/** @type {Addon | null} */
let opened = null;

/** @param {Addon} addon @param {'reloaded' | 'unchanged'} event @param {number} number @returns {Promise<number>} ms from the save to the event */
function saveUntil(addon, event, number) {
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
    save(project, number);
  });
}

/** @returns {Addon} */
function addonOf() {
  assert(opened !== null, 'begin comes first');
  return opened;
}

serve({
  async begin() {
    opened = /** @type {Addon} */ (
      await open(path.join(project, ADDON), {
        build: JSON.parse(buildText),
        watch: true,
        stageDir: path.join(folder, 'stage'),
      })
    );
    assert.equal(opened.exports.value(), 0);
  },
  /** @param {number} number */
  async edit(number) {
    const addon = addonOf();
    const { value } = addon.exports;
    const tookMs = await saveUntil(addon, 'reloaded', number);
    assert.equal(value(), number);
    return tookMs;
  },
  /** @param {number} number the one that it has */
  async same(number) {
    const addon = addonOf();
    assert.equal(addon.exports.value(), number);
    return saveUntil(addon, 'unchanged', number);
  },
  end: () => opened?.close(),
});
