// An addon with so many live instances, which is reloaded when it is asked for.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { open } from '../../dist/index.js';
import { Builds } from '../measure/builds.mjs';
import { serve } from '../measure/child.mjs';

const WARM_UP = 3;
const KIB = 2 ** 10;

/** @typedef {{ get(): number }} Point */
/** @typedef {{ folder: string, builds: string[], count: number }} Settings the instances of the first build say their value, those of the second twice that */
/** @typedef {{ switchMs: number, wholeMs: number, heldBytes: number }} Move */

/**
 * What this process alone has in memory once all that nobody holds is gone. Not counted are pages of files: what it has of those
 * by the count of all who share them changes with other processes, and no image stays, which is asserted.
 *
 * @returns {Promise<number>} bytes
 */
async function heldBytes() {
  for (let times = 0; times < 2; times++) {
    globalThis.gc?.();
    // Finalizers of natives run in a turn of their own.
    await nextTurn();
  }
  const rollup = readFileSync('/proc/self/smaps_rollup', 'latin1');
  return Number(/^Anonymous:\s+(\d+) kB$/m.exec(rollup)?.[1]) * KIB;
}

serve(async (/** @type {Settings} */ { folder, builds, count }) => {
  const file = path.join(folder, 'points.node');
  const versions = new Builds(builds, file);
  versions.install();
  const addon = await open(file, { stageDir: path.join(folder, 'stage') });
  const { Point } = /** @type {{ Point: new (value: number) => Point }} */ (addon.exports);
  const points = Array.from({ length: count }, (_, value) => new Point(value));
  /** @param {number} factor */
  const checkValues = (factor) => {
    // Where there are none, what is made now shows which code is live.
    assert.equal(new Point(21).get(), 21 * factor);
    for (const [value, point] of points.entries())
      if (point.get() !== value * factor) throw new Error(`instance ${value} lost its value`);
  };
  /** @returns {Promise<Move>} */
  const reload = async () => {
    const version = versions.install();
    const startMs = performance.now();
    const report = await addon.reload();
    const wholeMs = performance.now() - startMs;
    assert.equal(report.status, 'reloaded');
    assert.equal(report.retired?.outcome, 'unloaded');
    checkValues(version);
    const { save = 0, migrate = 0, init = 0, verify = 0, swap = 0 } = report.phasesMs;
    return { switchMs: save + migrate + init + verify + swap, wholeMs, heldBytes: await heldBytes() };
  };
  for (let number = 0; number < WARM_UP; number++) await reload();
  return { reload, end: () => addon.close() };
});
