/** The prices' own tests: an edit changes the price, and neither the numbers of quotes nor what was counted. */
import { reloadable } from 'napi-reload/vitest';
import { describe, expect } from 'vitest';
import { addDiscount } from './edits.mjs';

const options = {
  root: import.meta.dirname,
  addon: 'build/Release/quotes.node',
  source: 'src',
  build: 'node-gyp',
};
const test = reloadable(options);
const hosted = reloadable({ ...options, isolation: 'process' });

async function applyEdits(edit, edits) {
  for (const { file, find, replace } of edits) await edit(file, (text) => text.replace(find, replace));
}

describe('the quotes', () => {
  test('go on by number when the price changes', async ({ addon, edit }) => {
    const { quote } = addon.exports;
    expect(quote(120)).toEqual({ version: 1, sequence: 1, cents: 3000 });
    await applyEdits(edit, addDiscount);
    await expect(addon).toReload();
    expect(quote(120)).toEqual({ version: 2, sequence: 2, cents: 2700 });
  });

  test('are counted in a histogram that goes along', async ({ addon }) => {
    const histogram = new addon.exports.Histogram();
    histogram.record(3000);
    await expect(addon).toUnload({ force: true });
    expect(histogram.record(3000)).toBe(2);
    expect(histogram.quantile(0.5)).toBe(4096);
  });

  hosted('survive a crash of the process that makes them', async ({ addon, crash }) => {
    await addon.exports.quote(1);
    await expect(addon).toReload({ force: true });
    await crash();
    expect(await addon.exports.quote(1)).toMatchObject({ sequence: 2 });
  });
});
