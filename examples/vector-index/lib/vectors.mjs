/** Vectors that look like embeddings: clusters of different sizes that run into each other. The same ones in each run. */

/** Components of a vector, and the grid that they are on; as `src/layout.h` has them. */
export const DIMENSIONS = 64;
const STEP = 1 / 16;
const COMPONENT_MAX = 8;

const CLUSTERS = 600;
/** How far the clusters are apart, where the vectors of one are 1 apart. */
const CLUSTER_SPREAD = 1.2;
const SEED_OF_CLUSTERS = 1;
const SEED_OF_VECTORS = 2;
const SEED_OF_QUERIES = 3;

/** @param {number} count @returns {Float32Array} one after the other */
export function makeVectors(count) {
  return draw(count, SEED_OF_VECTORS);
}

/** Of the same clusters as the vectors, but none of them. */
export function makeQueries(count) {
  return draw(count, SEED_OF_QUERIES);
}

function draw(count, seed) {
  const ofClusters = createRandom(SEED_OF_CLUSTERS);
  const centers = Float32Array.from(
    { length: CLUSTERS * DIMENSIONS },
    () => normal(ofClusters) * CLUSTER_SPREAD,
  );
  const random = createRandom(seed);
  const vectors = new Float32Array(count * DIMENSIONS);
  for (let at = 0; at < vectors.length; at += DIMENSIONS) {
    // The square makes some clusters larger than others.
    const center = Math.floor(random() ** 2 * CLUSTERS) * DIMENSIONS;
    for (let i = 0; i < DIMENSIONS; i += 1) vectors[at + i] = onGrid(centers[center + i] + normal(random));
  }
  return vectors;
}

function onGrid(value) {
  return Math.max(-COMPONENT_MAX, Math.min(COMPONENT_MAX, Math.round(value / STEP) * STEP));
}

/** Near enough to a normal distribution, by additions alone: the same numbers on every machine. */
function normal(random) {
  return (random() + random() + random() - 1.5) * 2;
}

/** Numbers from 0 to 1, by the generator mulberry32. */
function createRandom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
