// What a Worker or a process that is started again does: it loads the built file, says a first result, and stays.
import { parentPort, workerData } from 'node:worker_threads';
import { KERNELS, loadPlain } from './kernels.mjs';

const result = KERNELS.minimal.call(loadPlain(workerData?.file ?? process.argv[2]));
if (parentPort === null) {
  process.send?.(result);
  process.on('message', () => undefined);
} else {
  parentPort.postMessage(result);
  parentPort.on('message', () => undefined);
}
