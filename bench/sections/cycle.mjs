// What the shim's part of a reload is made of: the same steps as in src/stage, src/load and src/retire, timed one by one.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { quantile, round } from '../measure/statistics.mjs';

const WARM_UP = 20;
/** @type {import('../../dist/native.js').Native} */
const shim = createRequire(import.meta.url)('../../build/Release/napi_reload.node');

/** @param {string} source a file of less than a mebibyte @param {number} rounds @returns {Record<string, number>} medians in ms */
export function measureCycle(source, rounds) {
  const folder = mkdtempSync(path.join(tmpdir(), 'napi-reload-bench-'));
  const directory = shim.stageOpen(path.join(folder, 'stage'), 'cycle');
  assert.ok(directory.ok);
  /** @type {Record<string, number[]>} */
  const times = {};
  for (let number = 1; number <= rounds + WARM_UP; number++) {
    const steps = number > WARM_UP ? times : {};
    /** @template T @param {string} name @param {() => T} run @returns {T} */
    const during = (name, run) => {
      const startMs = performance.now();
      const result = run();
      steps[name] = [...(steps[name] ?? []), performance.now() - startMs];
      return result;
    };
    cycle(source, number, directory.handle, during);
  }
  shim.stageClose(directory.handle);
  rmSync(folder, { recursive: true });
  return Object.fromEntries(Object.entries(times).map(([name, ms]) => [name, round(quantile(ms, 0.5))]));
}

/** @param {string} source @param {number} id @param {object} directory @param {<T>(name: string, run: () => T) => T} during */
function cycle(source, id, directory, during) {
  const staged = during('copy and hash', () => shim.stageCopy(directory, source, id, null));
  assert.ok('kind' in staged && staged.kind === 'staged');
  const rebound = during('rebind', () => shim.rebind(staged.path, source));
  assert.ok(rebound.ok);
  const opened = during('dlopen', () => shim.imageOpen({ ...rebound, id, source, path: staged.path }));
  assert.ok(opened.ok);
  const { handle } = opened;
  const module = { exports: {}, filename: source };
  during('environment', () => {
    shim.mintBegin(handle);
    process.dlopen(module, shim.shimPath);
    assert.ok(shim.mintEnd(handle));
  });
  during('init', () => shim.init(handle, module.exports));
  const { outcome } = during('retire', () => shim.retire(handle, true));
  assert.equal(outcome, 'unloaded');
  shim.stageDiscard(directory, staged.path);
}
