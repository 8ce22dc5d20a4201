// One manner of calling an addon that is reloaded, in a process of its own: in one process they spoil each other's feedback.
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { open } from '../../dist/index.js';
import { Builds } from '../measure/builds.mjs';
import { serve } from '../measure/child.mjs';
import { loadPlain } from '../measure/load.mjs';

/** So short that some batches have the processor to themselves; awaited calls need some more, to be several. */
const BATCH_MS = { direct: 1, awaited: 3 };
const FIRST_CALLS = 16;
/** Before each reload, by how dear a call is. */
const CALLS_BETWEEN = { direct: 20_000, construct: 2_000, awaited: 20 };
const KINDS = /** @type {const} */ (['add', 'noop', 'nested', 'construct', 'method']);
const THUNKS = 2048;

/** @typedef {{ get(): number }} Counter */
/** @typedef {{ add(a: number, b: number): number }} Adder */
/**
 * @typedef {Adder & { noop(): void, version(): number, math: Adder, Counter: new (start: number) => Counter }} Kernel
 */
/** @typedef {import('../../dist/index.js').Remote<Kernel>} RemoteKernel */

/** @typedef {(typeof KINDS)[number]} Kind */
/**
 * Each makes so many calls. What all but the no-op return is the number of calls times that of the version.
 *
 * @typedef {Record<Kind, (calls: number) => number | void | Promise<number | void>>} Loops
 */

/** @typedef {{ loops: Loops, reload(): Promise<number>, follows: boolean, end(): Promise<void> }} Manner `reload` tells the version */
/** @typedef {{ folder: string, built: string[], filling: string, manner: string, options: object }} Settings */

/** @param {Pick<Kernel, 'add' | 'noop' | 'math'>} functions @returns {Pick<Loops, 'add' | 'noop' | 'nested'>} */
function loopsOfFunctions({ add, noop, math }) {
  return {
    add(calls) {
      let sum = 0;
      for (let call = 0; call < calls; call++) sum = add(sum, 1);
      return sum;
    },
    noop(calls) {
      for (let call = 0; call < calls; call++) noop();
    },
    nested(calls) {
      let sum = 0;
      for (let call = 0; call < calls; call++) sum = math.add(sum, 1);
      return sum;
    },
  };
}

/** Of what was taken out of the exports before the reloads. @param {Kernel} exports @returns {Loops} */
function loopsOfTaken({ Counter, ...functions }) {
  return {
    ...loopsOfFunctions(functions),
    construct(calls) {
      let last = new Counter(calls);
      for (let call = 1; call < calls; call++) last = new Counter(calls);
      return last.get();
    },
    method: methodLoop(() => new Counter(1)),
  };
}

/** @param {() => Counter} make an instance of the version that is current @returns {Loops['method']} */
const methodLoop = (make) => (calls) => {
  const counter = make();
  let sum = 0;
  for (let call = 0; call < calls; call++) sum += counter.get();
  return sum;
};

/** Of one object that stands for all. @param {Kernel} proxy @returns {Loops} */
function loopsOfProxy(proxy) {
  return {
    add(calls) {
      let sum = 0;
      for (let call = 0; call < calls; call++) sum = proxy.add(sum, 1);
      return sum;
    },
    noop(calls) {
      for (let call = 0; call < calls; call++) proxy.noop();
    },
    nested(calls) {
      let sum = 0;
      for (let call = 0; call < calls; call++) sum = proxy.math.add(sum, 1);
      return sum;
    },
    construct(calls) {
      let last = new proxy.Counter(calls);
      for (let call = 1; call < calls; call++) last = new proxy.Counter(calls);
      return last.get();
    },
    method: methodLoop(() => new proxy.Counter(1)),
  };
}

/** Of closures over a variable that a reload sets. @param {() => Kernel} current @returns {Loops} */
function loopsOfClosures(current) {
  const add = (/** @type {number} */ a, /** @type {number} */ b) => current().add(a, b);
  const noop = () => current().noop();
  const addNested = (/** @type {number} */ a, /** @type {number} */ b) => current().math.add(a, b);
  const make = (/** @type {number} */ start) => new (current().Counter)(start);
  return {
    ...loopsOfFunctions({ add, noop, math: { add: addNested } }),
    construct(calls) {
      let last = make(calls);
      for (let call = 1; call < calls; call++) last = make(calls);
      return last.get();
    },
    method: methodLoop(() => make(1)),
  };
}

/** Of functions elsewhere, one call after the other. @param {RemoteKernel} exports @returns {Loops} */
function loopsOfRemote({ add, noop, math, Counter }) {
  return {
    async add(calls) {
      let sum = 0;
      for (let call = 0; call < calls; call++) sum = await add(sum, 1);
      return sum;
    },
    async noop(calls) {
      for (let call = 0; call < calls; call++) await noop();
    },
    async nested(calls) {
      let sum = 0;
      for (let call = 0; call < calls; call++) sum = await math.add(sum, 1);
      return sum;
    },
    async construct(calls) {
      let sum = 0;
      // What stands for an object is there at once, the object itself with the answer to its first call.
      for (let call = 0; call < calls; call++) sum += await new Counter(1).get();
      return sum;
    },
    async method(calls) {
      const counter = new Counter(1);
      let sum = 0;
      for (let call = 0; call < calls; call++) sum += await counter.get();
      return sum;
    },
  };
}

