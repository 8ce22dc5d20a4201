// `node test/long/ledger-leaks.mjs [versions]`: versions use each facility once and are unloaded, in main and in Workers
// that end and are terminated. Under LeakSanitizer (test/long/sanitize.sh) whatever is lost on the way is a leak. With 0
// versions it only compiles the addons, of which the compiler's own leaks are no concern.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { addon } from '../fixtures/ledger/build.mjs';
import { collect, facadeOf, ledgerUse, open, retire, shim, tick } from '../fixtures/ledger/load.mjs';
import { FACILITIES } from '../fixtures/ledger/matrix.mjs';

const versions = Number(process.argv[2] ?? 5);
const [full, classes] = [addon('quiet'), addon('classes')];
const WORKER = new URL('../fixtures/ledger/worker.mjs', import.meta.url);
const VERSIONS_IN_WORKER = 4;
const ROUNDS_MAX = 100;
const COLLECT_EACH = 10;
/** Enough that functions are looked up by identity. */
const FUNCTIONS = 100;
/** They end with the thread, or are ended by a hook that does so once; `hookOfFinalizer` takes the place of instance data. */
const LEFT_OUT = [
  ...['threadThatExits', 'atExit', 'threadKey', 'threadWithHook', 'threadsafeWithHook', 'hookOfFinalizer'],
];
/** @type {Record<string, string>} */
const ENDED_BY = { signal: 'signalDefault', threadsafe: 'threadsafeRelease' };

/** What an addon exports is called by its name. @typedef {import('../fixtures/ledger/load.mjs').LoadedVersion & { exports: any }} Version */

/** @param {Version['exports']} exports @param {string} name */
function use(exports, name) {
  const result = exports[name]();
  const end = ENDED_BY[name];
  if (end !== undefined) exports[end]();
  if (name === 'defineClass') assert.ok(new result().get() > 0);
}

/** @param {Version} version */
function follow(version) {
  const functions = Array.from({ length: FUNCTIONS }, () => version.exports.properties().method);
  assert.ok(shim.findFunctions(version.handle, functions.reverse()).every(Boolean));
  assert.ok(facadeOf(version.exports.dataOf).point(version.handle, version.exports.dataOf));
}

async function liveAndEnd() {
  /** @type {Version} */
  const version = open(full);
  // Two of the names stand for two calls.
  const names = FACILITIES.filter((name) => name in version.exports && !LEFT_OUT.includes(name));
  for (const name of names) use(version.exports, name);
  follow(version);
  for (let round = 1; retire(version, true).outcome !== 'unloaded'; round++) {
    assert.ok(round < ROUNDS_MAX, retire(version, true).pins);
    if (round % COLLECT_EACH === 0) await collect();
    await tick();
  }
}

function refuseProxy() {
  /** @type {Version} */
  const version = open(classes);
  const { First } = version.exports;
  assert.throws(() => new Proxy(new First(), {}).get(), TypeError);
  assert.equal(new First(1).remove(), true);
  assert.equal(retire(version, true).outcome, 'unloaded');
}

for (let count = 0; count < versions; count++) {
  await liveAndEnd();
  refuseProxy();
  const worker = new Worker(WORKER, { workerData: { versions: VERSIONS_IN_WORKER } });
  if (count % 2 === 0) await once(worker, 'online').then(() => worker.terminate());
  else await once(worker, 'exit');
}
await collect();
console.log(JSON.stringify({ versions, ledger: { ...ledgerUse(), redirects: undefined } }));
