/**
 * The edits that the run makes to the source, as a developer would.
 *
 * @typedef {import('../lib/edits.mjs').Edit} Edit
 */

/**
 * Version 2: eight sums side by side, which the compiler puts into vector registers. All sums are exact, so the answers
 * are the same.
 *
 * @type {readonly Edit[]}
 */
export const addInLanes = [
  {
    file: 'src/search.cc',
    find: `  float sum = 0;
  for (size_t i = 0; i < kDimensions; i += 1) {
    const float difference = a[i] - b[i];
    sum += difference * difference;
  }
  return sum;
`,
    replace: `  constexpr size_t kLanes = 8;
  float sums[kLanes] = {};
  for (size_t i = 0; i < kDimensions; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; lane += 1) {
      const float difference = a[i + lane] - b[i + lane];
      sums[lane] += difference * difference;
    }
  }
  return std::accumulate(sums, sums + kLanes, 0.0f);
`,
  },
  {
    file: 'src/search.cc',
    find: '#include <cstddef>\n',
    replace: '#include <cstddef>\n#include <numeric>\n',
  },
];

/**
 * A slip of the keyboard, which the compiler refuses.
 *
 * @type {readonly Edit[]}
 */
export const misspell = [
  {
    file: 'src/search.cc',
    find: 'std::accumulate(sums, ',
    replace: 'std::acumulate(sums, ',
  },
];

/**
 * A slip that compiles: the index in memory has vectors of another length, which only `init` can find.
 *
 * @type {readonly Edit[]}
 */
export const halveDimensions = [
  {
    file: 'src/layout.h',
    find: 'kDimensions = 64;\n',
    replace: 'kDimensions = 32;\n',
  },
];

/**
 * The last version: a better answer for more work.
 *
 * @type {readonly Edit[]}
 */
export const probeMore = [
  {
    file: 'src/search.cc',
    find: 'kProbes = 8;\n',
    replace: 'kProbes = 16;\n',
  },
];