/** Loads copies as one does by hand. @param {Settings} settings */
function plainly({ folder, built }) {
  let copies = 0;
  const file = path.join(folder, 'calls.node');
  const builds = new Builds(built, file);
  /** @returns {{ exports: Kernel, version: number }} */
  return () => {
    const version = builds.install();
    const copy = path.join(folder, `copy-${copies++}.node`);
    copyFileSync(file, copy);
    return { exports: loadPlain(copy), version };
  };
}

/**
 * @param {Settings} settings @param {(current: () => Kernel) => Loops} makeLoops @param {boolean} follows
 * @returns {Manner}
 */
function byHand(settings, makeLoops, follows) {
  const load = plainly(settings);
  let current = load().exports;
  return {
    loops: makeLoops(() => current),
    follows,
    async reload() {
      const { exports, version } = load();
      current = exports;
      return version;
    },
    async end() {},
  };
}

/** @param {Settings} settings @returns {Promise<Manner>} */
async function ours({ folder, built, options }) {
  const file = path.join(folder, 'calls.node');
  const builds = new Builds(built, file);
  builds.install();
  const addon = /** @type {import('../../dist/index.js').Addon<any>} */ (
    await open(file, { stageDir: path.join(folder, 'stage'), ...options })
  );
  return {
    loops: isAwaited ? loopsOfRemote(addon.exports) : loopsOfTaken(addon.exports),
    follows: true,
    async reload() {
      const version = builds.install();
      const { status } = await addon.reload();
      assert.equal(status, 'reloaded');
      assert.equal(await addon.exports.version(), version);
      // A version that is kept was loaded as Node.js does it.
      if ('reclaim' in options) assert.ok(addon.versions().some(({ state }) => state === 'kept'));
      return version;
    },
    end: () => addon.close(),
  };
}

/** Another addon has all thunks of the pool. @param {Settings} settings @returns {Promise<Manner>} */
async function beyondPool(settings) {
  const other = await open(settings.filling, { stageDir: path.join(settings.folder, 'stage') });
  const manner = await ours(settings);
  const report = /** @type {{ sharedObjects: string[] }} */ (process.report.getReport());
  const shim = report.sharedObjects.find((object) => path.basename(object) === 'napi_reload.node');
  const { pooledSlots } = createRequire(import.meta.url)(shim ?? '').internals.ledgerUse();
  assert.equal(pooledSlots, THUNKS);
  return {
    ...manner,
    async end() {
      await manner.end();
      await other.close();
    },
  };
}

/** @type {Record<string, (settings: Settings) => Manner | Promise<Manner>>} */
const MANNERS = {
  direct: (settings) => byHand(settings, (current) => loopsOfTaken(current()), false),
  closure: (settings) => byHand(settings, loopsOfClosures, true),
  proxy: (settings) =>
    byHand(
      settings,
      (current) =>
        loopsOfProxy(new Proxy(/** @type {Kernel} */ ({}), { get: (_, key) => Reflect.get(current(), key) })),
      true,
    ),
  ours,
  beyondPool,
};

/** @type {Manner} */
let manner;
let current = 1;
let isAwaited = false;

/** Runs a batch, and makes sure of which version it was. @param {Kind} name @param {number} calls @returns {Promise<number>} ms */
async function batch(name, calls) {
  const loop = manner.loops[name];
  const startMs = performance.now();
  const running = loop(calls);
  const sum = running instanceof Promise ? await running : running;
  const ms = performance.now() - startMs;
  if (name !== 'noop') assert.equal(sum, calls * current);
  if (name === 'construct') await collect();
  return ms;
}

/** What was dropped, and then what its finalizers have left. */
async function collect() {
  globalThis.gc?.();
  await turn();
}

/** @param {Kind} name @param {number} warmUpMs @returns {Promise<number>} as many calls as take a batch */
async function warmUp(name, warmUpMs) {
  const endMs = performance.now() + warmUpMs;
  const batchMs = isAwaited ? BATCH_MS.awaited : BATCH_MS.direct;
  let calls = isAwaited ? 1 : FIRST_CALLS;
  let best = Number.POSITIVE_INFINITY;
  for (;;) {
    const ms = await batch(name, calls);
    best = Math.min(best, ms / calls);
    if (ms < batchMs) calls *= 2;
    else if (performance.now() > endMs) return Math.max(1, Math.round(batchMs / best));
  }
}

/** @param {Kind} kind */
function callsBetween(kind) {
  if (isAwaited) return CALLS_BETWEEN.awaited;
  return kind === 'construct' ? CALLS_BETWEEN.construct : CALLS_BETWEEN.direct;
}

/** @returns {Promise<number[]>} ns of a call, by batch @param {Kind} name @param {{ batches: number, warmUpMs: number }} counts */
async function measure(name, { batches, warmUpMs }) {
  const calls = await warmUp(name, warmUpMs);
  const ns = [];
  for (let number = 0; number < batches; number++) ns.push(((await batch(name, calls)) * 1e6) / calls);
  return ns;
}

/** With calls before each, as between any two reloads. @param {number} reloads */
async function reload(reloads) {
  for (let number = 0; number < reloads; number++) {
    for (const kind of KINDS) await batch(kind, callsBetween(kind));
    const version = await manner.reload();
    if (manner.follows) current = version;
  }
}

serve(async (/** @type {Settings} */ settings) => {
  isAwaited = 'isolation' in settings.options;
  const begin = MANNERS[settings.manner];
  if (begin === undefined) throw new Error(`there is no manner ${settings.manner}`);
  manner = await begin(settings);
  return { measure, reload, end: manner.end };
});
