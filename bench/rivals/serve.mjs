// What a Worker or a process that is started again does: it loads the built file, says a first result, and stays. Whatever
// it is told later means that it is to collect garbage.
import { parentPort, workerData } from 'node:worker_threads';
import { loadPlain } from '../measure/load.mjs';
import { KERNELS } from './kernels.mjs';

const result = KERNELS.minimal.call(loadPlain(workerData?.file ?? process.argv[2]));
if (parentPort === null) {
  process.send?.(result);
  process.on('message', () => {
    globalThis.gc?.();
    process.send?.(true);
  });
} else {
  parentPort.postMessage(result);
  const port = parentPort;
  port.on('message', () => {
    globalThis.gc?.();
    port.postMessage(true);
  });
}
