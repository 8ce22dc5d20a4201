/** Turns a burst of hints into one call, once it is quiet. */
import type { Outside } from '../outside.ts';

/** Longest time that hints which go on and on can put off the call, in milliseconds; more when the silence asked for is longer. */
export const SETTLE_MAX_MS = 2_000;

export interface Settler {
  hint(path: string): void;
  /** Forgets what is pending; nothing is called any more. */
  stop(): void;
}

/**
 * @param quietMs silence after the last hint
 * @param onSettled gets each path once
 */
export function createSettler(
  outside: Outside,
  quietMs: number,
  onSettled: (paths: ReadonlySet<string>) => void,
): Settler {
  const maxMs = Math.max(SETTLE_MAX_MS, quietMs);
  let pending = new Set<string>();
  let firstMs = 0;
  let cancel = (): void => {};
  let stopped = false;

  const settle = () => {
    const paths = pending;
    pending = new Set();
    onSettled(paths);
  };
  return {
    hint(path) {
      if (stopped) return;
      const nowMs = outside.nowMs();
      if (pending.size === 0) firstMs = nowMs;
      pending.add(path);
      cancel();
      cancel = outside.after(Math.max(0, Math.min(quietMs, firstMs + maxMs - nowMs)), settle);
    },
    stop() {
      stopped = true;
      cancel();
    },
  };
}
