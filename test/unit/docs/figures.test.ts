/** Every figure of a document is one of the report: what is written is what was measured. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { blocksOf, fillBlocks, withoutBlocks } from '../../../bench/blocks.mjs';
import { documentsOf, drawDocuments, REPORT, readDocuments } from '../../../bench/documents.mjs';

const root = path.resolve(import.meta.dirname, '../../..');
const report = JSON.parse(fs.readFileSync(path.join(root, REPORT), 'utf8')) as {
  reload: { ours: Record<string, number> };
};
/** A time, an amount of memory or a ratio. */
const FIGURE = /\d[\d.,]* ?(?:ms|µs|ns|s|times|%|[KMG]i?B|bytes)(?![\w-])/g;

/** The part of a document below the heading of that name; null where it has none. */
function sectionOf(text: string, heading: string): string | null {
  const found = new RegExp(`^(#+) ${heading}\\n([\\s\\S]*?)(?=^#{1,2} |(?![\\s\\S]))`, 'm').exec(text);
  return found?.[2] ?? null;
}

describe('the figures of the documents', () => {
  test.each(drawDocuments(report))('%s is what the report gives', (file, text) => {
    expect(fs.readFileSync(path.join(root, file), 'utf8')).toBe(text);
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });

  test('are those of the report in every block', () => {
    const filled = documentsOf(root, report);
    expect(filled.length).toBeGreaterThan(0);
    for (const [file, text] of filled)
      expect(fs.readFileSync(path.join(root, file), 'utf8'), file).toBe(text);
  });

  test('of what it costs stand in blocks only', () => {
    const sections = readDocuments(root).flatMap(([file, text]) => {
      const found = ['Cost', 'What it costs'].map((heading) => sectionOf(text, heading));
      return found.filter((section) => section !== null).map((section) => ({ file, section }));
    });
    const blocks = sections.flatMap(({ section }) => blocksOf(section));
    expect(blocks).toEqual(expect.arrayContaining(['reload', 'hosts']));
    for (const { file, section } of sections) {
      expect(withoutBlocks(section).match(FIGURE) ?? [], file).toEqual([]);
    }
  });
});

describe('a block', () => {
  const block = (text: string): string =>
    `before 1 ms\n<!-- figures: reload -->\n${text}<!-- /figures -->\nafter\n`;

  test('gets the figures of the report, and nothing around it changes', () => {
    const filled = fillBlocks(block('| 12345 ms |\n'), report);
    expect(filled).not.toContain('12345');
    expect(filled).toContain(`${report.reload.ours['median ms']} ms`);
    expect(withoutBlocks(filled)).toBe('before 1 ms\n\nafter\n');
    expect(fillBlocks(filled, report)).toBe(filled);
  });

  test('changes with the report', () => {
    const other = {
      ...report,
      reload: { ...report.reload, ours: { ...report.reload.ours, 'median ms': 9.87 } },
    };
    expect(fillBlocks(block(''), other)).toContain('| 9.87 ms |');
  });

  test('that asks for what there is not is refused', () => {
    expect(() => fillBlocks(block('').replace('reload', 'relaod'), report)).toThrow('no figures "relaod"');
  });
});
