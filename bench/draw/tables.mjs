// Subjects as tables: for the terminal, and for Markdown.

/** @typedef {import('../measure/statistics.mjs').Subject} Subject */
/** @typedef {import('../measure/statistics.mjs').Figure} Figure */
/** @typedef {import('../measure/statistics.mjs').Unit} Unit */

const BYTES = ['bytes', 'KiB', 'MiB', 'GiB'];

/** A number with as many digits as are more than noise. @param {number} value @returns {string} */
export const show = (value) =>
  Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));

/** In the unit in which it is read best. @param {number} value in bytes @returns {string} */
export function showBytes(value) {
  const step = Math.min(3, Math.max(0, Math.floor(Math.log2(Math.abs(value) || 1) / 10)));
  return `${show(value / 1024 ** step)} ${BYTES[step]}`;
}

/** @param {number} value @param {Unit} unit @returns {string} */
export function showIn(value, unit) {
  if (unit === 'bytes') return showBytes(value);
  return unit === 'times' || unit === 'count' ? show(value) : `${show(value)} ${unit}`;
}

/** @param {Figure | undefined} figure @param {Unit} unit */
function cellOf(figure, unit) {
  if (figure === undefined) return '';
  const { median, p10, p90, rounds } = figure;
  if (rounds === 1) return showIn(median, unit);
  const [low, high] = unit === 'bytes' ? [showBytes(p10), showBytes(p90)] : [show(p10), show(p90)];
  return `${showIn(median, unit)} (${low} to ${high})`;
}

/** @param {Subject} subject @param {string} row */
const nameOf = ({ grows }, row) => {
  if (grows === undefined) return row;
  return grows === 'bytes' ? showBytes(Number(row)) : show(Number(row));
};

/** For console.table. @param {Subject} subject @returns {Record<string, Record<string, string>>} */
export function rowsOf(subject) {
  const columns = Object.entries(subject.columns);
  return Object.fromEntries([
    ...Object.entries(subject.rows).map(([row, figures]) => [
      nameOf(subject, row),
      Object.fromEntries(columns.map(([key, { title, unit }]) => [title, cellOf(figures[key], unit)])),
    ]),
    ...Object.entries(subject.absent ?? {}).map(([row, why]) => [
      row,
      { [columns[0]?.[1].title ?? '']: why },
    ]),
  ]);
}

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows @returns {string} */
export function tableOf(head, rows) {
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** As Markdown: each cell the median, and what a tenth of the rounds was below and above. @param {Subject} subject @returns {string} */
export function markdownOf(subject) {
  const columns = Object.entries(subject.columns);
  const titles = columns.map(([, { title }]) => title);
  const rows = Object.entries(subject.rows).map(([row, figures]) => [
    nameOf(subject, row),
    ...columns.map(([key, { unit }]) => cellOf(figures[key], unit)),
  ]);
  const absent = Object.entries(subject.absent ?? {}).map(([row, why]) => [
    nameOf(subject, row),
    `not measured: ${why}`,
    ...columns.slice(1).map(() => ''),
  ]);
  return tableOf([subject.along, ...titles], [...rows, ...absent]);
}
