// A process and all below it.
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';

/** @param {string} pid @returns {{ parent: string, ticks: number } | null} null where it has ended */
export function lookAt(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, in parentheses, may have spaces in it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { parent: fields[1] ?? '', ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return null;
  }
}

/** @param {number} root @returns {string[]} their ids, its own first */
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

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

/** Or has not even started. @param {ChildProcess} child */
export const hasEnded = ({ pid, exitCode, signalCode }) =>
  pid === undefined || exitCode !== null || signalCode !== null;

/** With the processes that it has started. Resolves when it has ended. @param {ChildProcess} child */
export async function killTree(child) {
  if (hasEnded(child)) return;
  const exited = once(child, 'exit');
  for (const pid of treeOf(Number(child.pid))) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
  await exited;
}
