/**
 * The edit between the two builds that take turns.
 *
 * @typedef {import('../lib/edits.mjs').Edit} Edit
 */

/**
 * Every other version: a tenth off for a hundred units and more.
 *
 * @type {readonly Edit[]}
 */
export const addDiscount = [
  {
    file: 'src/price.cc',
    find: 'int64_t PriceOf(uint32_t units) { return units * kUnitCents; }\n',
    replace: `int64_t PriceOf(uint32_t units) {
  const int64_t full = units * kUnitCents;
  return units >= 100 ? full - full / 10 : full;
}
`,
  },
];
