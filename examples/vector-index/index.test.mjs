/** The index's own tests: it must be the same one after every edit, and answer as it did. */
import { reloadable } from 'napi-reload/vitest';
import { describe, expect } from 'vitest';
import { addInLanes, halveDimensions } from './edits.mjs';
import { DIMENSIONS } from './lib/vectors.mjs';

const test = reloadable({
  root: import.meta.dirname,
  addon: 'build/Release/vector_index.node',
  source: 'src',
  build: 'node-gyp',
});

const VECTORS = 512;
/** Far from each other, and each the nearest to itself. */
const vectors = Float32Array.from({ length: VECTORS * DIMENSIONS }, (_, index) => (index * 7919) % 1009);
const vectorOf = (id) => vectors.subarray(id * DIMENSIONS, (id + 1) * DIMENSIONS);

async function applyEdits(edit, edits) {
  for (const { file, find, replace } of edits) await edit(file, (text) => text.replace(find, replace));
}

describe('the index', () => {
  test('is the same memory after an edit of the search, with the same answers', async ({ addon, edit }) => {
    addon.exports.build(vectors);
    const before = await addon.exports.search(vectorOf(17), 3);
    expect(before.ids[0]).toBe(17);
    await applyEdits(edit, addInLanes);
    await expect(addon).toKeepState(({ describe: look }) => look());
    expect(await addon.exports.search(vectorOf(17), 3)).toEqual(before);
  });

  test('refuses a version that takes its vectors for others', async ({ addon, edit }) => {
    addon.exports.build(vectors);
    await applyEdits(edit, halveDimensions);
    await expect(addon).toStayOnVersion(1, { code: 'ERR_HOOK_THREW' });
    expect((await addon.exports.search(vectorOf(1), 1)).ids[0]).toBe(1);
  });
});
