/** What holds for all documents: their links lead somewhere, and the README lists every page. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readContents } from '../../../site/contents.ts';
import { anchorsOf, blocksOf, linksOf, PAGES, readDocument, ROOT } from './markdown.ts';

const README = 'README.md';

describe.each([README, 'ARCHITECTURE.md', 'CHANGELOG.md', 'SECURITY.md', 'CONTRIBUTING.md', ...PAGES])(
  '%s',
  (name) => {
    const text = readDocument(name);

    test('links to files and headings that exist', () => {
      const missing = linksOf(text)
        .filter((link) => !/^https?:/.test(link))
        .filter((link) => {
          const [file = '', anchor] = link.split('#');
          const target = file === '' ? name : path.join(path.dirname(name), file);
          if (!fs.existsSync(path.join(ROOT, target))) return true;
          return anchor !== undefined && !anchorsOf(readDocument(target)).has(anchor);
        });
      expect(missing).toEqual([]);
    });

    test('has each heading once, so that a link to it is clear', () => {
      const headings = text.replace(/^```[\s\S]*?^```$/gm, '').match(/^#+ .+$/gm) ?? [];
      if (name !== 'CHANGELOG.md') expect(headings).toEqual([...new Set(headings)]);
      expect(headings.filter((heading) => heading.startsWith('# '))).toHaveLength(1);
    });
  },
);

test('the README lists every page of docs/ once', () => {
  const listed = readContents().flatMap(({ pages }) => pages.map(({ source }) => source));
  const inDocs = listed.filter((source) => source.startsWith('docs/'));
  expect(inDocs.toSorted()).toEqual(PAGES.toSorted());
});

/** Files that no command names, and what looks for them. */
const LOOKED_FOR: ReadonlyMap<string | null, string> = new Map([
  ['binding.gyp', 'node-gyp'],
  ['CMakeLists.txt', 'cmake'],
  ['napi-reload.config.ts', 'loadConfigSync'],
  // Its types are checked.
  ['typed.ts', "endsWith('.ts')"],
  // Of docs/testing.md, whose project a test of the package runs.
  ['total.test.mjs', "'total.test'"],
  ['crash.test.mjs', "'crash.test'"],
  ['vitest.config.mjs', 'vitest.mjs'],
]);

/** Tests of documents, without this one: it names what it looks for. */
const TESTS: readonly string[] = [import.meta.dirname, path.join(ROOT, 'test/package')]
  .flatMap((folder) => fs.readdirSync(folder).map((file) => path.join(folder, file)))
  .filter((file) => file.endsWith('.test.ts') && file !== import.meta.filename)
  .map((file) => fs.readFileSync(file, 'utf8'));

/** Made from commands and comments, whose own tests run what they say. */
const MADE: readonly string[] = ['docs/api.md', 'docs/commands.md'];

describe.each([README, ...PAGES].filter((name) => !MADE.includes(name)))('each block of %s', (name) => {
  const blocks = blocksOf(readDocument(name));

  test('is a file, is run, is what a run prints, or says why not', () => {
    const uses = blocks.map(({ file, runs, isOutput, notRun, unknown }) => ({
      ways: [file !== null, runs, isOutput, notRun !== null].filter(Boolean).length,
      unknown,
    }));
    expect(uses).toEqual(blocks.map(() => ({ ways: 1, unknown: [] })));
  });

  test('that is a file is used by another one, or by a test of its own', () => {
    for (const { file } of blocks.filter((block) => block.file !== null)) {
      const name = LOOKED_FOR.get(file) ?? file ?? '';
      const others = blocks.filter((block) => block.file !== file && (block.runs || block.file !== null));
      const users = [...TESTS, ...others.map(({ text }) => text)];
      expect(
        users.some((text) => text.includes(name)),
        `${file} is used`,
      ).toBe(true);
    }
  });

  test('that shows output stands behind a run', () => {
    for (const [index, { isOutput }] of blocks.entries()) {
      if (isOutput) expect(blocks[index - 1]?.runs).toBe(true);
    }
  });
});
