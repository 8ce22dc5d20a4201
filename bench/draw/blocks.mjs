// Blocks of Markdown that are made of the report. A document has one where it says `<!-- figures: SUBJECT -->`, up to
// `<!-- /figures -->`, and a single figure in a sentence where it says `<!-- figure: SUBJECT / ROW / COLUMN -->` up to
// `<!-- /figure -->`. So no figure of a document is another one than was measured.
import { markdownOf, showIn } from './tables.mjs';

/** @typedef {import('./documents.mjs').Report} Report */

const BLOCK = /(<!-- figures: (\S+) -->\n)[\s\S]*?(<!-- \/figures -->)/g;
const FIGURE = /(<!-- figure: ([^>]+?) -->)[\s\S]*?(<!-- \/figure -->)/g;
/** Any mark, also one that is written wrong, and would never be filled. */
const MARK = /<!--\s*\/?\s*figures?\b[^>]*-->/g;

/** @param {Report} report @param {string} name */
function blockOf({ machine, subjects }, name) {
  if (name === 'machine') {
    const { date, processor, cores, memoryGiB, system, glibc, node } = machine;
    return `Measured on ${date}: ${processor}, ${cores} cores, ${memoryGiB} GiB, ${system}, glibc ${glibc}, Node.js ${node}.`;
  }
  const subject = subjects[name];
  if (subject !== undefined) return markdownOf(subject);
  const known = ['machine', ...Object.keys(subjects)];
  throw new Error(`there are no figures ${JSON.stringify(name)}; there are ${known.join(', ')}`);
}

/** @param {Report} report @param {string} path `SUBJECT / ROW / COLUMN` */
function figureOf({ subjects }, path) {
  const [subject = '', row = '', column = ''] = path.split(' / ');
  const figure = subjects[subject]?.rows[row]?.[column];
  const unit = subjects[subject]?.columns[column]?.unit;
  if (figure === undefined || unit === undefined)
    throw new Error(`there is no figure ${JSON.stringify(path)}`);
  return showIn(figure.median, unit);
}

/** Puts the figures of the report into each mark. @param {string} markdown @param {Report} report @returns {string} */
export function fillBlocks(markdown, report) {
  return markdown
    .replaceAll(BLOCK, (_, begin, name, end) => `${begin}\n${blockOf(report, name)}\n\n${end}`)
    .replaceAll(FIGURE, (_, begin, path, end) => `${begin}${figureOf(report, path)}${end}`);
}

/** What is left of a document without its blocks and figures. @param {string} markdown @returns {string} */
export const withoutBlocks = (markdown) => markdown.replaceAll(BLOCK, '').replaceAll(FIGURE, '');

/** The names of the blocks of a document. @param {string} markdown @returns {string[]} */
export const blocksOf = (markdown) => Array.from(markdown.matchAll(BLOCK), ([, , name = '']) => name);

/** Marks that are neither whole blocks nor whole figures. @param {string} markdown @returns {string[]} */
export const strayMarks = (markdown) => withoutBlocks(markdown).match(MARK) ?? [];
