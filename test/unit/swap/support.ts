/** Publishes raw exports one after another, as reloads do. */
import type { VersionId } from '../../../src/brands.ts';
import { loadNative } from '../../../src/native.ts';
import { createLiveExports, type LiveExports, type SwapPlan } from '../../../src/swap/live-exports.ts';

export interface Reloading<T> {
  readonly live: LiveExports;
  readonly exports: T;
  /** Plans and publishes the next version. */
  reload(raw: unknown): SwapPlan;
  /** Plans the next version and stops there. */
  plan(raw: unknown): SwapPlan;
}

/** @param raw the exports of version 1, which is published at once */
export function firstVersion<T>(raw: unknown): Reloading<T> {
  const live = createLiveExports('/addons/test.node', loadNative());
  let id = 0;
  const plan = (next: unknown): SwapPlan => {
    id += 1;
    return live.plan(next, id as VersionId);
  };
  const reload = (next: unknown): SwapPlan => {
    const made = plan(next);
    made.publish();
    return made;
  };
  reload(raw);
  return { live, exports: live.value as T, plan, reload };
}

/** @returns what a function throws; fails when it does not throw */
export function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
