/** What is indexed, what is asked, and what the right answers to some of it are. */
import { searchAll } from './truth.mjs';
import { DIMENSIONS, makeQueries, makeVectors } from './vectors.mjs';

const QUERIES = 1_000;
/** Queries, of these, whose nearest vectors are known. */
const SAMPLE = 200;
/** Nearest vectors that a query asks for. */
const NEIGHBORS = 10;

/** @param {number} count of vectors */
export function makeData(count) {
  const vectors = makeVectors(count);
  const queries = makeQueries(QUERIES);
  const sample = queries.subarray(0, SAMPLE * DIMENSIONS);
  return { vectors, queries, neighbors: NEIGHBORS, sample, truth: searchAll(vectors, sample, NEIGHBORS) };
}
