/**
 * The edits that the tour makes to the kernel's source, as a developer would: exact text to find, and what to put
 * there.
 *
 * @typedef {import('../lib/edits.mjs').Edit} Edit
 */

/**
 * Version 2: standard deviation and 99th percentile. The deviation needs one more running total, and so a column
 * more in the state: schema 2.
 *
 * @type {readonly Edit[]}
 */
export const addSpread = [
  {
    file: 'src/distribution.h',
    find: '  int64_t sum = 0;\n',
    replace: '  int64_t sum = 0;\n  int64_t sum_of_squares = 0;\n',
  },
  {
    file: 'src/distribution.h',
    find: '  double Mean() const;\n',
    replace: '  double Mean() const;\n  double StandardDeviation() const;\n',
  },
  {
    file: 'src/distribution.cc',
    find: '#include "distribution.h"\n',
    replace: '#include "distribution.h"\n\n#include <algorithm>\n#include <cmath>\n',
  },
  {
    file: 'src/distribution.cc',
    find: '    binned.sum += times * value;\n',
    replace: '    binned.sum += times * value;\n    binned.sum_of_squares += times * value * value;\n',
  },
  {
    file: 'src/distribution.cc',
    find: 'binned.sum == moments.sum;\n',
    replace: 'binned.sum == moments.sum &&\n         binned.sum_of_squares == moments.sum_of_squares;\n',
  },
  {
    file: 'src/distribution.cc',
    find: '  moments_.sum += value;\n',
    replace: '  moments_.sum += value;\n  moments_.sum_of_squares += int64_t{value} * value;\n',
  },
  {
    file: 'src/distribution.cc',
    find: '  moments_.sum += other.moments_.sum;\n',
    replace:
      '  moments_.sum += other.moments_.sum;\n  moments_.sum_of_squares += other.moments_.sum_of_squares;\n',
  },
  {
    file: 'src/distribution.cc',
    find: 'int32_t Distribution::Percentile(',
    replace: `double Distribution::StandardDeviation() const {
  const double count = static_cast<double>(moments_.count);
  const double mean = Mean();
  const double mean_of_squares = static_cast<double>(moments_.sum_of_squares) / count;
  return std::sqrt(std::max(0.0, mean_of_squares - mean * mean));
}

int32_t Distribution::Percentile(`,
  },
  {
    file: 'src/state.h',
    find: '  auto bin_ends = Napi::Uint32Array::New(env, groups.size());\n',
    replace:
      '  auto bin_ends = Napi::Uint32Array::New(env, groups.size());\n' +
      '  auto sums_of_squares = Napi::Float64Array::New(env, groups.size());\n',
  },
  {
    file: 'src/state.h',
    find: '    for (const auto& [value, times] : delays.bins()) {\n',
    replace:
      '    sums_of_squares[group] = static_cast<double>(delays.moments().sum_of_squares);\n' +
      '    for (const auto& [value, times] : delays.bins()) {\n',
  },
  {
    file: 'src/state.h',
    find: '  state["sums"] = sums;\n',
    replace: '  state["sums"] = sums;\n  state["sumsOfSquares"] = sums_of_squares;\n',
  },
  {
    file: 'src/state.h',
    find: '  auto bin_ends = Column<',
    replace:
      '  auto sums_of_squares =\n' +
      '      Column<Napi::Float64Array>(state, "sumsOfSquares", napi_float64_array, rows);\n' +
      '  auto bin_ends = Column<',
  },
  {
    file: 'src/state.h',
    find: '    moments.sum = static_cast<int64_t>(sums[group]);\n',
    replace:
      '    moments.sum = static_cast<int64_t>(sums[group]);\n' +
      '    moments.sum_of_squares = static_cast<int64_t>(sums_of_squares[group]);\n',
  },
  {
    file: 'src/addon.cc',
    find: '{ count, mean, min, max, median } of all delays\n',
    replace: '{ count, mean, min, max, median, stddev, p99 } of all delays\n',
  },
  {
    file: 'src/addon.cc',
    find: 'constexpr int kSchema = 1;\n',
    replace: 'constexpr int kSchema = 2;\n',
  },
  {
    file: 'src/addon.cc',
    find: '  result["median"] = delays.Percentile(50);\n',
    replace:
      '  result["median"] = delays.Percentile(50);\n' +
      '  result["stddev"] = delays.StandardDeviation();\n' +
      '  result["p99"] = delays.Percentile(99);\n',
  },
];

/**
 * A slip of the keyboard, which the compiler refuses.
 *
 * @type {readonly Edit[]}
 */
export const forgetParenthesis = [
  {
    file: 'src/distribution.cc',
    find: 'mean_of_squares - mean * mean));\n',
    replace: 'mean_of_squares - mean * mean);\n',
  },
];

/**
 * A slip that compiles: only `init` can find that no state agrees with it.
 *
 * @type {readonly Edit[]}
 */
export const forgetSquare = [
  {
    file: 'src/distribution.cc',
    find: '    binned.sum_of_squares += times * value * value;\n',
    replace: '    binned.sum_of_squares += times * value;\n',
  },
];
