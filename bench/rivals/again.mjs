// A child that starts a Worker or a process again for each build. Arguments: the file, a folder, `worker` or `process`.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { answer } from './answer.mjs';
import { KERNELS } from './kernels.mjs';

const SERVE = fileURLToPath(new URL('./serve.mjs', import.meta.url));
const [file = '', , kind] = process.argv.slice(2);

/** @typedef {{ result: Promise<unknown>, collect(): Promise<unknown>, stop(): Promise<unknown> }} Server */

/** @returns {Server} */
function startWorker() {
  const worker = new Worker(SERVE, { workerData: { file } });
  const collect = () => {
    worker.postMessage(null);
    return once(worker, 'message');
  };
  const result = once(worker, 'message').then(([result]) => result);
  return { result, collect, stop: () => worker.terminate() };
}

/** @returns {Server} */
function startProcess() {
  const child = fork(SERVE, [file]);
  const ended = once(child, 'exit');
  const died = ended.then(([code]) =>
    Promise.reject(new Error(`it ended with ${code} before it said a result`)),
  );
  // After the result, an end is what is wanted.
  died.catch(() => undefined);
  const result = Promise.race([once(child, 'message').then(([result]) => result), died]);
  const stop = () => {
    child.kill();
    return ended;
  };
  const collect = () => {
    child.send('collect');
    return once(child, 'message');
  };
  return { result, collect, stop };
}

const start = kind === 'worker' ? startWorker : startProcess;
let server = start();
await server.result;

await answer({
  async reload(version) {
    const startMs = performance.now();
    await server.stop();
    server = start();
    const result = await server.result;
    const first = performance.now() - startMs;
    KERNELS.minimal.check(result, version, false);
    return { first, ended: first };
  },
  collect: () => server.collect(),
  end: () => server.stop(),
});
