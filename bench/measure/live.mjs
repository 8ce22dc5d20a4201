// The time of a reload: to the first result of the new version, and to the end of the old one.
import assert from 'node:assert/strict';

/** @typedef {import('../../dist/index.js').Addon<any>} Addon */
/** @typedef {Extract<import('../../dist/index.js').ReloadReport, { status: 'reloaded' }>} Report */
/** @typedef {{ firstMs: number, wholeMs: number, result: unknown, report: Report }} Reload */

/**
 * The first call is made by a listener of `swapped`, so between the switch and the end of the old version. Where versions run
 * elsewhere its result is awaited.
 *
 * @param {Addon} addon @param {() => unknown} call @returns {Promise<Reload>} of a build that was installed
 */
export async function timeReload(addon, call) {
  /** @type {Promise<unknown> | null} */
  let called = null;
  let firstMs = Number.NaN;
  /** @type {unknown} */
  let result;
  const note = (/** @type {unknown} */ of) => {
    firstMs = performance.now() - startMs;
    result = of;
  };
  const startMs = performance.now();
  addon.once('swapped', () => {
    const answer = call();
    if (answer instanceof Promise) called = answer.then(note);
    else note(answer);
  });
  const report = await addon.reload();
  await called;
  const wholeMs = performance.now() - startMs;
  assert.ok(report.status === 'reloaded' && !Number.isNaN(firstMs), JSON.stringify(report));
  return { firstMs, wholeMs, result, report };
}
