// Figures of many measurements, and what a section of the benchmarks gives: subjects, which are tables of figures.

/** What a figure counts. Times that are not written in ms say so. @typedef {'ms' | 'µs' | 'ns' | 'bytes' | 'times' | 'count'} Unit */

/**
 * Of several measurements of the same: the median, with its spread. `least` stands where what is asked is the work itself,
 * and all above it is what else the machine did.
 *
 * @typedef {{ median: number, p10: number, p90: number, rounds: number, least?: number }} Figure
 */

/** @typedef {{ title: string, unit: Unit }} Column */

/**
 * A table of figures, which can be drawn: rows by the name of what was measured, or by a number that grows.
 *
 * @typedef {{
 *   title: string,
 *   along: string,
 *   grows?: 'count' | 'bytes',
 *   columns: Record<string, Column>,
 *   rows: Record<string, Record<string, Figure>>,
 *   draws: readonly string[],
 *   absent?: Record<string, string>,
 * }} Subject `along` says what the rows are; with `grows` their names are numbers of it; `draws` are the columns of the chart,
 *   all of one unit, none for no chart; `absent` says of rows that could not be measured here why
 */

/** @typedef {{ subjects: Record<string, Subject>, versions?: Record<string, string> }} Results of a section; versions of what else it ran */

/**
 * By linear interpolation between the two nearest values (definition 7 of Hyndman and Fan, 1996).
 *
 * @param {readonly number[]} values at least one @param {number} at from 0 to 1 @returns {number}
 */
export function quantile(values, at) {
  if (values.length === 0) throw new RangeError('there is no quantile of no values');
  const sorted = [...values].sort((a, b) => a - b);
  const place = at * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

/** To three digits: more of them are noise. @param {number} value */
export const round = (value) => Number(value.toPrecision(3));

/** @param {readonly number[]} values @returns {Figure} */
export const spread = (values) => ({
  median: round(quantile(values, 0.5)),
  p10: round(quantile(values, 0.1)),
  p90: round(quantile(values, 0.9)),
  rounds: values.length,
});

/** @param {readonly number[]} values @returns {Figure} */
export const spreadWithLeast = (values) => ({ ...spread(values), least: round(quantile(values, 0)) });

/**
 * How many times the one takes what the other takes, round by round: a drift of the machine's speed is in both.
 *
 * @param {readonly number[]} of @param {readonly number[]} to of the same rounds @returns {Figure}
 */
export function ratios(of, to) {
  if (of.length !== to.length) throw new RangeError(`${of.length} rounds beside ${to.length}`);
  return spread(of.map((value, at) => value / (to[at] ?? Number.NaN)));
}

/**
 * What a series grows by from one to the next: the median of the slopes between all pairs, as of Theil and Sen. A few values that
 * are off do not change it, and a growth in steps is in it, as most pairs have some between them.
 *
 * @param {readonly number[]} series at least two @returns {Figure}
 */
export function slope(series) {
  const slopes = series.flatMap((from, at) =>
    series.slice(at + 1).map((to, after) => (to - from) / (after + 1)),
  );
  return { ...spread(slopes), rounds: series.length };
}

/**
 * Adds a measurement to the list of that name.
 *
 * @template T
 * @param {Record<string, T[]>} lists @param {string} name @param {T} value
 */
export function collect(lists, name, value) {
  const list = lists[name] ?? [];
  list.push(value);
  lists[name] = list;
}
