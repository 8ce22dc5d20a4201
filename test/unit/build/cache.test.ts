import fs from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NOTES_MAX, trimNotes } from '../../../src/build/fast/cache.ts';
import { realOutside } from '../../../src/outside.ts';
import { createScratch, type Scratch } from '../../support/addons.ts';

let scratch: Scratch;

beforeEach(() => {
  scratch = createScratch();
});

afterEach(() => scratch[Symbol.dispose]());

/** @param usedAt in seconds; a folder's own are those of its newest file */
function note(name: string, usedAt: number): string {
  scratch.write(name, '[]');
  fs.utimesSync(scratch.file(name), usedAt, usedAt);
  return name;
}

const left = () => fs.readdirSync(scratch.path).toSorted();

test('notes of as many build folders are kept as the bound says, each of them whole', async () => {
  const kept: string[] = [];
  for (let folder = 0; folder < NOTES_MAX; folder += 1) {
    // Its table is written when something is to be compiled, the rest with each build.
    kept.push(note(`a${folder}.headers`, 10), note(`a${folder}.json`, 1_000 + folder));
  }
  await trimNotes(realOutside, scratch.path);
  expect(left()).toEqual(kept.toSorted());
  note('b0.headers', 999);
  note('b0.json', 20);
  await trimNotes(realOutside, scratch.path);
  expect(left()).toEqual(kept.toSorted());
});

test('what killed processes left of notes is deleted, as that of folders that nobody builds any more', async () => {
  const kept = [note('used.json', 2_000)];
  for (let count = 0; count < NOTES_MAX; count += 1) note(`used.json.${count}-5f0e`, 1_000 + count);
  fs.mkdirSync(scratch.file('empty'));
  fs.utimesSync(scratch.file('empty'), 1, 1);
  await trimNotes(realOutside, scratch.path);
  expect(left()).toHaveLength(NOTES_MAX);
  expect(left()).toEqual(expect.arrayContaining(kept));
  expect(left()).not.toContain('used.json.0-5f0e');
  expect(left()).not.toContain('empty');
});
