/** Which of the files that a watch tells of have changed: judged by real files, as a busy machine tells of them. */
import fs from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { realOutside } from '../../../src/outside.ts';
import { BuildChanges } from '../../../src/watch/build-changes.ts';
import { createScratch, type Scratch } from '../../support/addons.ts';

let scratch: Scratch;
let changes: BuildChanges;
let file: string;
beforeEach(() => {
  scratch = createScratch();
  file = scratch.write('kernel.c', 'one');
  changes = new BuildChanges(realOutside);
});
afterEach(() => scratch[Symbol.dispose]());

/** Does it again until the clock of the file system, which goes in steps, has gone on. */
function later(change: () => void): void {
  const { ctimeMs } = fs.statSync(file);
  do change();
  while (fs.statSync(file).ctimeMs === ctimeMs);
}

const judged = async (): Promise<readonly string[]> => (await changes.judge([file])).files;

/** A build that began so long after the edit that it cannot be what wrote the file. */
function buildLater(): void {
  const now = new Date();
  while (Date.now() - now.getTime() < 20);
  changes.begin();
}

test('an edit counts once, also when it is told of again before, during and after the build of it', async () => {
  expect(await judged()).toEqual([file]);
  expect(await judged()).toEqual([]);
  buildLater();
  expect(await judged()).toEqual([]);
  changes.end();
  expect(await judged()).toEqual([]);
});

test('the next edit counts', async () => {
  await judged();
  buildLater();
  later(() => fs.writeFileSync(file, 'two'));
  expect(await judged()).toEqual([file]);
  expect(await judged()).toEqual([]);
});

test('a file that is written again as it was counts while nothing builds', async () => {
  await judged();
  later(() => fs.writeFileSync(file, 'one'));
  expect(await judged()).toEqual([file]);
  later(() => fs.utimesSync(file, 1, 1));
  expect(await judged()).toEqual([file]);
});

test('a file that is replaced, with the bytes and the times of the one before, counts', async () => {
  await judged();
  const { atime, mtime } = fs.statSync(file);
  later(() => {
    fs.writeFileSync(`${file}~`, 'one');
    fs.utimesSync(`${file}~`, atime, mtime);
    fs.renameSync(`${file}~`, file);
  });
  expect(await judged()).toEqual([file]);
});

test('a file that has gone and come back counts', async () => {
  await judged();
  fs.rmSync(file);
  expect(await judged()).toEqual([file]);
  scratch.write('kernel.c', 'one');
  expect(await judged()).toEqual([file]);
});

test('a file that a build is writing again, as it was, is looked at once it is whole', async () => {
  await judged();
  buildLater();
  const inTheMiddle = new BuildChanges({
    ...realOutside,
    after(delayMs, callback) {
      // Nobody rests before the writer has ended.
      fs.writeFileSync(file, 'one');
      return realOutside.after(delayMs, callback);
    },
  });
  expect((await inTheMiddle.judge([file])).files).toEqual([file]);
  inTheMiddle.begin();
  fs.writeFileSync(file, '');
  expect((await inTheMiddle.judge([file])).files).toEqual([]);
});
