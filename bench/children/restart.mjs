// The same as state.mjs without napi-reload: a process that is started again, and hands its state to itself through a file.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Builds } from '../measure/builds.mjs';
import { serve } from '../measure/child.mjs';

const STATEFUL = fileURLToPath(new URL('../rivals/stateful.mjs', import.meta.url));

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */
/** @typedef {{ folder: string, built: string[] }} Settings */

/** @param {ChildProcess} of @returns {Promise<unknown>} what it says next */
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

/** @param {ChildProcess} app @param {string} name @param {unknown[]} args */
function call(app, name, ...args) {
  const said = nextOf(app);
  app.send({ call: name, args });
  return said;
}

serve(async (/** @type {Settings} */ { folder, built }) => {
  const addon = path.join(folder, 'state.node');
  const file = path.join(folder, 'state.bin');
  const builds = new Builds(built, addon);
  const start = () => fork(STATEFUL, [addon, file], { execArgv: [], serialization: 'advanced' });
  const version = builds.install();
  let app = start();
  assert.equal(await nextOf(app), version);
  let marks = 0;
  return {
    /** @param {boolean} looks whether at all of the state, before and after @returns {Promise<number>} ms until the first result */
    async reload(looks) {
      await call(app, 'mark', ++marks);
      const before = looks ? await call(app, 'checksum') : null;
      const wanted = builds.install();
      const startMs = performance.now();
      const ended = once(app, 'exit');
      await call(app, 'store', file);
      await ended;
      app = start();
      const version = await nextOf(app);
      const ms = performance.now() - startMs;
      assert.equal(version, wanted);
      assert.equal(await call(app, 'marked'), marks);
      if (looks) assert.equal(await call(app, 'checksum'), before);
      return ms;
    },
    async end() {
      const ended = once(app, 'exit');
      app.kill();
      await ended;
    },
  };
});
