/** How fast something grows, from samples with noise. */

/** Until then caches fill, and V8 compiles what is called often: that is megabytes, once. */
const WARM_RELOADS = 400;
const MEASURED_MIN = 200;
/** Fewer reloads tell nothing of memory. */
export const RELOADS_TO_TELL: number = WARM_RELOADS + MEASURED_MIN;

/** @returns the samples of the second half, without those of the first reloads; null when they are too few to tell anything */
export function measured<T extends { readonly reload: number }>(samples: readonly T[]): readonly T[] | null {
  const last = samples.at(-1)?.reload ?? 0;
  if (last < RELOADS_TO_TELL) return null;
  return samples.filter(({ reload }) => reload >= Math.max(last / 2, WARM_RELOADS));
}

/**
 * The median of the slopes between all pairs of points (Theil and Sen): an arena of malloc or a page of V8's heap that comes
 * or goes at once moves a few of them only.
 *
 * @param points of different `x`
 */
export function medianSlope(points: readonly { readonly x: number; readonly y: number }[]): number {
  const slopes = points.flatMap((a, index) => points.slice(index + 1).map((b) => (b.y - a.y) / (b.x - a.x)));
  return quantile(slopes, 0.5) ?? 0;
}

/** @returns the value that this share of all is not above; null of none */
export function quantile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
}
