// One way to take new code of an addon, ours or plain, at one point along which it may grow.
import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { open } from '../../dist/index.js';
import { Builds } from '../measure/builds.mjs';
import { serve } from '../measure/child.mjs';
import { timeReload } from '../measure/live.mjs';
import { loadPlain } from '../measure/load.mjs';

const WARM_UP = 5;

/** @typedef {{ version(): number, pin(): unknown }} Kernel */
/** @typedef {{ builds: readonly string[], pinned?: number, live?: number }} Setup versions that stay in memory; other addons that are open */
/** @typedef {{ folder: string, way: string } & Setup} Settings */
/** @typedef {{ fill(setup: Setup): Promise<void>, reload(): Promise<number>, end(): Promise<void> }} Way `reload` gives ms */

/** @param {Settings} settings @returns {{ file: string, builds: Builds, makeOther(number: number): string }} */
function filesOf({ folder, builds }) {
  const file = path.join(folder, 'kernel.node');
  return {
    file,
    builds: new Builds(builds, file),
    /** Another addon, with bytes of its own. */
    makeOther(number) {
      const other = path.join(folder, `other-${number}.node`);
      copyFileSync(builds[0] ?? '', other);
      appendFileSync(other, `other ${number}`);
      return other;
    },
  };
}

/** @param {Settings} settings @returns {Promise<Way>} */
async function ours(settings) {
  const { file, builds, makeOther } = filesOf(settings);
  const stageDir = path.join(settings.folder, 'stage');
  builds.install();
  const addon = /** @type {import('../../dist/index.js').Addon<Kernel>} */ (await open(file, { stageDir }));
  // That there are many in memory is what is measured.
  addon.on('warning', () => undefined);
  const { version, pin } = addon.exports;
  /** @type {unknown[]} */
  const pins = [];
  /** @type {import('../../dist/index.js').Addon[]} */
  const others = [];
  const reload = async () => {
    const installed = builds.install();
    const { firstMs, result } = await timeReload(addon, version);
    assert.equal(result, installed);
    return firstMs;
  };
  return {
    async fill({ pinned = 0, live = 0 }) {
      while (others.length < live) others.push(await open(makeOther(others.length), { stageDir }));
      while (pins.length < pinned) {
        pins.push(pin());
        await reload();
      }
    },
    reload,
    async end() {
      assert.equal(addon.versions().filter(({ state }) => state === 'pinned').length, pins.length);
      for (const each of [addon, ...others]) await each.close();
    },
  };
}

/** @param {Settings} settings @returns {Way} */
function plain(settings) {
  const { folder } = settings;
  const { file, builds, makeOther } = filesOf(settings);
  let copies = 0;
  /** @param {string} from @returns {Kernel} */
  const load = (from) => {
    const copy = path.join(folder, `copy-${copies++}.node`);
    copyFileSync(from, copy);
    return loadPlain(copy);
  };
  // So that the disk has room. It stays mapped.
  const forget = () => rmSync(path.join(folder, `copy-${copies - 1}.node`));
  return {
    async fill({ pinned = 0, live = 0 }) {
      for (let number = 0; number < pinned + live; number++) {
        const other = makeOther(number);
        assert.equal(load(other).version(), 1);
        forget();
        rmSync(other);
      }
    },
    async reload() {
      const installed = builds.install();
      const startMs = performance.now();
      const answer = load(file).version();
      const tookMs = performance.now() - startMs;
      forget();
      assert.equal(answer, installed);
      return tookMs;
    },
    async end() {},
  };
}

serve(async (/** @type {Settings} */ settings) => {
  const { fill, reload, end } = settings.way === 'ours' ? await ours(settings) : plain(settings);
  await fill(settings);
  for (let number = 0; number < WARM_UP; number++) await reload();
  return { reload, end };
});
