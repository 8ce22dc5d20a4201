// The reloads of `npm run soak` in one thread: called in main, and the file of a Worker.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import v8 from 'node:v8';
import vm from 'node:vm';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { open } from '../../dist/index.js';
import { addon as build, counter } from '../fixtures/ledger/build.mjs';

/** @typedef {{ add(more: number): number, value: number }} Counter */
/**
 * @typedef {{
 *   Counter: (new (start: number) => Counter) & { version(): number },
 *   version(): number,
 *   libraryVersion(): number,
 *   makeFunction(): () => number,
 * }} Kernel
 */
/** @typedef {import('../../dist/index.js').Addon<Kernel>} Addon */

/** Caches and pools are full by then. */
const WARM_RELOADS = 1000;
const KEEP_EACH = 100;
const KEPT_MAX = 20;
const LIBRARY_EACH = 1000;
const COLLECTIONS_MAX = 100;
const V8_PAGE_BYTES = 256 * 1024;
/** For Node.js's own share. */
const ENVIRONMENTS = 5000;
const TURN_EACH = 100;
const COLLECTIONS = 3;

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');
const mallocAddon = build('malloc');
const turn = () => new Promise((resolve) => setImmediate(resolve));

/**
 * Reloads an addon that has a class, and uses each version. Its instances are dropped, a function is kept now and then.
 *
 * @param {number} reloads
 */
export async function soak(reloads) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'napi-reload-soak-'));
  const builds = new Builds(folder);
  let installed = builds.install(0);
  const addon = /** @type {Addon} */ (await open(builds.source, { stageDir: path.join(folder, 'stage') }));
  const kept = new Kept(addon);
  let unloaded = 0;
  addon.on('unloaded', () => {
    unloaded += 1;
  });
  const startMs = performance.now();
  let warm;
  for (let number = 1; number <= reloads; number++) {
    use(addon.exports, installed);
    if (number % KEEP_EACH === 0) kept.keep();
    installed = builds.install(number);
    const report = await addon.reload();
    assert.ok(report.status === 'reloaded');
    if (report.retired?.outcome === 'unloaded') unloaded += 1;
    // Finalizers and the news of them come by the event loop, which promises alone never let turn.
    await turn();
    if (number === WARM_RELOADS) warm = await settle(addon);
  }
  const minutes = (performance.now() - startMs) / 60_000;
  use(addon.exports, installed);
  const { calls: keptCalls } = kept;
  kept.drop();
  const end = await settle(addon);
  const stillPinned = addon.versions().length - 1;
  await addon.close();
  const leftMapped = readMappings().filter((line) => line.includes(folder)).length;
  fs.rmSync(folder, { recursive: true });
  const counts = { reloads, warmReloads: WARM_RELOADS, unloaded, stillPinned, leftMapped, keptCalls };
  return { ...counts, minutes, warm: warm ?? end, end };
}

/** Puts builds where the handle looks for them, by turns: v1, v2, v1 … A few have a private library beside them. */
class Builds {
  /** @param {string} folder */
  constructor(folder) {
    const copies = path.join(folder, 'builds');
    // Links lead nowhere from one file system to another.
    const bring = (/** @type {string} */ built, /** @type {number} */ index) => {
      const copy = path.join(copies, String(index));
      fs.cpSync(path.dirname(built), copy, { recursive: true });
      return path.join(copy, path.basename(built));
    };
    const built = [counter(1), counter(2), counter(1, 1), counter(1, 2)].map(bring);
    this.alone = built.slice(0, 2);
    this.withLibrary = built.slice(2);
    this.source = path.join(folder, 'counter.node');
    this.library = path.join(folder, 'libcore.so');
  }

  /** @param {number} number of the reload @returns what the functions of the build say */
  install(number) {
    const turn = number % 2;
    if (number === 0 || number % LIBRARY_EACH !== 0) {
      replace(this.alone[turn] ?? '', this.source);
      return { version: turn + 1, library: 0 };
    }
    const library = (number / LIBRARY_EACH) % 2;
    const built = this.withLibrary[library] ?? '';
    replace(path.join(path.dirname(built), 'libcore.so'), this.library);
    replace(built, this.source);
    return { version: 1, library: library + 1 };
  }
}

/**
 * As a linker does: another file in place of the old one. A link, as copies would take a third of the whole time.
 *
 * @param {string} built @param {string} target
 */
