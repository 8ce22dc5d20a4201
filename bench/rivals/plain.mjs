// A child that does the least one can do by hand: it loads a copy, as the built file's own path is loaded only once. Nothing is
// ever unloaded. Arguments: the file, a folder, the kernel.
import { copyFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { loadPlain } from '../measure/load.mjs';
import { answer } from './answer.mjs';
import { kernelOf } from './kernels.mjs';

const [file = '', folder = '', name] = process.argv.slice(2);
const kernel = kernelOf(name);
let copies = 0;

await answer({
  async reload(version) {
    const copy = path.join(folder, `copy-${copies++}.node`);
    const startMs = performance.now();
    copyFileSync(file, copy);
    const result = kernel.call(loadPlain(copy));
    const first = performance.now() - startMs;
    kernel.check(result, version, false);
    // It stays mapped.
    rmSync(copy);
    return { first };
  },
  end: async () => undefined,
});
