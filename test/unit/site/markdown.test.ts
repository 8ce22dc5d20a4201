/** Fences, anchors, and Markdown as HTML. */
import { describe, expect, test } from 'vitest';
import { parseFence } from '../../../site/fence.ts';
import { type Files, render } from '../../../site/markdown.ts';
import { slugOf } from '../../../site/slug.ts';

describe('parseFence', () => {
  test('reads what the tests do with a block', () => {
    expect(parseFence('js file=main.mjs')).toMatchObject({ language: 'js', file: 'main.mjs', runs: false });
    expect(parseFence('sh run needs=rustc')).toMatchObject({ runs: true, needs: 'rustc', unknown: [] });
    expect(parseFence('text output')).toMatchObject({ isOutput: true, file: null, notRun: null });
    expect(parseFence('sh not-run="it never ends"')).toMatchObject({ notRun: 'it never ends', unknown: [] });
  });

  test('tells of words that mean nothing', () => {
    expect(parseFence('js runs').unknown).toEqual(['runs']);
    expect(parseFence('js file=').unknown).toEqual(['file=']);
    expect(parseFence('js not-run=""').unknown).toEqual(['not-run=""']);
    expect(parseFence('').language).toBe('');
  });
});

test('slugOf makes anchors as GitHub does', () => {
  expect(slugOf('C++, with node-addon-api')).toBe('c-with-node-addon-api');
  expect(slugOf('`require()` under the register')).toBe('require-under-the-register');
  expect(slugOf('snake_case')).toBe('snake_case');
});

const DRAWING = `<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" aria-label="Its own"><rect class="chart-back"/></svg>
`;

describe('render', () => {
  const files: Files = {
    resolve: (file) => `found/${file}`,
    drawing: (file) => (file === 'docs/bench/a.svg' ? DRAWING : null),
  };
  const html = (markdown: string): string => render(markdown, 'docs/hooks.md', files).html;

  test('leads to where the site has a file', () => {
    expect(html('[a](errors.md#b) [c](../README.md) [d](#e) [f](https://g.h/i.md)')).toContain(
      '<a href="found/docs/errors.md#b">a</a> <a href="found/README.md">c</a> <a href="#e">d</a> <a href="https://g.h/i.md">f</a>',
    );
    expect(html('![a "b"](../x.svg)')).toContain('<img src="found/x.svg" alt="a &quot;b&quot;">');
  });

  test('takes a tag as text', () => {
    expect(html('<script>alert(1)</script>\n\na <b>c</b>')).not.toMatch(/<script|<b>/);
    expect(html('```sh\nnapi-reload <command>\n```')).not.toContain('<command');
    expect(html('```nolang\n<i>\n```')).toContain('<code>&lt;i&gt;</code>');
  });

  test('leaves out a comment, and nothing beside it', () => {
    expect(html('a\n\n<!-- b: c -->\n\nd\n\n<!-- /b -->\ne')).toBe('<p>a</p>\n<p>d</p>\n<p>e</p>\n');
    expect(html('<!-- b --> <i>c</i>')).toContain('&lt;i&gt;');
  });

  test('tells headings of the same words apart', () => {
    const { html: text, headings } = render('# A `b`\n\n## C\n\n## C', 'README.md', files);
    expect(headings).toEqual([
      { depth: 1, text: 'A b', anchor: 'a-b' },
      { depth: 2, text: 'C', anchor: 'c' },
      { depth: 2, text: 'C', anchor: 'c-1' },
    ]);
    expect(text).toContain('<h2 id="c-1">C ');
  });

  test('names the heading that a link to it leads to', () => {
    expect(html('## A `b`')).toContain('<a class="anchor" href="#a-b" aria-label="Link to: A b">');
  });

  test('makes a drawing a part of the page, under the words of the page', () => {
    expect(html('![It "grows"](bench/a.svg)')).toBe(
      '<p><svg role="img" aria-label="It &quot;grows&quot;" class="chart"><rect class="chart-back"/></svg></p>\n',
    );
  });

  test('lets a keyboard scroll a table, whose cells know their columns', () => {
    const shown = html('## Sizes\n\n| name | `max` |\n|---|---|\n| a | *1* |');
    expect(shown).toContain('<div class="table" tabindex="0" role="group" aria-label="Table: Sizes">');
    expect(shown).toContain('<th role="columnheader" scope="col"><code>max</code></th>');
    expect(shown).toContain('<td role="cell" data-title="max"><em>1</em></td>');
  });

  test('gives what stands under each heading, without marks', () => {
    const { sections } = render(
      '# A\n\n*B* [c](d.md).\n\n<!-- e -->\n\n| f | g |\n|---|---|\n| `h` | i |\n\n## J\n\n- k\n- l\n\n```js\nm();\n```',
      'README.md',
      files,
    );
    expect(sections).toEqual([
      { text: 'B c. f g h i', terms: ['h'] },
      { text: 'k l m();', terms: [] },
    ]);
  });

  test('shows the name of a file above it, and colours what it knows', () => {
    const shown = html('```js file=main.mjs\nconst a = 1;\n```');
    expect(shown).toContain('<figcaption>main.mjs</figcaption>');
    expect(shown).toContain('<span class="hljs-keyword">const</span>');
  });
});