function replace(built, target) {
  fs.linkSync(built, `${target}~`);
  fs.renameSync(`${target}~`, target);
}

/** @param {Kernel} exports @param {{ version: number, library: number }} installed */
function use({ Counter, version, libraryVersion }, installed) {
  const counter = new Counter(40);
  assert.equal(counter.add(2), 42);
  counter.value = 7;
  assert.equal(counter.value, 7);
  assert.deepEqual(
    [Counter.version(), version(), libraryVersion()],
    [installed.version, installed.version, installed.library],
  );
}

/** `made` is the version that a raw one is of. @typedef {{ call: () => number, made: number | null }} Held */

/** Functions of versions that have long been replaced, live ones and raw ones by turns; the oldest are dropped. */
class Kept {
  #addon;
  /** @type {Held[]} */
  #functions = [];
  calls = { live: 0, old: 0, refused: 0 };

  /** @param {Addon} addon */
  constructor(addon) {
    this.#addon = addon;
  }

  keep() {
    const { exports, current } = this.#addon;
    for (const one of this.#functions) this.#call(one);
    this.#functions.push(
      { call: exports.version, made: null },
      { call: exports.makeFunction(), made: current.id },
    );
    if (this.#functions.length > KEPT_MAX) this.#functions.splice(0, 2);
  }

  drop() {
    this.#functions.length = 0;
  }

  /** @param {Held} held */
  #call({ call, made }) {
    const { exports } = this.#addon;
    if (made === null) {
      assert.equal(call(), exports.Counter.version());
      this.calls.live += 1;
    } else if (this.#addon.versions().some(({ id }) => id === made)) {
      assert.equal(typeof call(), 'number');
      this.calls.old += 1;
    } else {
      assert.throws(call, { code: 'ERR_VERSION_UNLOADED' });
      this.calls.refused += 1;
    }
  }
}

/** Collects until the live version is the only one, and measures. @param {Addon} addon */
async function settle(addon) {
  for (let round = 0; round < COLLECTIONS_MAX && addon.versions().length > 1; round++) {
    gc();
    await turn();
  }
  // V8 gives back the pages that its young generation grew by.
  gc({ type: 'major', flavor: 'last-resort' });
  // Finalizers run in the next turn. An instance of the live version that waits for its own would pin that at its end.
  for (let round = 0; round < COLLECTIONS; round++) await turn();
  const { used_heap_size: heapBytes } = v8.getHeapStatistics();
  const residentBytes = process.memoryUsage.rss();
  return { mappings: countMappings(), residentBytes, heapBytes, mallocBytes: mallocInUse() };
}

function mallocInUse() {
  return loadAgain().inUse();
}

/** Gives one more environment to an addon that is loaded already. @returns {{ inUse(): number }} */
function loadAgain() {
  const module = { exports: { inUse: () => Number.NaN } };
  process.dlopen(module, mallocAddon);
  return module.exports;
}

/** @returns what Node.js itself keeps of malloc for each environment that `process.dlopen` makes, in bytes */
export async function mallocOfNode() {
  await loadOften(WARM_RELOADS);
  const before = mallocInUse();
  await loadOften(ENVIRONMENTS);
  return Math.round((mallocInUse() - before) / ENVIRONMENTS);
}

/** @param {number} times */
async function loadOften(times) {
  for (let number = 1; number <= times; number++) {
    loadAgain();
    if (number % TURN_EACH === 0) await turn();
  }
  // What the soak before has left is not Node.js's.
  for (let round = 0; round < COLLECTIONS; round++) {
    gc({ type: 'major', flavor: 'last-resort' });
    await turn();
  }
}

function readMappings() {
  return fs.readFileSync('/proc/self/maps', 'utf8').split('\n').slice(0, -1);
}

/**
 * But for the pages of V8's heap, of which there are as many as Node.js keeps memory for each environment. Those of a young
 * generation that is not in use may be without access.
 */
function countMappings() {
  const isHeapPage = (/** @type {string} */ line) => {
    const [range = '', access, , , , file] = line.split(/\s+/, 6);
    const [begin = 0, end = 0] = range.split('-').map((text) => Number.parseInt(text, 16));
    return file === '' && /^(?:rw|--)-p$/.test(access ?? '') && end - begin === V8_PAGE_BYTES;
  };
  return readMappings().filter((line) => !isHeapPage(line)).length;
}

if (!isMainThread) parentPort?.postMessage(await soak(workerData.reloads));
