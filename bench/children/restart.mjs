// The same as state.mjs without napi-reload: a process that is started again, and hands its state to itself through a file.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Builds } from '../measure/builds.mjs';
import { answer } from '../measure/children.mjs';

const STATEFUL = fileURLToPath(new URL('../rivals/stateful.mjs', import.meta.url));

let addon = '';
let file = '';
/** @type {Builds} */
let builds;
/** @type {import('node:child_process').ChildProcess} */
let app;
let marks = 0;

/** @param {import('node:child_process').ChildProcess} of @returns {Promise<unknown>} what it says next */
function nextOf(of) {
  return new Promise((resolve, reject) => {
    const onExit = (/** @type {unknown} */ code) => reject(new Error(`the process ended with ${code}`));
    of.once('exit', onExit);
    of.once('message', (message) => {
      of.off('exit', onExit);
      resolve(/** @type {{ value: unknown }} */ (message).value);
    });
  });
}

/** @returns {Promise<unknown>} the first result of its code */
function start() {
  app = fork(STATEFUL, [addon, file], { execArgv: [], serialization: 'advanced' });
  return nextOf(app);
}

/** @param {string} name @param {unknown[]} args */
function call(name, ...args) {
  const said = nextOf(app);
  app.send({ call: name, args });
  return said;
}

async function stop() {
  const ended = once(app, 'exit');
  await call('store', file);
  await ended;
}

answer({
  /** @param {{ folder: string, built: string[] }} settings */
  async begin({ folder, built }) {
    addon = path.join(folder, 'state.node');
    file = path.join(folder, 'state.bin');
    builds = new Builds(built, addon);
    const version = builds.install();
    assert.equal(await start(), version);
  },
  /** @param {boolean} looks whether at all of the state, before and after @returns {Promise<number>} ms until the first result */
  async reload(looks) {
    await call('mark', ++marks);
    const before = looks ? await call('checksum') : null;
    const wanted = builds.install();
    const startMs = performance.now();
    await stop();
    const version = await start();
    const ms = performance.now() - startMs;
    assert.equal(version, wanted);
    assert.equal(await call('marked'), marks);
    if (looks) assert.equal(await call('checksum'), before);
    return ms;
  },
  async end() {
    const ended = once(app, 'exit');
    app.kill();
    await ended;
  },
});
