/** The code map, compared with the tree. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { namesIn, readDocument, ROOT, sectionOf, tablesOf } from './markdown.ts';

const architecture = readDocument('ARCHITECTURE.md');
const [ofSource = [], ofIsolate = [], ofDev = [], ofNative = [], ofInterpose = []] = tablesOf(
  sectionOf(architecture, 'Code map').text,
);
const [ofTests = []] = tablesOf(sectionOf(architecture, 'Tests').text);

/** Without folders that hold nothing, which git does not keep. */
const entries = (folder: string): readonly fs.Dirent[] =>
  fs
    .readdirSync(path.join(ROOT, folder), { withFileTypes: true })
    .filter(({ name }) => readdirOrNull(path.join(ROOT, folder, name))?.length !== 0);

function readdirOrNull(folder: string): readonly string[] | null {
  return fs.statSync(folder).isDirectory() ? fs.readdirSync(folder) : null;
}

describe('the code map', () => {
  test('names every file and folder of src/', () => {
    const found = entries('src').map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
    expect(namesIn(ofSource).toSorted()).toEqual(found.toSorted());
  });

  test.each([
    ['src/isolate', ofIsolate],
    ['src/cli/dev', ofDev],
  ])('names every file of %s/', (folder, table) => {
    const found = entries(folder).map(({ name }) => name);
    expect(namesIn(table).toSorted()).toEqual(found.toSorted());
  });

  test.each([
    ['native', ofNative],
    ['native/interpose', ofInterpose],
  ])('names every file of %s/, a header and its source as one', (folder, table) => {
    const names = entries(folder).map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
    const pairs = names.map((name) =>
      /\.(?:cc|h)$/.test(name) && ['.cc', '.h'].every((end) => names.includes(name.replace(/\.\w+$/, end)))
        ? name.replace(/\.\w+$/, '.*')
        : name,
    );
    expect(namesIn(table).toSorted()).toEqual([...new Set(pairs)].toSorted());
  });

  test('names every folder of test/ that holds something', () => {
    const found = entries('test')
      .filter((entry) => entry.isDirectory())
      .map((entry) => `test/${entry.name}`);
    expect(namesIn(ofTests).toSorted()).toEqual(expect.arrayContaining(found));
  });

  test('leads to files that exist', () => {
    const named = [...architecture.matchAll(/`((?:src|native|test|examples|bench|\.ci)\/[\w./-]+)`/g)];
    const missing = named
      .map(([, name = '']) => name)
      .filter((name) => !fs.existsSync(path.join(ROOT, name)));
    expect(named.length).toBeGreaterThan(10);
    expect(missing).toEqual([]);
  });
});
