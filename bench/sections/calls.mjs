// Cost of one call before a reload and after ten, for one variant, in a process of its own: variants in one process
// spoil each other's feedback. What counts is the cost after: before a reload V8 folds an indirection away.
import { copyFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { open } from '../../dist/index.js';
import { quantile } from '../measure/statistics.mjs';

const RELOADS = 10;
/** Of a millisecond or less, so that some have the processor to themselves. */
const ROUNDS = 200;
const [variant = '', versionsJson = '[]', callsText = ''] = process.argv.slice(2);
const versions = /** @type {string[]} */ (JSON.parse(versionsJson));
const calls = Number(callsText);
const folder = mkdtempSync(path.join(tmpdir(), 'napi-reload-bench-'));

/** @typedef {{ add(a: number, b: number): number, noop(): void, version: number }} Minimal */

let loads = 0;
/** @returns {Minimal} */
function loadCopy() {
  const copy = path.join(folder, `copy-${loads}.node`);
  copyFileSync(/** @type {string} */ (versions[loads++ % 2]), copy);
  const module = { exports: /** @type {Minimal} */ ({}) };
  process.dlopen(module, copy, constants.dlopen.RTLD_NOW);
  return module.exports;
}

/** Each variant: the two functions, and what a reload is to it. */
const variants = {
  direct() {
    const { add, noop } = loadCopy();
    return { add, noop, reload: async () => void loadCopy() };
  },
  closure() {
    let current = loadCopy();
    return {
      add: (/** @type {number} */ a, /** @type {number} */ b) => current.add(a, b),
      noop: () => current.noop(),
      reload: async () => {
        current = loadCopy();
      },
    };
  },
  proxy() {
    let current = loadCopy();
    const proxy = new Proxy(/** @type {Minimal} */ ({}), { get: (_, key) => Reflect.get(current, key) });
    return {
      add: (/** @type {number} */ a, /** @type {number} */ b) => proxy.add(a, b),
      noop: () => proxy.noop(),
      reload: async () => {
        current = loadCopy();
      },
    };
  },
  async 'napi-reload'() {
    const file = path.join(folder, 'minimal.node');
    const install = () => {
      copyFileSync(/** @type {string} */ (versions[loads++ % 2]), `${file}.new`);
      renameSync(`${file}.new`, file);
    };
    install();
    const addon = await open(file, { stageDir: path.join(folder, 'stage') });
    const { add, noop } = /** @type {Minimal} */ (addon.exports);
    return {
      add,
      noop,
      async reload() {
        install();
        const { status } = await addon.reload();
        if (status !== 'reloaded') throw new Error('the reload did not happen');
      },
    };
  },
};

const { add, noop, reload } = await variants[/** @type {keyof typeof variants} */ (variant)]();

/** @param {number} n */
function callAdd(n) {
  let sum = 0;
  for (let i = 0; i < n; i++) sum = add(sum, 1);
  return sum;
}
/** @param {number} n */
function callNoop(n) {
  for (let i = 0; i < n; i++) noop();
}

/** @param {(n: number) => unknown} loop */
function nsPerCall(loop) {
  const times = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    loop(calls / ROUNDS);
    times.push(Number(process.hrtime.bigint() - start) / (calls / ROUNDS));
  }
  // The fastest: the others tell what else the machine did meanwhile.
  return quantile(times, 0);
}

function measure() {
  nsPerCall(callAdd);
  nsPerCall(callNoop);
  return { addNs: nsPerCall(callAdd), noopNs: nsPerCall(callNoop) };
}

const before = measure();
for (let i = 0; i < RELOADS; i++) {
  callAdd(20_000);
  callNoop(20_000);
  await reload();
}
const after = measure();
console.log(JSON.stringify({ before, after }));
rmSync(folder, { recursive: true, force: true });
