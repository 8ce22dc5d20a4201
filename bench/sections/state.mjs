// What a reload costs with much state in memory that stays, and with little: one process for each, as V8 counts the bytes
// of a process together. They take turns, so that a drift of the machine's speed falls on all.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { open } from '../../dist/index.js';
import { buildMemory, installer } from '../measure/fixtures.mjs';
import { quantile, spread } from '../measure/statistics.mjs';

const SMALL_BYTES = 2 ** 10;
const LARGE_BYTES = 2 ** 30;
const WARM_UP = 10;

/** @typedef {{ address(): bigint, fill(): void, checksum(): bigint }} Kernel */
/** @typedef {{ isAddressEqual: boolean, isChecksumEqual: boolean }} Verdict */

/** @param {number} rounds @param {readonly number[]} between the least and the most, which are always measured */
export async function measureMemory(rounds, between) {
  const children = [SMALL_BYTES, ...between, LARGE_BYTES].map((bytes) => ({
    bytes,
    child: startChild(bytes),
    ms: /** @type {number[]} */ ([]),
  }));
  for (const { child } of children) assert.equal(await ask(child, 'begin'), 'begun');
  for (let number = 1; number <= rounds + WARM_UP; number++) {
    for (const { child, ms } of children) {
      const elapsedMs = /** @type {number} */ (await ask(child, 'reload'));
      if (number > WARM_UP) ms.push(elapsedMs);
    }
  }
  const medians = children.map(({ ms }) => quantile(ms, 0.5));
  const verdicts = [];
  for (const { child } of children) verdicts.push(/** @type {Verdict} */ (await ask(child, 'end')));
  return {
    reloads: rounds,
    ms: Object.fromEntries(children.map(({ bytes, ms }) => [bytes, spread(ms)])),
    moreMs: Number(((medians.at(-1) ?? Number.NaN) - (medians[0] ?? Number.NaN)).toFixed(3)),
    isAddressEqual: verdicts.every(({ isAddressEqual }) => isAddressEqual),
    isChecksumEqual: verdicts.every(({ isChecksumEqual }) => isChecksumEqual),
  };
}

/** @param {number} bytes */
function startChild(bytes) {
  return fork(fileURLToPath(import.meta.url), [buildMemory(bytes)], { stdio: 'inherit' });
}

/** @param {import('node:child_process').ChildProcess} child @param {string} request @returns {Promise<unknown>} */
function ask(child, request) {
  return new Promise((resolve, reject) => {
    const onExit = (/** @type {unknown} */ code) => {
      child.off('message', onMessage);
      reject(new Error(`the benchmark of memory ended with ${code}`));
    };
    const onMessage = (/** @type {unknown} */ answer) => {
      child.off('exit', onExit);
      resolve(answer);
    };
    child.once('exit', onExit).once('message', onMessage);
    child.send(request);
  });
}

/** @param {string} built */
async function serve(built) {
  const folder = mkdtempSync(path.join(tmpdir(), 'napi-reload-bench-'));
  const file = path.join(folder, 'memory.node');
  const install = installer(built, file);
  install();
  const addon = /** @type {import('../../dist/index.js').Addon<Kernel>} */ (
    await open(file, { stageDir: path.join(folder, 'stage') })
  );
  const { address, fill, checksum } = addon.exports;
  fill();
  const before = { address: address(), checksum: checksum() };
  const answers = {
    begin: () => 'begun',
    async reload() {
      install();
      const startMs = performance.now();
      const { status } = await addon.reload();
      const elapsedMs = performance.now() - startMs;
      assert.equal(status, 'reloaded');
      return elapsedMs;
    },
    async end() {
      /** @type {Verdict} */
      const verdict = {
        isAddressEqual: address() === before.address,
        isChecksumEqual: checksum() === before.checksum,
      };
      await addon.close();
      rmSync(folder, { recursive: true });
      return verdict;
    },
  };
  process.on('message', async (/** @type {keyof typeof answers} */ request) => {
    const answer = await answers[request]();
    process.send?.(answer, () => request === 'end' && process.disconnect());
  });
}

if (process.send !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) {
  await serve(process.argv[2] ?? '');
}
