/** The whole site, as a browser without a network finds it. */
import fs from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findParts, type Part } from '../../../site/browser/find.mjs';
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
  expect(written).toEqual(expect.arrayContaining([...targets, 'style.css', 'page.js', 'search-index.js']));
  const found = fs.readdirSync(scratch.path, { recursive: true, withFileTypes: true });
  const files = found
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.relative(scratch.path, path.join(parentPath, name)));
  expect(files.toSorted()).toEqual(written.toSorted());
});

describe.each(targets)('%s', (name) => {
  test('leads to files and headings of the site, or to the web', () => {
    const missing = attributes(read(name), 'href')
      .filter((href) => !/^(?:https?:|data:)/.test(href))
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
    for (const source of loaded) if (!source.startsWith('data:')) expect(written).toContain(source);
    const ids = attributes(html, 'id');
    expect(ids).toEqual([...new Set(ids)]);
  });

  test('can be used by keyboard and by ear', () => {
    const html = read(name);
    const headings = [...html.matchAll(/<h(\d)/g)].map(([, depth]) => depth);
    expect(headings[0]).toBe('1');
    expect(headings.filter((depth) => depth === '1')).toHaveLength(1);
    for (const [tag] of html.matchAll(/<(?:nav|form|button|input|div class="table")\b[^>]*>/g)) {
      if (!/class="(?:copy|menu)"/.test(tag)) expect(tag).toMatch(/(?:aria-label|role)="[^"]+"/);
    }
    const anchors = html.match(/class="anchor"[^>]*aria-label="[^"]+"/g) ?? [];
    expect(anchors.length).toBe(headings.length);
    expect(html).toMatch(/<button [^>]*aria-expanded="false" aria-controls="page-list"/);
  });

  test('says what it is, in a line', () => {
    const [, description = ''] = /<meta name="description" content="([^"]*)">/.exec(read(name)) ?? [];
    expect(description.length).toBeGreaterThan(20);
    expect(description.length).toBeLessThan(200);
  });

  test('has a button on each block of code', () => {
    const html = read(name);
    expect(html.match(/class="copy"/g)?.length).toBe(html.match(/<figure class="code"/g)?.length);
  });

  test('knows where it is in the navigation', () => {
    expect(read(name).match(/aria-current="page"/g)).toHaveLength(1);
  });
});

test('the style asks for nothing from elsewhere, and has each colour once', () => {
  expect(read('style.css')).not.toMatch(/@import|url\(/);
  const colours = [...read('style.css').matchAll(/^ +--([\w-]+):/gm)].map(([, colour]) => colour);
  expect(colours).toEqual([...new Set(colours)]);
});

test('the charts are parts of their page, in its colours', () => {
  const html = read('figures.html');
  expect(html.match(/<svg role="img" aria-label="[^"]+"/g)?.length).toBeGreaterThan(5);
  expect(html).not.toContain('<img');
});

describe('the search', () => {
  const context: { searchIndex?: readonly Part[] } = {};
  beforeAll(() => {
    vm.runInNewContext(read('search-index.js'), context);
  });

  test('finds an error by its code, in the reference and in the table of errors', () => {
    const found = findParts(context.searchIndex ?? [], 'err_busy', 2);
    expect(found.map(({ href }) => href)).toEqual(['errors.html', 'api.html#errordetails']);
    expect(found[0]?.excerpt).toContain('ERR_BUSY');
  });

  test('leads to headings that there are', () => {
    const parts = context.searchIndex ?? [];
    expect(parts.length).toBeGreaterThan(250);
    for (const { href } of parts) {
      const [file = '', anchor] = href.split('#');
      expect(targets).toContain(file);
      if (anchor !== undefined) expect(read(file)).toContain(` id="${anchor}"`);
    }
  });

  test('is a script that a browser can read', () => {
    expect(() => new vm.Script(read('page.js'))).not.toThrow();
    expect(read('page.js')).not.toMatch(/^(?:import|export) /m);
  });
});
