// What a Worker or a process that is started again does: it loads the built file, says a first result, and stays.
import { constants } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';

const module = { exports: /** @type {any} */ ({}) };
process.dlopen(module, workerData?.file ?? process.argv[2], constants.dlopen.RTLD_NOW);
const result = module.exports.add(1, 2);
if (parentPort === null) {
  process.send?.(result);
  process.on('message', () => undefined);
} else {
  parentPort.postMessage(result);
  parentPort.on('message', () => undefined);
}
