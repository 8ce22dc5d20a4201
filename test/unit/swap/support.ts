/** Publishes raw exports one after another, as reloads do. */
import type { VersionId } from '../../../src/brands.ts';
import { loadNative } from '../../../src/native.ts';
import { createLiveExports, type LiveExports, type SwapPlan } from '../../../src/swap/live-exports.ts';

export interface Reloading<T> {
  readonly live: LiveExports;
  readonly exports: T;
  /** Plans and publishes the next version. */
  reload(raw: unknown, handle?: object | null): SwapPlan;
  /** Plans the next version and stops there. */
  plan(raw: unknown, handle?: object | null): SwapPlan;
}

/**
 * @param raw the exports of version 1, which is published at once
 * @param handle of the version, where the ledger loaded it
 */
export function firstVersion<T>(raw: unknown, handle: object | null = null): Reloading<T> {
  const live = createLiveExports('/addons/test.node', loadNative());
  let id = 0;
  const plan = (next: unknown, of: object | null = null): SwapPlan => {
    id += 1;
    return live.plan(next, id as VersionId, of);
  };
  const reload = (next: unknown, of: object | null = null): SwapPlan => {
    const made = plan(next, of);
    made.publish();
    return made;
  };
  reload(raw, handle);
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
