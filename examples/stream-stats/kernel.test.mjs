/** The kernel's own tests: what an edit of it may do to the rows that it has. Each test edits a copy of the source. */
import { reloadable } from 'napi-reload/vitest';
import { describe, expect } from 'vitest';
import { addSpread, forgetParenthesis, forgetSquare } from './edits.mjs';
import { migrate } from './migrate.mjs';

const test = reloadable({
  root: import.meta.dirname,
  addon: 'build/Release/stream_stats.node',
  source: 'src',
  build: 'node-gyp',
  migrate,
});

/** Three flights: delay in minutes, hour of departure. */
const FLIGHTS = Float64Array.of(5, 8, 10, 8, 30, 17);

/** @param {(file: string, change: (text: string) => string) => Promise<void>} edit */
async function applyEdits(edit, edits) {
  for (const { file, find, replace } of edits) await edit(file, (text) => text.replace(find, replace));
}

describe('the kernel', () => {
  test('keeps its rows when its code changes', async ({ addon, edit }) => {
    const { push } = addon.exports;
    push(FLIGHTS);
    await edit('src/addon.cc', (text) => text.replace('Percentile(50)', 'Percentile(99)'));
    await expect(addon).toKeepState(({ groups }) => groups().map(({ count, mean }) => [count, mean]));
    expect(addon.exports.summary()).toMatchObject({ count: 3, mean: 15, median: 30 });
    push(FLIGHTS);
    expect(addon.exports.summary()).toMatchObject({ count: 6, mean: 15 });
  });

  test('brings its rows to schema 2, and back', async ({ addon, edit }) => {
    addon.exports.push(FLIGHTS);
    await applyEdits(edit, addSpread);
    await expect(addon).toKeepState(({ summary }) => summary().mean);
    expect(addon.exports.summary().stddev).toBeCloseTo(10.8, 1);
    await addon.rollback();
    expect(addon.exports.summary()).toEqual({ count: 3, mean: 15, min: 5, max: 30, median: 10 });
  });

  test('goes on when an edit is refused, by the compiler or by its own init', async ({ addon, edit }) => {
    addon.exports.push(FLIGHTS);
    await applyEdits(edit, [...addSpread, ...forgetParenthesis]);
    await expect(addon).toStayOnVersion(1, { code: 'ERR_BUILD_FAILED' });
    const [{ find, replace }] = forgetParenthesis;
    await edit('src/distribution.cc', (text) => text.replace(replace, find));
    await applyEdits(edit, forgetSquare);
    await expect(addon).toStayOnVersion(1, { code: 'ERR_HOOK_THREW' });
    expect(addon.exports.summary().count).toBe(3);
  });

  test('leaves nothing behind', async ({ addon }) => {
    addon.exports.push(FLIGHTS);
    await expect(addon).toUnload({ force: true });
    await expect(addon).toLeakLessThan(2 * 2 ** 20, { reloads: 20 });
  });
});
