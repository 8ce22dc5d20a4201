/** What a search finds, and in which order. */
import { expect, test } from 'vitest';
import { findParts, type Part } from '../../../site/browser/find.mjs';

const part = (title: string, text = '', page = 'Page', terms: readonly string[] = []): Part => ({
  href: `${title}.html`,
  page,
  title,
  text,
  terms,
});
const titles = (parts: readonly Part[], query: string, max = 10): readonly string[] =>
  findParts(parts, query, max).map(({ title }) => title);

test('a search wants every word, in the title, the page or the text', () => {
  const parts = [
    part('reload', 'of a version'),
    part('Other', 'reload it'),
    part('None', 'reloads', 'Version'),
  ];
  expect(titles(parts, 'Reload VERSION')).toEqual(['reload', 'None']);
  expect(titles(parts, 'absent')).toEqual([]);
  expect(titles(parts, ' ')).toEqual([]);
});

test('a title is worth more than a text, and a word more than a part of one', () => {
  const parts = [
    part('a', 'preload'),
    part('b', 'reload'),
    part('How to reload'),
    part('reload twice'),
    part('reload'),
  ];
  expect(titles(parts, 'reload')).toEqual(['reload', 'reload twice', 'How to reload', 'b', 'a']);
  expect(titles(parts, 'reload', 2)).toHaveLength(2);
});

test('a row of a table about a word is worth more than a text with it', () => {
  const parts = [part('a', 'see ERR_BUSY'), part('b', 'ERR_BUSY means', 'Page', ['ERR_BUSY'])];
  expect(titles(parts, 'err_busy')).toEqual(['b', 'a']);
});

test('an excerpt stands around the first word that is found', () => {
  const text = `${'before '.repeat(40)}needle ${'after '.repeat(40)}`;
  const [found] = findParts([part('a', text)], 'needle', 1);
  expect(found?.excerpt).toMatch(/^… before .*needle after .* …$/);
  expect(findParts([part('needle', 'short')], 'needle', 1)[0]?.excerpt).toBe('short');
});
