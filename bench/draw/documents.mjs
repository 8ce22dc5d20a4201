// The documents that show what was measured, as texts.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { blocksOf, fillBlocks } from './blocks.mjs';
import { chartsOf, tableOf } from './charts.mjs';

const FOLDER = 'docs/bench';
/** Below the root, as all paths here are. */
export const REPORT = `${FOLDER}/report.json`;
const PAGE = 'docs/figures.md';

/** @typedef {import('./charts.mjs').Report} Report */

/** What is made of the report alone. @param {Report} report @returns {[string, string][]} files and their texts */
export function drawDocuments(report) {
  const charts = chartsOf(report);
  const machine = Object.entries({ ...report.machine, ...report.ways.rivals })
    .filter(([, value]) => value !== null)
    .map(([name, value]) => [name, String(value)]);
  const page = [
    '# Figures',
    '',
    '<!-- Written by `npm run bench:report`. -->',
    '',
    'One run of `npm run bench:report`. Compare what is in it with each other: elsewhere all of it is different. Scales are',
    'logarithmic, and a thin line goes from the tenth to the ninetieth percentile.',
    '',
    tableOf(['of', 'was'], machine),
    ...charts.flatMap(({ id, title, table }) => [
      '',
      `## ${title}`,
      '',
      `![${title}](bench/${id}.svg)`,
      '',
      table,
    ]),
    '',
  ].join('\n');
  return [
    [PAGE, page],
    ...charts.map(({ id, svg }) => /** @type {[string, string]} */ ([`${FOLDER}/${id}.svg`, svg])),
  ];
}

/** Markdown that people write, which has blocks of figures. @param {string} root @returns {[string, string][]} */
export function readDocuments(root) {
  const docs = readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', 'ARCHITECTURE.md', ...docs.map((name) => `docs/${name}`)].map((file) => [
    file,
    readFileSync(path.join(root, file), 'utf8'),
  ]);
}

/** The same with the figures of the report. @param {string} root @param {Report} report @returns {[string, string][]} */
export function documentsOf(root, report) {
  return readDocuments(root)
    .filter(([, text]) => blocksOf(text).length > 0)
    .map(([file, text]) => [file, fillBlocks(text, report)]);
}
