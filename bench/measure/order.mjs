// Who goes first in which round.

/**
 * Every other round runs the other way round, and every second one begins with the next: nobody always comes first, or always
 * after the same one.
 *
 * @template T @param {Iterable<T>} list @param {number} round below 0 of those that warm up @returns {T[]}
 */
export function inTurn(list, round) {
  const all = [...list];
  const at = Math.floor(round / 2) % all.length;
  // slice() counts from the end where it is below 0.
  const order = [...all.slice(at), ...all.slice(0, at)];
  return round % 2 === 0 ? order : order.reverse();
}
