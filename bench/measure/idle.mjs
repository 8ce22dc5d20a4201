// Waits until a process and its children have come to rest: what one way leaves behind to do is no time of the next way.
import { setTimeout as pause } from 'node:timers/promises';
import { lookAt, treeOf } from './tree.mjs';

const LOOK_MS = 20;
/** So many looks in a row without a tick of the processor, of 10 ms each. */
const QUIET_LOOKS = 5;
const GIVE_UP_MS = 30_000;

/** @param {number} pid of a process whose threads and children are waited for */
export async function untilIdle(pid) {
  const endMs = performance.now() + GIVE_UP_MS;
  let last = '';
  let quiet = 0;
  while (quiet < QUIET_LOOKS) {
    if (performance.now() > endMs) throw new Error(`process ${pid} did not come to rest`);
    await pause(LOOK_MS);
    const ticks = treeOf(pid).map((each) => `${each}:${lookAt(each)?.ticks}`);
    const now = ticks.join();
    quiet = now === last ? quiet + 1 : 0;
    last = now;
  }
}
