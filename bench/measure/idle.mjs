// Waits until a process and its children have come to rest: what one way leaves behind to do is no time of the next way.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const LOOK_MS = 20;
/** So many looks in a row without a tick of the processor, of 10 ms each. */
const QUIET_LOOKS = 5;
const GIVE_UP_MS = 30_000;

/** @param {string} pid @returns {{ parent: string, ticks: number } | null} null where it has ended */
function lookAt(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, in parentheses, may have spaces in it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { parent: fields[1] ?? '', ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return null;
  }
}

/** A process and all below it. @param {number} root @returns {string[]} their ids */
export function treeOf(root) {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => [pid, lookAt(pid)?.parent]),
  );
  const tree = [String(root)];
  for (const of of tree) for (const [pid, parent] of parents) if (parent === of) tree.push(pid);
  return tree;
}

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
