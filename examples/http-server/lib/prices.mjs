/** What the kernel should answer, in plain JavaScript. */

const UNIT_CENTS = 25;
const DISCOUNT_FROM = 100;

/** Quotes are asked for 1 to so many units. */
export const UNITS_MAX = 200;

/**
 * Builds take turns, so every other version gives the discount.
 *
 * @param {number} units
 * @param {number} version
 */
export function priceOf(units, version) {
  const full = units * UNIT_CENTS;
  return version % 2 === 0 && units >= DISCOUNT_FROM ? full - Math.floor(full / 10) : full;
}
