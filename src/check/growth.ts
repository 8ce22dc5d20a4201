/** How fast something grows, from samples with noise. */

/**
 * Fewer reloads tell nothing of memory. In the first few hundred caches fill, and V8 compiles what is called often, which is
 * megabytes that come and go.
 */
export const RELOADS_TO_TELL = 1000;

/** @returns the samples of the second half; null when the reloads are too few to tell anything */
export function measured<T extends { readonly reload: number }>(samples: readonly T[]): readonly T[] | null {
  const last = samples.at(-1)?.reload ?? 0;
  return last < RELOADS_TO_TELL ? null : samples.filter(({ reload }) => reload >= last / 2);
}

/** Of the steps from sample to sample, at each end: what comes or goes at once. */
const TRIMMED_SHARE = 0.1;

/**
 * The mean of the slopes from point to point, without the steepest ones up and down: V8 takes megabytes at once when it
 * compiles, and malloc an arena, while a leak is in most of them.
 *
 * @param points in the order of their `x`, which differ
 * @returns 0 for fewer than two points
 */
export function trimmedSlope(points: readonly { readonly x: number; readonly y: number }[]): number {
  const slopes = points.slice(1).map((point, index) => slopeTo(point, points[index] ?? point));
  const trimmed = Math.ceil(slopes.length * TRIMMED_SHARE);
  const rest = slopes.toSorted((a, b) => a - b).slice(trimmed, slopes.length - trimmed);
  return rest.length === 0 ? 0 : rest.reduce((sum, slope) => sum + slope, 0) / rest.length;
}

function slopeTo(point: { readonly x: number; readonly y: number }, from: typeof point): number {
  return (point.y - from.y) / (point.x - from.x);
}

/** @returns the value that this share of all is not above; null of none */
export function quantile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
}
