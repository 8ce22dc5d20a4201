import { expect, test } from 'vitest';
import { open } from '../../../src/index.ts';
import { createScratch, install, scriptedAddon } from '../../support/addons.ts';

const versionOf = (version: number): string =>
  scriptedAddon(`
    let count = 0;
    exports.version = () => ${version};
    exports.add = native.add;
    exports.bump = () => ++count;
    exports.stats = { mean(list) { return list.reduce((a, b) => a + b, 0) / list.length } };
    exports.fail = () => { throw Object.assign(new RangeError('no'), { code: 'E_NO', extra: 3 }) };
    exports.later = async (f) => 1 + await f(${version});
    exports.Thing = class { constructor(v) { this.v = v } get() { return this.v * ${version} } set(v) { this.v = v; return this } };
    exports.napiReload = {
      save: () => ({ count }), init({ state, memory }) { if (state) count = state.count; const m = memory('m', 64); m[0] += 1; exports.mem = () => m[0]; },
      classes: { Thing: { save: (t) => t.v } } };
    exports.mem = () => 0;
  `);

for (const isolation of ['worker', 'process'] as const) {
  test(`smoke ${isolation}`, async () => {
    using scratch = createScratch();
    const file = scratch.file('k.node');
    install(versionOf(1), file);
    const addon = await open<any>(file, { isolation, stageDir: scratch.file('stage') });
    const { exports } = addon;
    expect(await exports.version()).toBe(1);
    expect(await exports.add(1, 2)).toBe(3);
    expect(await exports.bump()).toBe(1);
    expect(await exports.stats.mean([1, 2, 3])).toBe(2);
    await expect(exports.fail()).rejects.toMatchObject({
      name: 'RangeError',
      message: 'no',
      code: 'E_NO',
      extra: 3,
    });
    expect(await exports.later((v: number) => v + 10)).toBe(12);
    const thing = new exports.Thing(5);
    expect(await thing.get()).toBe(5);
    expect(await thing.set(6)).toBe(thing);
    expect(thing instanceof exports.Thing).toBe(true);
    install(versionOf(2), file);
    const early = exports.version();
    const report = await addon.reload();
    expect(report).toMatchObject({
      status: 'reloaded',
      from: 1,
      to: 2,
      state: 'carried',
      retired: { outcome: 'unloaded' },
    });
    expect(await early).toBe(1);
    expect(await exports.version()).toBe(2);
    expect(await exports.bump()).toBe(2);
    expect(await thing.get()).toBe(12);
    console.log(report, addon.memory(), await exports.mem());
    await addon.close();
    await expect(async () => exports.version()).rejects.toThrow('closed');
  });
}
