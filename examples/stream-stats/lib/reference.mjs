/** The same figures as the kernel's, in plain JavaScript over all rows: what the kernel is compared with. */
import { COLUMNS } from './flights.mjs';

/** Room for the order of additions in floating point; counts, sums and percentiles must be equal. */
const RELATIVE_ERROR_MAX = 1e-9;

/**
 * Statistics of the first `rows` rows of a stream that reads the data set again and again.
 *
 * @param {{ rows: number, cells: Float64Array }} flights
 * @param {number} rows
 */
export function computeReference(flights, rows) {
  const byHour = new Map();
  const all = [];
  for (let row = 0; row < rows; row += 1) {
    const cell = (row % flights.rows) * COLUMNS;
    const [delay, hour] = [flights.cells[cell], flights.cells[cell + 1]];
    all.push(delay);
    if (!byHour.has(hour)) byHour.set(hour, []);
    byHour.get(hour).push(delay);
  }
  const groups = [...byHour].map(([hour, delays]) => ({ ...describeDelays(delays), hour }));
  return { summary: describeDelays(all), groups: groups.sort((a, b) => a.hour - b.hour) };
}

function describeDelays(delays) {
  const sorted = Float64Array.from(delays).sort();
  const count = sorted.length;
  if (count === 0) return { count };
  const mean = sorted.reduce((sum, x) => sum + x, 0) / count;
  const squares = sorted.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  const percentile = (percent) => sorted[Math.ceil((count * percent) / 100) - 1];
  return {
    count,
    mean,
    min: sorted[0],
    max: sorted[count - 1],
    median: percentile(50),
    stddev: Math.sqrt(squares / count),
    p99: percentile(99),
  };
}

/**
 * What in the kernel's figures differs from the reference; an empty list when nothing does. Fields that the
 * kernel's version does not have are not compared.
 *
 * @param {{ summary: object, groups: object[] }} found
 * @param {{ summary: object, groups: object[] }} reference
 * @returns {string[]}
 */
export function differences(found, reference) {
  const pairs = [['summary', found.summary, reference.summary]];
  if (found.groups.length !== reference.groups.length) {
    return [`${found.groups.length} groups, wanted ${reference.groups.length}`];
  }
  for (const [index, group] of found.groups.entries()) {
    pairs.push([`hour ${group.hour}`, group, reference.groups[index]]);
  }
  return pairs.flatMap(([name, figures, wanted]) =>
    Object.keys(figures)
      .filter((field) => !near(figures[field], wanted[field]))
      .map((field) => `${name}.${field} is ${figures[field]}, wanted ${wanted[field]}`),
  );
}

function near(found, wanted) {
  return found === wanted || Math.abs(found - wanted) <= RELATIVE_ERROR_MAX * Math.abs(wanted);
}
