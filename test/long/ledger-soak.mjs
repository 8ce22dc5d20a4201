// `node test/long/ledger-soak.mjs [cycles] [seed]`: versions are loaded, used at random, kept at random, re-pointed and
// retired. In the end every one is unloaded, mappings are as many as before, and memory has grown little.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { addon } from '../fixtures/ledger/build.mjs';
import { collect, facadeOf, ledgerUse, mappings, open, retire, tick } from '../fixtures/ledger/load.mjs';

const cycles = Number(process.argv[2] ?? 5000);
let state = Number(process.argv[3] ?? 7);
/** Caches and pools are full by then. */
const WARM_CYCLES = 1000;
const KEPT_MAX = 200;
const KEPT_AFTER_DROP = 50;
const COLLECT_EACH = 40;
const TURN_EACH = 5;
const SWEEPS_MAX = 5000;
const MAPPINGS_GROWTH_MAX = 20;
const V8_PAGE_BYTES = 256 * 1024;

const USES = [
  ...['version', 'dataOf', 'defineClass', 'properties'],
  ...['wrap', 'wrapWithReference', 'wrapAgain', 'wrapNoLonger', 'addFinalizer', 'addFinalizerNoLonger'],
  ...['postFinalizer', 'external', 'externalUnowned', 'strongReference'],
  ...['arrayBuffer', 'buffer', 'staticBuffer', 'latin1', 'utf16'],
  ...['instanceData', 'hooks', 'asyncHook', 'asyncHookNoLonger'],
  ...['work', 'workNeverQueued', 'uvWork', 'thread', 'stdThread', 'threadLocal', 'threadKey'],
  ...['signal', 'threadsafe'],
];
/** These are ended at once, or nothing would end them. */
/** @type {Record<string, string>} */
const ENDED_BY = { signal: 'signalDefault', threadsafe: 'threadsafeRelease' };

/** What an addon exports is called by its name. @typedef {import('../fixtures/ledger/load.mjs').LoadedVersion & { exports: any }} Version */

/** @type {unknown[]} */
const kept = [];
/** @type {Version[]} */
const live = [];
/** @type {Record<string, number>} */
const pinsMet = {};
/** @type {Version} */
let last;
let facade = facadeOf(() => 0);
let unloaded = 0;
let revokedCalls = 0;

/** A whole number below `limit`. @param {number} limit */
function random(limit) {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return (state >>> 8) % limit;
}

/** @param {Version['exports']} exports */
function use(exports) {
  const name = USES[random(USES.length)] ?? '';
  const result = exports[name]();
  const end = ENDED_BY[name];
  if (end !== undefined) exports[end]();
  if (name === 'defineClass') {
    const object = new result();
    object.number = 4;
    assert.equal(object.number, object.get());
    if (random(3) === 0) kept.push(result, object, object.get);
  } else if (name === 'properties') {
    assert.deepEqual([result.method(), result.accessor], [8, 8]);
    if (random(3) === 0) kept.push(result.method);
  } else if (random(3) === 0) kept.push(result);
  if (random(3) === 0) kept.push(exports.version, exports.dataOf);
}

/** Calls what the addon may have unloaded. @param {() => unknown} call */
function attempt(call) {
  try {
    call();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_VERSION_UNLOADED') revokedCalls += 1;
    else if (!(error instanceof TypeError)) throw error;
  }
}

function touchKept() {
  const value = kept[random(kept.length || 1)];
  if (typeof value === 'function') attempt(() => value());
  else if (value && typeof value === 'object') {
    attempt(() => last.exports.statusOfUnwrap(value));
    attempt(() => last.exports.statusOfExternal(value));
  }
}

function sweep() {
  for (const [index, version] of [...live.entries()].reverse()) {
    const { outcome, pins } = retire(version, random(8) === 0);
    if (outcome === 'pinned') {
      for (const pin of pins.split(' ')) {
        const [kind = ''] = pin.split(':');
        pinsMet[kind] = (pinsMet[kind] ?? 0) + 1;
      }
      continue;
    }
    assert.equal(outcome, 'unloaded');
    unloaded += 1;
    live.splice(index, 1);
  }
}

/** @param {number} number */
async function cycle(number) {
  /** @type {Version} */
  const version = open(addon('quiet', number % 2 === 0 ? 1 : 2));
  for (let uses = random(8); uses > 0; uses--) use(version.exports);
  const turn = random(4);
  if (turn === 0) {
    assert.ok(facade.point(version.handle, version.exports.version));
    assert.equal(facade.value(), version.exports.version());
  } else if (turn === 1) {
    facade.point(null, () => number);
    assert.equal(facade.value(), number);
  } else if (turn === 2) {
    kept.push(facade.value);
    facade = facadeOf(version.exports.version);
  }
  live.push(version);
  last = version;
  if (kept.length > KEPT_MAX) kept.splice(0, kept.length - KEPT_AFTER_DROP);
  if (number % TURN_EACH === 0) await tick();
  if (number % COLLECT_EACH === 0) await collect();
  sweep();
  touchKept();
}

/** Drops all, and waits until every version is unloaded. */
async function settle() {
  kept.length = 0;
  for (let sweeps = 0; live.length > 0 && sweeps < SWEEPS_MAX; sweeps++) {
    if (sweeps % COLLECT_EACH === 0) await collect();
    await tick();
    sweep();
  }
  await collect();
}

/** Mappings but for the pages of V8's heap, which grows as Node.js keeps a little for each env. */
function countMappings() {
  const lines = fs.readFileSync('/proc/self/maps', 'utf8').split('\n').slice(0, -1);
  const isHeapPage = (/** @type {string} */ line) => {
    const [range = '', access, , , , file] = line.split(/\s+/, 6);
    const [begin = 0, end = 0] = range.split('-').map((text) => Number.parseInt(text, 16));
    return file === '' && access === 'rw-p' && end - begin === V8_PAGE_BYTES;
  };
  return lines.filter((line) => !isHeapPage(line)).length;
}

function measure() {
  const rollup = fs.readFileSync('/proc/self/smaps_rollup', 'utf8');
  const pssKb = Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1]);
  return { mappings: countMappings(), bytes: pssKb * 1024 };
}

const startMs = performance.now();
let warm;
for (let number = 1; number <= cycles; number++) {
  await cycle(number);
  if (number !== WARM_CYCLES || number === cycles) continue;
  await settle();
  warm = measure();
}
await settle();
const end = measure();

const grown = warm && {
  mappingsAfterWarm: warm.mappings,
  mappingsAtEnd: end.mappings,
  bytesPerReload: Math.round((end.bytes - warm.bytes) / (cycles - WARM_CYCLES)),
};
const left = { mappingsLeft: mappings(), imagesLeft: ledgerUse().images };
const cycleUs = Math.round(((performance.now() - startMs) * 1000) / cycles);
console.log(JSON.stringify({ cycles, unloaded, ...left, ...grown, cycleUs, revokedCalls, pinsMet }));
// A sanitizer's allocator maps what it likes.
const isFlat =
  !grown ||
  'LEDGER_CFLAGS' in process.env ||
  grown.mappingsAtEnd - grown.mappingsAfterWarm <= MAPPINGS_GROWTH_MAX;
if (unloaded !== cycles || left.mappingsLeft + left.imagesLeft > 0 || !isFlat) process.exitCode = 1;
