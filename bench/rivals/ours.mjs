// A child that reloads by napi-reload. Arguments: the file, a folder, the kernel, options of open() as JSON.
import assert from 'node:assert/strict';
import path from 'node:path';
import { open } from '../../dist/index.js';
import { timeReload } from '../measure/live.mjs';
import { answer } from './answer.mjs';
import { kernelOf } from './kernels.mjs';

const [file = '', folder = '', name, options = '{}'] = process.argv.slice(2);
const kernel = kernelOf(name);
const addon = await open(file, { stageDir: path.join(folder, 'stage'), ...JSON.parse(options) });
await kernel.begin(addon.exports);

await answer({
  async reload(version) {
    const { firstMs, wholeMs, result, report } = await timeReload(addon, () => kernel.call(addon.exports));
    assert.equal(report.retired?.outcome, kernel.outcome);
    kernel.check(result, version, true);
    return { first: firstMs, ended: wholeMs, phasesMs: report.phasesMs };
  },
  async collect() {
    await kernel.collect(addon.exports);
  },
  end: () => addon.close(),
});
