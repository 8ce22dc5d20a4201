/** Waits for what no event tells of. */
import { setTimeout as sleep } from 'node:timers/promises';

/** A diagnosis, not a measure: below the time that a test has by default. */
const UNTIL_MAX_MS = 50_000;
/** Turns of the event loop would take a whole processor from what is waited for. */
const LOOK_MS = 4;

/** @returns what `look` finds once it finds something */
export async function untilFound<T>(
  what: string,
  look: () => T | null | undefined,
  found: () => unknown = () => '',
): Promise<T> {
  const endMs = performance.now() + UNTIL_MAX_MS;
  for (;;) {
    const value = look();
    if (value !== null && value !== undefined) return value;
    if (performance.now() > endMs) throw new Error(`waited for: ${what}; ${JSON.stringify(found())}`);
    await sleep(LOOK_MS);
  }
}

/** @param found what is told of when it does not come */
export async function until(what: string, isSo: () => boolean, found?: () => unknown): Promise<void> {
  await untilFound(what, () => (isSo() ? true : null), found);
}
