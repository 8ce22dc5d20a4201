/** The whole site, as a browser without a network finds it. */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildSite } from '../../../site/build.ts';
import { readContents } from '../../../site/contents.ts';
import { createScratch, type Scratch } from '../../support/addons.ts';

let scratch: Scratch;
let written: readonly string[];

const read = (name: string): string => fs.readFileSync(scratch.file(name), 'utf8');
const attributes = (html: string, name: string): readonly string[] =>
  [...html.matchAll(new RegExp(`\\s${name}="([^"]*)"`, 'g'))].map(([, value = '']) => value);
const targets = readContents().flatMap(({ pages }) => pages.map(({ target }) => target));

beforeAll(() => {
  scratch = createScratch();
  scratch.write('left/over.html', 'of another build');
  written = buildSite(scratch.path);
});
afterAll(() => scratch[Symbol.dispose]());

test('the site has a page for each that the README lists, and nothing of the build before', () => {
  expect(targets.length).toBeGreaterThan(20);
  expect(written).toEqual(expect.arrayContaining([...targets, 'style.css']));
  const found = fs.readdirSync(scratch.path, { recursive: true, withFileTypes: true });
  const files = found
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.relative(scratch.path, path.join(parentPath, name)));
  expect(files.toSorted()).toEqual(written.toSorted());
});

describe.each(targets)('%s', (name) => {
  test('leads to files and headings of the site, or to the web', () => {
    const missing = attributes(read(name), 'href')
      .filter((href) => !/^https?:\/\//.test(href))
      .filter((href) => {
        const [file = '', anchor] = href.split('#');
        const target = file === '' ? name : path.join(path.dirname(name), file);
        if (!written.includes(target)) return true;
        return anchor !== undefined && !attributes(read(target), 'id').includes(anchor);
      });
    expect(missing).toEqual([]);
  });

  test('loads nothing from elsewhere, and has each anchor once', () => {
    const html = read(name);
    const loaded = [...html.matchAll(/<(?:img|script|link|iframe|source)\b[^>]*>/g)].flatMap(([tag]) => [
      ...attributes(tag, 'src'),
      ...attributes(tag, 'href'),
    ]);
    for (const source of loaded) expect(written).toContain(source);
    const ids = attributes(html, 'id');
    expect(ids).toEqual([...new Set(ids)]);
  });

  test('knows where it is in the navigation', () => {
    expect(read(name).match(/aria-current="page"/g)).toHaveLength(1);
  });
});

test('the style asks for nothing from elsewhere', () => {
  expect(read('style.css')).not.toMatch(/@import|url\(/);
});
