// What a process that is started again does with its state: it reads it from a file in the beginning and writes it in the end.
// stateful.mjs <addon> <file>
import { existsSync } from 'node:fs';
import { loadPlain } from '../measure/load.mjs';

const [addon = '', file = ''] = process.argv.slice(2);
const exports = loadPlain(addon);
if (existsSync(file)) exports.fetch(file);
else exports.fill();
process.send?.({ value: exports.version() });
process.once('disconnect', () => process.exit());
process.on('message', (message) => {
  const { call, args } = /** @type {{ call: string, args: unknown[] }} */ (message);
  process.send?.({ value: exports[call](...args) }, () => call === 'store' && process.disconnect());
});
