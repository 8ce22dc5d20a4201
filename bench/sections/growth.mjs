// How a reload grows: with the bytes of the image, the functions that it exports, and the versions that stay in memory because
// something of them is still in use. Beside it the plain way, a copy and process.dlopen, where it grows too.
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { open } from '../../dist/index.js';
import { buildGrown, installer } from '../measure/fixtures.mjs';
import { spread } from '../measure/statistics.mjs';

const SMALL_BYTES = 1024;
const WARM_UP = 3;

/**
 * @param {{ bytes: readonly number[], functions: readonly number[], pinned: readonly number[], rounds: number }} points
 */
export async function measureGrowth({ bytes, functions, pinned, rounds }) {
  /** @type {Record<string, unknown>} */
  const [byBytes, byFunctions] = [{}, {}];
  for (const count of bytes) byBytes[count] = await measure(buildGrown(1, count), rounds);
  for (const count of functions) byFunctions[count] = await measure(buildGrown(count, SMALL_BYTES), rounds);
  return { byBytes, byFunctions, byPinned: await measurePinned(pinned, rounds) };
}

/** @template T @param {string} built @param {(file: string, folder: string, install: () => void) => Promise<T>} work */
async function inFolder(built, work) {
  const folder = mkdtempSync(path.join(tmpdir(), 'napi-reload-bench-'));
  const file = path.join(folder, 'growth.node');
  const install = installer(built, file);
  install();
  try {
    return await work(file, folder, install);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param {import('../../dist/index.js').Addon} addon @returns ms until the new version is live */
async function timeReload(addon) {
  const startMs = performance.now();
  const { status, phasesMs } = await addon.reload();
  const ms = performance.now() - startMs;
  assert.equal(status, 'reloaded');
  return ms - (phasesMs.retire ?? 0);
}

/** @param {string} built @param {number} rounds */
function measure(built, rounds) {
  return inFolder(built, async (file, folder, install) => {
    const addon = await open(file, { stageDir: path.join(folder, 'stage') });
    const [ours, plain] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
    for (let number = -WARM_UP; number < rounds; number++) {
      install();
      const oursMs = await timeReload(addon);
      const copy = path.join(folder, `plain-${number}.node`);
      const startMs = performance.now();
      copyFileSync(file, copy);
      process.dlopen({ exports: {} }, copy, constants.dlopen.RTLD_NOW);
      const plainMs = performance.now() - startMs;
      // So that the disk has room; it stays mapped.
      rmSync(copy);
      if (number < 0) continue;
      ours.push(oursMs);
      plain.push(plainMs);
    }
    await addon.close();
    return { 'napi-reload': spread(ours), 'copy and process.dlopen': spread(plain) };
  });
}

/** @param {readonly number[]} counts growing @param {number} rounds */
function measurePinned(counts, rounds) {
  return inFolder(buildGrown(1, SMALL_BYTES), async (file, folder, install) => {
    const addon = await open(file, { stageDir: path.join(folder, 'stage') });
    // That there are many is what is measured.
    addon.on('warning', () => undefined);
    const { pin } = /** @type {{ pin(): unknown }} */ (addon.exports);
    /** @type {unknown[]} */
    const pins = [];
    const reload = () => {
      install();
      return timeReload(addon);
    };
    /** @type {Record<string, unknown>} */
    const figures = {};
    for (const count of counts) {
      while (pins.length < count) {
        pins.push(pin());
        await reload();
      }
      const ms = [];
      for (let number = -WARM_UP; number < rounds; number++) {
        const oneMs = await reload();
        if (number >= 0) ms.push(oneMs);
      }
      assert.equal(addon.versions().filter(({ state }) => state === 'pinned').length, count);
      figures[count] = { 'napi-reload': spread(ms) };
    }
    assert.equal(pins.length, counts.at(-1));
    await addon.close();
    return figures;
  });
}
