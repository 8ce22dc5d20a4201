// child.mjs <library> <addon> <seed> <from> <to>: opens mutations of an addon, one after the other, and prints a line
// before and after each, so that the parent knows which one ended the process.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createRandom, mutate } from './mutate.mjs';

const [library = '', addon = '', seed = '0', from = '0', to = '0'] = process.argv.slice(2);
/** @type {typeof import('../../../dist/index.js')} */
const { isReloadError, open } = await import(pathToFileURL(library).href);
const original = fs.readFileSync(addon);
const folder = process.env['MUTATIONS_FOLDER'] ?? os.tmpdir();
const say = (/** @type {string} */ line) => fs.writeSync(1, `${line}\n`);

/** @param {string} file @returns {Promise<string>} what it came to */
async function tryOne(file) {
  try {
    const handle = await open(file, { stageDir: path.join(folder, 'stage') });
    // Reading its exports runs the getters that it may have. It serves while it is loaded once more.
    Object.values(Object(handle.exports));
    await handle.reload({ force: true });
    await handle.close();
    return 'loaded';
  } catch (error) {
    if (isReloadError(error)) return error.code;
    return `foreign error ${error instanceof Error ? error.stack : error}`;
  }
}

fs.mkdirSync(path.join(folder, 'stage'), { recursive: true, mode: 0o700 });
for (let number = Number(from); number < Number(to); number++) {
  const { bytes, what } = mutate(original, createRandom(Number(seed) * 1_000_003 + number));
  say(`${number} tries ${what}`);
  const file = path.join(folder, `${number}.node`);
  fs.writeFileSync(file, bytes);
  // It was written long ago, so that nobody waits for the rest of one that was cut.
  fs.utimesSync(file, 1, 1);
  say(`${number} came to ${await tryOne(file)}`);
  fs.rmSync(file);
}
process.exit(0);
