// An addon with state that is reloaded again and again, in a process of its own: V8 counts the bytes of a process together.
import assert from 'node:assert/strict';
import path from 'node:path';
import { open } from '../../dist/index.js';
import { Builds } from '../measure/builds.mjs';
import { serve } from '../measure/child.mjs';
import { timeReload } from '../measure/live.mjs';

/**
 * @typedef {{
 *   version(): number, address(): bigint, fill(): void, checksum(): bigint, mark(number: number): void, marked(): number,
 * }} Kernel
 */
/** @typedef {import('../../dist/index.js').Addon<import('../../dist/index.js').Remote<Kernel>>} Handle */
/** @typedef {{ folder: string, built: string[], options: object, staysInPlace: boolean }} Settings */

serve(async (/** @type {Settings} */ { folder, built, options, staysInPlace }) => {
  const file = path.join(folder, 'state.node');
  const builds = new Builds(built, file);
  builds.install();
  const all = /** @type {any} */ ({ stageDir: path.join(folder, 'stage'), ...options });
  const handle = /** @type {Handle} */ (await open(file, all));
  await handle.exports.fill();
  let marks = 0;
  const lookAtAll = async () => {
    const { address, checksum } = handle.exports;
    return { checksum: await checksum(), address: staysInPlace ? await address() : null };
  };
  return {
    /** @param {boolean} looks whether at all of the state, before and after @returns {Promise<number>} ms until the first result */
    async reload(looks) {
      const { version, mark, marked } = handle.exports;
      await mark(++marks);
      const before = looks ? await lookAtAll() : null;
      const wanted = builds.install();
      const { firstMs, result } = await timeReload(handle, version);
      assert.equal(result, wanted);
      assert.equal(await marked(), marks);
      if (before !== null) assert.deepEqual(await lookAtAll(), before);
      return firstMs;
    },
    end: () => handle.close(),
  };
});
