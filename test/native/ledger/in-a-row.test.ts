/** Reloads without a pause: nothing but they themselves lets the event loop turn. */
import fs from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { open } from '../../../src/index.ts';
import { counter } from '../../fixtures/ledger/build.mjs';
import { gc, removeFolder } from '../../fixtures/ledger/load.mjs';
import { createScratch } from '../../support/addons.ts';

const RELOADS = 40;
/** The live one, and those whose objects were collected so lately that they have not been told of it. */
const VERSIONS_MAX = 5;

afterAll(removeFolder);

test('reloads in a row unload versions whose objects are collected meanwhile', async () => {
  using scratch = createScratch();
  const file = scratch.file('counter.node');
  fs.copyFileSync(counter(1), file);
  await using addon = await open<{ Counter: new (start: number) => object }>(file, {
    stageDir: scratch.file('stage'),
  });
  const pinned = new Set<number>();
  for (let turn = 0; turn < RELOADS; turn++) {
    new addon.exports.Counter(turn);
    const report = await addon.reload({ force: true });
    if (report.status === 'reloaded' && report.retired?.outcome === 'pinned') pinned.add(report.to);
    gc();
  }
  expect(pinned.size).toBeGreaterThan(RELOADS / 2);
  expect(addon.versions().length).toBeLessThanOrEqual(VERSIONS_MAX);
});
