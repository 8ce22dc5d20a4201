// An addon with state that is reloaded again and again, in a process of its own: V8 counts the bytes of a process together.
import assert from 'node:assert/strict';
import path from 'node:path';
import { open } from '../../dist/index.js';
import { Builds } from '../measure/builds.mjs';
import { answer } from '../measure/children.mjs';

/**
 * @typedef {{
 *   version(): number, address(): bigint, fill(): void, checksum(): bigint, mark(number: number): void, marked(): number,
 * }} Kernel
 */
/** @typedef {import('../../dist/index.js').Addon<import('../../dist/index.js').Remote<Kernel>>} Handle */
/** @typedef {{ folder: string, built: string[], options: object, staysInPlace: boolean }} Settings */

/** @type {Handle} */
let handle;
/** @type {Builds} */
let builds;
let staysInPlace = false;
let marks = 0;

async function lookAtAll() {
  const { address, checksum } = handle.exports;
  return { checksum: await checksum(), address: staysInPlace ? await address() : null };
}

answer({
  /** @param {Settings} settings */
  async begin(settings) {
    const { folder, built, options } = settings;
    const file = path.join(folder, 'state.node');
    staysInPlace = settings.staysInPlace;
    builds = new Builds(built, file);
    builds.install();
    const all = /** @type {any} */ ({ stageDir: path.join(folder, 'stage'), ...options });
    handle = /** @type {Handle} */ (await open(file, all));
    await handle.exports.fill();
  },
  /** @param {boolean} looks whether at all of the state, before and after @returns {Promise<number>} ms until the new version is live */
  async reload(looks) {
    const { version, mark, marked } = handle.exports;
    await mark(++marks);
    const before = looks ? await lookAtAll() : null;
    const wanted = builds.install();
    const startMs = performance.now();
    const { status, phasesMs } = await handle.reload();
    const ms = performance.now() - startMs;
    assert.equal(status, 'reloaded');
    assert.equal(await version(), wanted);
    assert.equal(await marked(), marks);
    if (before !== null) assert.deepEqual(await lookAtAll(), before);
    return ms - (phasesMs.retire ?? 0);
  },
  end: () => handle.close(),
});
