/** What the answers are compared with: plain JavaScript that looks at every vector. */
import { DIMENSIONS } from './vectors.mjs';

/**
 * The distances of the `count` vectors that are nearest to each query, nearest first. All distances are squared, and
 * exact: see `src/layout.h`.
 *
 * @param {Float32Array} vectors
 * @param {Float32Array} queries
 * @returns {number[][]} one list for each query
 */
export function searchAll(vectors, queries, count) {
  return Array.from({ length: queries.length / DIMENSIONS }, (_, query) => {
    const nearest = new Array(count).fill(Number.POSITIVE_INFINITY);
    for (let id = 0; id < vectors.length / DIMENSIONS; id += 1) {
      const found = distance(vectors, id, queries, query);
      if (found >= nearest[count - 1]) continue;
      nearest[count - 1] = found;
      nearest.sort((a, b) => a - b);
    }
    return nearest;
  });
}

/** The part of the nearest vectors that an answer found. One that is as far as the last of them is as good. */
export function recallOf({ distances }, nearest) {
  const farthest = nearest.at(-1);
  return distances.filter((found) => found <= farthest).length / nearest.length;
}

/**
 * What is wrong with an answer, or null. Each vector must be named once, at its true distance, nearest first.
 *
 * @param {{ ids: Uint32Array, distances: Float32Array }} answer
 */
export function faultOf({ ids, distances }, count, vectors, queries, query) {
  if (ids.length !== count || distances.length !== count)
    return `found ${ids.length} vectors, wanted ${count}`;
  if (new Set(ids).size !== count) return 'a vector is named twice';
  for (const [index, id] of ids.entries()) {
    const wanted = distance(vectors, id, queries, query);
    if (distances[index] !== wanted) return `vector ${id} is at ${wanted}, not ${distances[index]}`;
    if (index > 0 && distances[index - 1] > wanted) return `vector ${id} is out of order`;
  }
  return null;
}

function distance(vectors, id, queries, query) {
  const [a, b] = [id * DIMENSIONS, query * DIMENSIONS];
  let sum = 0;
  for (let i = 0; i < DIMENSIONS; i += 1) {
    const difference = vectors[a + i] - queries[b + i];
    sum += difference * difference;
  }
  return sum;
}
