// From a built file to the first result of its code, each way beside the others: with napi-reload, and without. The kernel is
// minimal.c. They take turns, so that a drift of the machine's speed falls on all of them.
import assert from 'node:assert/strict';
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { open } from '../../dist/index.js';
import { buildMinimal } from '../measure/fixtures.mjs';
import { measureRivals } from './rivals.mjs';
import { round, spread } from '../measure/statistics.mjs';

const SELF = fileURLToPath(import.meta.url);
const SERVE = fileURLToPath(new URL('./serve.mjs', import.meta.url));
const WARM_UP = 3;
/** In which the host for the next reload starts. Nothing tells that it has. */
const SPARE_MS = 500;
const PAGE_BYTES = 4096;
const WEIGHED_WARM_UP = 200;

/** @typedef {{ add(a: number, b: number): number | Promise<number> }} Kernel */
/** @typedef {{ reload(): Promise<unknown>, end(): Promise<unknown> }} Way `reload` ends with a result of the new code */

/** @param {string} file @returns {Kernel} */
function load(file) {
  const module = { exports: /** @type {Kernel} */ ({}) };
  process.dlopen(module, file, constants.dlopen.RTLD_NOW);
  return module.exports;
}

/** @param {string} file @param {string} folder @param {import('../../dist/index.js').OpenOptions} options @returns {Promise<Way>} */
async function ours(file, folder, options) {
  const addon = await open(file, { stageDir: path.join(folder, 'stage'), ...options });
  const { add } = /** @type {Kernel} */ (addon.exports);
  return {
    async reload() {
      const { status } = await addon.reload();
      assert.equal(status, 'reloaded');
      assert.equal(await add(1, 2), 3);
    },
    end: () => addon.close(),
  };
}

/** @type {Record<string, (file: string, folder: string) => Promise<Way>>} */
const WAYS = {
  'napi-reload': (file, folder) => ours(file, folder, {}),
  'napi-reload, Worker': (file, folder) => ours(file, folder, { isolation: 'worker' }),
  'napi-reload, process': (file, folder) => ours(file, folder, { isolation: 'process' }),
  'napi-reload, process used again': (file, folder) =>
    ours(file, folder, { isolation: 'process', host: { reuse: true } }),
  async 'copy and process.dlopen'(file, folder) {
    let copies = 0;
    return {
      async reload() {
        const copy = path.join(folder, `copy-${copies++}.node`);
        copyFileSync(file, copy);
        assert.equal(load(copy).add(1, 2), 3);
      },
      async end() {},
    };
  },
  async 'Worker started again'(file) {
    /** @type {Worker | null} */
    let worker = null;
    return {
      async reload() {
        await worker?.terminate();
        worker = new Worker(SERVE, { workerData: { file } });
        assert.deepEqual(await once(worker, 'message'), [3]);
      },
      end: async () => worker?.terminate(),
    };
  },
  async 'process started again'(file) {
    /** @type {import('node:child_process').ChildProcess | null} */
    let child = null;
    const stop = async () => {
      if (child === null) return;
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    };
    return {
      async reload() {
        await stop();
        child = fork(SERVE, [file]);
        assert.deepEqual((await once(child, 'message'))[0], 3);
      },
      end: stop,
    };
  },
};

/** A file that each build replaces by one with other bytes, as after an edit. */
class Output {
  folder = mkdtempSync(path.join(tmpdir(), 'napi-reload-bench-'));
  file = path.join(this.folder, 'kernel.node');
  #bytes = readFileSync(buildMinimal()[0] ?? '');
  #builds = 0;

  constructor() {
    this.build();
  }

  build() {
    const count = Buffer.from(String(this.#builds++).padStart(8, '0'));
    writeFileSync(`${this.file}.new`, Buffer.concat([this.#bytes, count]));
    renameSync(`${this.file}.new`, this.file);
  }

  remove() {
    rmSync(this.folder, { recursive: true });
  }
}

/**
 * @param {{ rounds: number, rivalRounds: number, weighed: number }} counts
 * @returns figures in ms by way, and what each reload of those that load into this process leaves
 */
export async function measureWays({ rounds, rivalRounds, weighed }) {
  const output = new Output();
  /** @type {Map<string, { way: Way, ms: number[] }>} */
  const ways = new Map();
  for (const [name, begin] of Object.entries(WAYS))
    ways.set(name, { way: await begin(output.file, output.folder), ms: [] });
  for (let number = -WARM_UP; number < rounds; number++) {
    await pause(SPARE_MS);
    output.build();
    for (const { way, ms } of ways.values()) {
      const startMs = performance.now();
      await way.reload();
      if (number >= 0) ms.push(performance.now() - startMs);
    }
  }
  for (const { way } of ways.values()) await way.end();
  output.remove();
  const rivals = measureRivals(rivalRounds);
  const left = ['napi-reload', 'copy and process.dlopen'].map((name) => [name, weighApart(name, weighed)]);
  return {
    ms: {
      ...Object.fromEntries(Array.from(ways, ([name, { ms }]) => [name, spread(ms)])),
      ...Object.fromEntries(rivals.map(({ name, rounds: { ms } }) => [name, spread(ms)])),
    },
    left: {
      ...Object.fromEntries(left),
      ...Object.fromEntries(
        rivals.map(({ name, rounds: { mappings, bytes } }) => [name, leftOf(mappings, bytes)]),
      ),
    },
    rivals: Object.fromEntries(rivals.map(({ name, version }) => [name, version])),
  };
}

/** @param {number} mappings @param {number} bytes of one reload */
const leftOf = (mappings, bytes) => ({ mappings: round(mappings), KiB: round(bytes / 1024) });

/** In a process that does nothing else. @param {string} name @param {number} reloads */
function weighApart(name, reloads) {
  const args = ['--expose-gc', SELF, 'weigh', name, String(reloads)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the benchmark of memory failed: ${stderr}`);
  return JSON.parse(stdout);
}

/** @param {string} name @param {number} reloads */
async function weigh(name, reloads) {
  const output = new Output();
  const way = await WAYS[name]?.(output.file, output.folder);
  const reload = async () => {
    output.build();
    await way?.reload();
  };
  const held = () => {
    globalThis.gc?.();
    const pages = Number(readFileSync('/proc/self/statm', 'latin1').split(' ')[1]);
    return {
      mappings: readFileSync('/proc/self/maps', 'latin1').split('\n').length,
      bytes: pages * PAGE_BYTES,
    };
  };
  for (let number = 0; number < WEIGHED_WARM_UP; number++) await reload();
  const before = held();
  for (let number = 0; number < reloads; number++) await reload();
  const after = held();
  await way?.end();
  output.remove();
  const per = (/** @type {'mappings' | 'bytes'} */ of) => (after[of] - before[of]) / reloads;
  console.log(JSON.stringify(leftOf(per('mappings'), per('bytes'))));
}

if (process.argv[1] === SELF && process.argv[2] === 'weigh') {
  await weigh(process.argv[3] ?? '', Number(process.argv[4]));
}
