/** The addon in JavaScript of the recipes, opened and reloaded. */
import { expect, test } from 'vitest';
import { open } from '../../../src/addon.ts';
import { createScratch, install, scriptedAddon } from '../../support/addons.ts';
import { blocksOf, readDocument } from './markdown.ts';

interface Total {
  add(n: number): number;
}

test('hooks.js of the recipes keeps its state', async () => {
  const block = blocksOf(readDocument('docs/recipes.md')).find(({ file }) => file === 'hooks.js');
  using scratch = createScratch();
  const target = scratch.file('total.node');
  install(scriptedAddon(block?.text ?? expect.fail('there is no hooks.js')), target);
  const total = await open<Total>(target, { stageDir: scratch.file('stage') });
  const { add } = total.exports;
  expect(add(2)).toBe(2);
  expect(await total.reload({ force: true })).toMatchObject({ status: 'reloaded', state: 'carried' });
  expect([add(1), total.current.schema]).toEqual([3, 2]);
  await total.close();
});
