/** Every figure of a document is one of the report: what is written is what was measured. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { blocksOf, fillBlocks, strayMarks, withoutBlocks } from '../../../bench/draw/blocks.mjs';
import {
  documentsOf,
  drawDocuments,
  faultsOf,
  FOLDER,
  REPORT,
  type Report,
  readDocuments,
} from '../../../bench/draw/documents.mjs';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const report = JSON.parse(fs.readFileSync(path.join(ROOT, REPORT), 'utf8')) as Report;

/** A time, an amount of memory, a share, or how many times as much: in digits, with its unit. */
const QUANTITY =
  /(?<![\w.])[−-]?\d[\d.,]*(?: to \d[\d.,]*)? ?(?:(?:milli|micro|nano)?seconds?|minutes?|[mµn]?s|times|mappings|%|[KMG]i?B|bytes|x)(?![\w-])/g;

/** What is decided, and not measured: defaults, bounds, and what an example does. Each stands in its document. */
const DECIDED: Readonly<Record<string, readonly string[]>> = {
  'CONTRIBUTING.md': ['300 seconds'],
  'docs/builders.md': ['512 MiB'],
  'docs/check.md': ['50 times'],
  'docs/commands.md': ['30ms', '30s'],
  'docs/cost.md': ['64 MiB', '100 ms'],
  'docs/dev.md': ['3 s'],
  'docs/groups.md': ['20 ms'],
  'docs/handle.md': ['100 ms'],
  'docs/isolation.md': ['128 KiB'],
  'docs/limits.md': ['20,000 mappings', '40,000 mappings', '1 KB'],
  'docs/memory.md': ['1 to 200 bytes', '16 MiB', '16 times', '90 %'],
  'docs/platforms.md': ['100 times'],
  'docs/testing.md': ['512 MiB'],
  'docs/threads.md': ['12 times', '37 seconds'],
};

/** Subjects that the documents are to show: the names of all sections' tables. */
const SUBJECTS: readonly string[] = [
  'reload',
  'stages',
  'cycle',
  'ways',
  'left',
  'calls',
  'callsBefore',
  'arrays',
  'hostReload',
  'rehearsal',
  'hostMemory',
  'image',
  'functions',
  'pinned',
  'live',
  'state',
  'instances',
  'headers',
  'server',
  'builders',
];

