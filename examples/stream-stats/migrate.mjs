/** The steps that `open()` is given, to carry the kernel's state from one schema to the next. */

/**
 * Schema 2 keeps the sum of squares of each group, which the standard deviation is made of.
 *
 * Schema 1 did not keep it, but it kept a bin for every different delay of a group, so nothing of the old rows is
 * guessed: the sum over the bins is exactly what schema 2 would have collected from the first row on. All numbers
 * are whole and far below 2^53.
 *
 * The new column is an addition, so the way back to schema 1 is to leave it out.
 */
export const migrate = {
  1: {
    up: (state) => ({ ...state, sumsOfSquares: sumsOfSquares(state) }),
    down: ({ sumsOfSquares: _, ...state }) => state,
  },
};

function sumsOfSquares({ binEnds, binValues, binCounts }) {
  const sums = new Float64Array(binEnds.length);
  let bin = 0;
  for (let group = 0; group < sums.length; group += 1) {
    for (; bin < binEnds[group]; bin += 1) sums[group] += binValues[bin] ** 2 * binCounts[bin];
  }
  return sums;
}
