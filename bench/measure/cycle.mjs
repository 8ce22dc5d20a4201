// What the shim's part of a reload is made of: the same steps as in src/stage, src/load and src/retire, timed one by one.
import assert from 'node:assert/strict';
import path from 'node:path';
import { loadNative } from '../../dist/native.js';
import { KERNELS } from '../rivals/kernels.mjs';
import { Builds } from './builds.mjs';
import { collect } from './statistics.mjs';

const WARM_UP = 20;
/** As an addon is staged that is opened without options. */
const WISHES = { examine: true, rebind: true, libraries: true };

/** @typedef {<T>(name: string, run: () => T) => T} During times a step */

/**
 * @param {readonly string[]} builds of the example, each less than a mebibyte @param {string} folder @param {number} rounds
 * @returns {Record<string, number[]>} ms of each step
 */
export function measureCycle(builds, folder, rounds) {
  const native = loadNative();
  const source = path.join(folder, 'cycle.node');
  const versions = new Builds(builds, source);
  const directory = native.stageOpen(path.join(folder, 'cycle'), 'cycle');
  assert.ok(directory.ok);
  /** @type {Record<string, number[]>} */
  const times = {};
  try {
    for (let number = 0; number < rounds + WARM_UP; number++) {
      const steps = number < WARM_UP ? {} : times;
      /** @type {During} */
      const during = (name, run) => {
        const startMs = performance.now();
        const result = run();
        collect(steps, name, performance.now() - startMs);
        return result;
      };
      const build = versions.install();
      runCycle(source, { id: number + 1, build }, directory.handle, during);
    }
  } finally {
    native.stageClose(directory.handle);
  }
  return times;
}

/** @param {string} source @param {{ id: number, build: number }} version @param {object} directory @param {During} during */
function runCycle(source, { id, build }, directory, during) {
  const native = loadNative();
  const staged = during('copy, hash, rebind', () => native.stageCopy(directory, source, id, null, WISHES));
  assert.ok('kind' in staged && staged.kind === 'staged' && staged.binding?.ok);
  const { path: copy, binding } = staged;
  const request = { ...binding, id, source, path: copy, share: null };
  const opened = during('dlopen', () => native.imageOpen(request));
  assert.ok(opened.ok);
  const { handle } = opened;
  const module = { exports: {}, filename: source };
  during('environment', () => {
    native.mintBegin(handle);
    process.dlopen(module, native.shimPath);
    assert.ok(native.mintEnd(handle));
  });
  const exports = during('init', () => native.init(handle, module.exports));
  KERNELS.example.check(KERNELS.example.call(exports), build, false);
  const { outcome } = during('retire', () => native.retire(handle, true));
  assert.equal(outcome, 'unloaded');
  assert.equal(
    during('delete the copy', () => native.stageDiscard(directory, copy)),
    null,
  );
}