const withoutCode = (text: string): string =>
  text.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/`[^`\n]*`/g, '');

describe('the report', () => {
  test('is of a whole run, and has every subject', () => {
    expect(faultsOf(report, SUBJECTS)).toEqual([]);
    expect(Object.keys(report.subjects).toSorted()).toEqual(SUBJECTS.toSorted());
  });

  test('of a short run is none to publish', () => {
    expect(faultsOf({ ...report, short: true }, SUBJECTS)).toEqual(['it is a short run']);
  });

  test('that lacks a subject, or has a figure that is none, is none to publish', () => {
    const { ways, reload } = report.subjects;
    const wanted = ['reload', 'ways'];
    const others = { reload } as Report['subjects'];
    expect(faultsOf({ ...report, subjects: others }, wanted)).toEqual(['ways is missing']);
    const broken = { median: 1, p10: 2, p90: 3, rounds: 30 };
    const subjects = {
      ...others,
      ways: { ...ways, rows: { mine: { first: broken } } },
    } as Report['subjects'];
    expect(faultsOf({ ...report, subjects }, wanted)).toEqual(['ways / mine / first is no figure']);
  });

  test('in which the same case took more than half as long again is none to publish', () => {
    const figure = (median: number): object => ({ median, p10: median, p90: median, rounds: 15 });
    const faultsWith = (ours: number): string[] => {
      const subjects = {
        pinned: { rows: { 0: { ours: figure(1), plain: figure(1) }, 10: { ours: figure(9) } } },
        live: { rows: { 0: { ours: figure(ours), plain: figure(1.2) } } },
      } as unknown as Report['subjects'];
      return faultsOf({ ...report, subjects }, []);
    };
    expect(faultsWith(1.5)).toEqual([]);
    expect(faultsWith(1.6)).toEqual(['ours takes 1.6 in live and 1 in pinned where both are the same']);
    expect(faultsWith(0.5)).toEqual(['ours takes 1 in pinned and 0.5 in live where both are the same']);
  });
});

describe('the figures of the documents', () => {
  const drawn = drawDocuments(report);

  test.each(drawn)('%s is what the report gives', (file, text) => {
    expect(fs.readFileSync(path.join(ROOT, file), 'utf8')).toBe(text);
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });

  test('have no chart of another report', () => {
    const charts = fs.readdirSync(path.join(ROOT, FOLDER)).filter((name) => name.endsWith('.svg'));
    const expected = drawn.map(([file]) => file).filter((file) => file.endsWith('.svg'));
    expect(charts.map((name) => `${FOLDER}/${name}`).toSorted()).toEqual(expected.toSorted());
  });

  test.each(readDocuments(ROOT))('in %s are those of the report, or decided', (file, text) => {
    expect(strayMarks(withoutCode(text))).toEqual([]);
    expect(fillBlocks(text, report)).toBe(text);
    const written = withoutCode(withoutBlocks(text)).match(QUANTITY) ?? [];
    expect([...new Set(written)].toSorted()).toEqual((DECIDED[file] ?? []).toSorted());
  });

  test('of the documents are many', () => {
    const shown = documentsOf(ROOT, report).flatMap(([, text]) => blocksOf(text));
    const wanted = ['machine', 'reload', 'ways', 'left', 'calls', 'state', 'instances', 'server', 'builders'];
    expect(shown).toEqual(expect.arrayContaining(wanted));
  });
});

describe('a mark', () => {
  const block = (text: string): string =>
    `before 1 ms\n<!-- figures: reload -->\n${text}<!-- /figures -->\nafter\n`;

  test('of a table gets the figures of the report, and nothing around it changes', () => {
    const filled = fillBlocks(block('| 12345 ms |\n'), report);
    expect(filled).not.toContain('12345');
    expect(filled).toContain('| napi-reload |');
    expect(withoutBlocks(filled)).toBe('before 1 ms\n\nafter\n');
    expect(fillBlocks(filled, report)).toBe(filled);
  });

  test('of one figure gets its median, with its unit', () => {
    const figure = { median: 9.87, p10: 9, p90: 10, rounds: 30 };
    const reload = {
      columns: { live: { title: 'live', unit: 'ms' } },
      rows: { 'napi-reload': { live: figure } },
    };
    const other = { ...report, subjects: { reload } } as unknown as Report;
    const text = 'in <!-- figure: reload / napi-reload / live -->1 ms<!-- /figure -->.';
    expect(fillBlocks(text, other)).toBe(text.replace('1 ms', '9.87 ms'));
    expect(withoutBlocks(text)).toBe('in .');
  });

  test.each([
    [block('').replace('reload', 'relaod'), 'no figures "relaod"'],
    [
      '<!-- figure: reload / napi-reload / nope -->1<!-- /figure -->',
      'no figure "reload / napi-reload / nope"',
    ],
  ])('that asks for what there is not is refused', (text, message) => {
    expect(() => fillBlocks(text, report)).toThrow(message);
  });

  test.each(['<!-- figures:ways -->\n<!-- /figures -->', '<!-- figures: ways -->\n', '<!-- /figure -->'])(
    '%j is no mark, and found',
    (text) => {
      expect(strayMarks(text)).not.toEqual([]);
    },
  );
});

test.each([
  ['takes 1.5 ms', ['1.5 ms']],
  ['adds -13.3 ms', ['-13.3 ms']],
  ['2.6 to 3.7 times as long', ['2.6 to 3.7 times']],
  ['in 30 seconds, 40 KB, 5 mappings, 3x', ['30 seconds', '40 KB', '5 mappings', '3x']],
  ['Node.js 20, version 2, 12 of them', null],
])('%j has the quantities %j', (text, quantities) => {
  expect(text.match(QUANTITY)).toEqual(quantities);
});
