// What one has without napi-reload. A process that is timed from its start imports this: it needs nothing else.
import { constants } from 'node:os';

/** As Node.js loads an addon. @param {string} file @returns {any} its exports */
export function loadPlain(file) {
  const module = { exports: {} };
  process.dlopen(module, file, constants.dlopen.RTLD_NOW);
  return module.exports;
}
