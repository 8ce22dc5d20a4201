// The documents that show what was measured, as texts.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { blocksOf, fillBlocks } from './blocks.mjs';
import { chartOf } from './charts.mjs';
import { markdownOf, tableOf } from './tables.mjs';

/** @typedef {import('../measure/statistics.mjs').Subject} Subject */
/**
 * @typedef {{
 *   short: boolean,
 *   commit: string | null,
 *   isChanged: boolean,
 *   machine: Record<string, string | number | null>,
 *   took: Record<string, number>,
 *   subjects: Record<string, Subject>,
 * }} Report what `npm run bench -- --json FILE` writes; `isChanged` tells that the tree was not that of the commit
 */

/** Below the root, as all paths here are. */
export const FOLDER = 'docs/bench';
export const REPORT = `${FOLDER}/report.json`;
const PAGE = 'docs/figures.md';

/** What is made of the report alone. @param {Report} report @returns {[string, string][]} files and their texts */
export function drawDocuments({ machine, commit, subjects }) {
  const about = Object.entries({ ...machine, commit }).filter(([, value]) => value !== null);
  /** @type {[string, string][]} */
  const charts = [];
  const sections = Object.entries(subjects).flatMap(([id, subject]) => {
    const svg = chartOf(subject);
    if (svg !== null) charts.push([`${FOLDER}/${id}.svg`, svg]);
    const picture = svg === null ? [] : [`![${subject.title}](bench/${id}.svg)`, ''];
    return ['', `## ${subject.title}`, '', ...picture, markdownOf(subject)];
  });
  const page = [
    '# Benchmarks',
    '',
    '<!-- Written by `npm run bench:report`. -->',
    '',
    'One run of `npm run bench:report`. Each figure is the median of several rounds; in parentheses, and as a line in the',
    'charts, the tenth and the ninetieth percentile. Compare what is in it with each other: elsewhere all of it is different.',
    '',
    tableOf(
      ['of', 'was'],
      about.map(([name, value]) => [name, String(value)]),
    ),
    ...sections,
    '',
  ].join('\n');
  return [[PAGE, page], ...charts];
}

/** Markdown that people write, which may have figures. @param {string} root @returns {[string, string][]} */
export function readDocuments(root) {
  const inRoot = readdirSync(root).filter((name) => name.endsWith('.md'));
  const docs = readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md'));
  return [...inRoot, ...docs.map((name) => `docs/${name}`)]
    .filter((file) => file !== PAGE)
    .map((file) => [file, readFileSync(path.join(root, file), 'utf8')]);
}

/** The same with the figures of the report. @param {string} root @param {Report} report @returns {[string, string][]} */
export function documentsOf(root, report) {
  return readDocuments(root)
    .filter(([, text]) => text.includes('<!-- figure'))
    .map(([file, text]) => [file, fillBlocks(text, report)]);
}

/**
 * Whether a report is one to publish: a whole run, with nothing in it that cannot be.
 *
 * @param {Report} report @param {readonly string[]} wanted the names of subjects that are to be there @returns {string[]} what is wrong
 */
export function faultsOf({ short, subjects }, wanted) {
  const figures = Object.entries(subjects).flatMap(([id, { rows }]) =>
    Object.entries(rows).flatMap(([row, columns]) =>
      Object.entries(columns).map(([column, figure]) => ({ at: `${id} / ${row} / ${column}`, figure })),
    ),
  );
  const isBroken = (/** @type {import('../measure/statistics.mjs').Figure} */ { median, p10, p90, rounds }) =>
    ![median, p10, p90].every(Number.isFinite) || p10 > median || median > p90 || rounds < 1;
  return [
    ...(short ? ['it is a short run'] : []),
    ...wanted.filter((id) => subjects[id] === undefined).map((id) => `${id} is missing`),
    ...figures.filter(({ figure }) => isBroken(figure)).map(({ at }) => `${at} is no figure`),
    ...(short
      ? []
      : figures
          .filter(({ figure }) => figure.rounds < MIN_ROUNDS)
          .map(({ at, figure }) => `${at}: ${figure.rounds} rounds`)),
    ...(short ? [] : disturbancesOf(subjects)),
  ];
}

/** Of fewer a tenth is no tenth. */
const MIN_ROUNDS = 5;
/** Of subjects whose first row is the same case: the smallest file, with nothing beside it. */
const ALIKE = ['image', 'functions', 'pinned', 'live'];
const ALIKE_COLUMNS = ['ours', 'plain'];
/** So many times what another one took, a time is that of something else that the machine did. */
const ALIKE_TIMES_MAX = 1.5;

/**
 * They are measured one after the other, so a stretch in which the machine was slower shows where the same case took longer.
 *
 * @param {Report['subjects']} subjects @returns {string[]}
 */
function disturbancesOf(subjects) {
  return ALIKE_COLUMNS.flatMap((column) => {
    const points = ALIKE.flatMap((id) => {
      const [first] = Object.values(subjects[id]?.rows ?? {});
      const median = first?.[column]?.median;
      return median === undefined ? [] : [{ id, median }];
    }).sort((a, b) => a.median - b.median);
    const [least, most] = [points.at(0), points.at(-1)];
    if (least === undefined || most === undefined || most.median <= least.median * ALIKE_TIMES_MAX) return [];
    return [
      `${column} takes ${most.median} in ${most.id} and ${least.median} in ${least.id} where both are the same`,
    ];
  });
}

/** The names of all blocks that documents have. @param {string} root @returns {string[]} */
export const blocksIn = (root) => readDocuments(root).flatMap(([, text]) => blocksOf(text));
