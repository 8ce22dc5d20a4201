/** The picture of the README, and the script that draws it. */
import { pathToFileURL } from 'node:url';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readDocument, ROOT } from './markdown.ts';

interface Piece {
  readonly text: string;
  readonly classes: string;
}
interface Picture {
  readLines(output: string): readonly (readonly Piece[])[];
  drawTerminal(title: string, lines: readonly (readonly Piece[])[]): string;
}

const script = pathToFileURL(path.join(ROOT, 'examples/stream-stats/picture.mjs')).href;
const { readLines, drawTerminal } = (await import(script)) as Picture;

describe('readLines', () => {
  test('gives each piece the classes of its colour and weight', () => {
    expect(readLines('a\x1b[31mb\x1b[1mc\x1b[39md\x1b[22me\x1b[32mf\x1b[0mg')).toEqual([
      [
        { text: 'a', classes: '' },
        { text: 'b', classes: 'red' },
        { text: 'c', classes: 'bold red' },
        { text: 'd', classes: 'bold' },
        { text: 'e', classes: '' },
        { text: 'f', classes: 'green' },
        { text: 'g', classes: '' },
      ],
    ]);
  });

  test('forgets what was erased', () => {
    expect(readLines('\r\x1b[2Kbuilding 1 s\r\x1b[2Kdone\n')).toEqual([[{ text: 'done', classes: '' }], []]);
  });
});

describe('drawTerminal', () => {
  test('escapes what SVG would take for markup', () => {
    const svg = drawTerminal('t & t', [[{ text: 'a<b> "c"', classes: 'red' }]]);
    expect(svg).toContain('<tspan class="red">a&lt;b&gt; &quot;c&quot;</tspan>');
    expect(svg).toContain('<title>t &amp; t</title>');
  });
});

describe('tour.svg', () => {
  test('shows every stage of the tour, and no path of the machine that made it', () => {
    const svg = readDocument('examples/stream-stats/tour.svg');
    for (const number of [1, 2, 3, 4, 5]) expect(svg).toMatch(new RegExp(`class="bold">${number}  `));
    expect(svg).toContain('ERR_BUILD_FAILED');
    const shown = svg.replace(/<[^>]*>/g, ' ');
    expect(shown).toContain('src/distribution.cc');
    expect(shown).not.toMatch(/(?:^|[\s"'(])\/\w/);
    expect(svg).not.toContain('\x1b');
  });
});
