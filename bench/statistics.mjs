/** Figures of a list of measurements. */

/** @param {readonly number[]} values @param {number} quantile from 0 to 1 @returns {number} */
export function quantile(values, quantile) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))] ?? Number.NaN;
}

/** @param {readonly number[]} values */
export function summarise(values) {
  return {
    median: quantile(values, 0.5),
    p10: quantile(values, 0.1),
    p90: quantile(values, 0.9),
    p99: quantile(values, 0.99),
  };
}

/** @param {number} value */
export const round = (value) => Number(value.toPrecision(3));

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

/** @param {readonly number[]} values */
export const spread = (values) => ({
  median: round(quantile(values, 0.5)),
  p10: round(quantile(values, 0.1)),
  p90: round(quantile(values, 0.9)),
  rounds: values.length,
});
