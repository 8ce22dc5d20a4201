// How each kernel shows which of its builds runs: by the result of a call.
import assert from 'node:assert/strict';

/** One delay for each hour of the day. */
const ROWS = Float64Array.from({ length: 48 }, (_, at) => (at % 2 === 0 ? at : (at - 1) / 2));

/**
 * `begin` gives it the state that a reload is to carry over; `call` is the first call of a build; `check` asserts of its result
 * which one that was, and, where `isCarried`, that the state came along; `collect` collects the garbage of the Node.js that it runs in;
 * `outcome` is what becomes of a build when the next one is live.
 *
 * @typedef {{
 *   begin(exports: any): unknown,
 *   call(exports: any): unknown,
 *   check(result: any, version: number, isCarried: boolean): void,
 *   collect(exports: any): unknown,
 *   outcome: 'unloaded' | 'pinned',
 * }} Kernel
 */

/** What keeps a version in memory. @type {unknown[]} */
const pins = [];

/** @typedef {'minimal' | 'example' | 'pinned'} KernelName */

/** @type {Record<KernelName, Kernel>} */
export const KERNELS = {
  /** bench/addons/minimal.c */
  minimal: {
    begin: () => undefined,
    call: (exports) => exports.version(),
    check: (result, version) => assert.equal(result, version),
    collect: (exports) => exports.runScript('globalThis.gc?.()'),
    outcome: 'unloaded',
  },
  /** examples/stream-stats, with a number for each build */
  example: {
    begin: ({ push }) => assert.equal(push(ROWS), ROWS.length / 2),
    call: (exports) => exports.summary(),
    check(result, version, isCarried) {
      assert.equal(result.build, version);
      assert.equal(result.count, isCarried ? ROWS.length / 2 : 0);
    },
    collect: () => undefined,
    outcome: 'unloaded',
  },
  /** bench/addons/growth.c, of which each version is pinned */
  pinned: {
    begin: ({ pin }) => pins.push(pin()),
    call({ pin, version }) {
      pins.push(pin());
      return version();
    },
    check: (result, version) => assert.equal(result, version),
    collect: () => undefined,
    outcome: 'pinned',
  },
};

/** @param {string | undefined} name @returns {Kernel} */
export function kernelOf(name) {
  if (name === 'minimal' || name === 'example' || name === 'pinned') return KERNELS[name];
  throw new Error(`there is no kernel "${name}"`);
}
