/** Process groups that builds run in: how they end, and that none outlives this process. */
import type { Outside } from '../outside.ts';
import { readText } from './files.ts';

/** How long a group has to end by itself after SIGTERM, in milliseconds. */
export const TERM_GRACE_MS = 2_000;
/** How long to wait for the kernel to remove a group after SIGKILL, in milliseconds. */
export const KILL_WAIT_MS = 1_000;
/** How long between two looks at a group while it ends, in milliseconds: doubled from the first to the last. */
const LOOK_FIRST_MS = 5;
const LOOK_LAST_MS = 80;

const running = new Map<number, Outside>();

function endAll(): void {
  for (const [pid, outside] of running) outside.killGroup(pid, 'SIGKILL');
}

/** From now on the group ends with this process. Undone by {@link forgetGroup}. */
export function rememberGroup(outside: Outside, pid: number): void {
  // One listener for all: a process with many handles must not run into the warning about leaked listeners.
  if (running.size === 0) process.on('exit', endAll);
  running.set(pid, outside);
}

/** Safe to call for a group that was never remembered. */
export function forgetGroup(pid: number): void {
  if (running.delete(pid) && running.size === 0) process.off('exit', endAll);
}

/**
 * Ends a whole group: SIGTERM, then after {@link TERM_GRACE_MS} SIGKILL.
 *
 * @returns whether it was seen to be gone; false after {@link KILL_WAIT_MS} more (a process stuck in the kernel)
 */
export async function stopGroup(outside: Outside, pid: number): Promise<boolean> {
  if (!outside.killGroup(pid, 'SIGTERM')) return true;
  if (await goneWithin(outside, pid, TERM_GRACE_MS)) return true;
  outside.killGroup(pid, 'SIGKILL');
  return goneWithin(outside, pid, KILL_WAIT_MS);
}

async function goneWithin(outside: Outside, pid: number, waitMs: number): Promise<boolean> {
  const deadlineMs = outside.nowMs() + waitMs;
  for (
    let pauseMs = LOOK_FIRST_MS;
    await isRunning(outside, pid);
    pauseMs = Math.min(2 * pauseMs, LOOK_LAST_MS)
  ) {
    if (outside.nowMs() >= deadlineMs) return false;
    await new Promise<void>((resolve) => outside.after(pauseMs, resolve));
  }
  return true;
}

/**
 * Whether the group has a process that can still do something.
 *
 * Dead ones that nobody has reaped take signals too, and where process 1 is no real init (a container's often is
 * not) orphans stay like that for seconds or for ever.
 */
async function isRunning(outside: Outside, group: number): Promise<boolean> {
  if (!outside.killGroup(group, 0)) return false;
  const entries = await outside.readdir('/proc').catch(() => null);
  if (entries === null) return true;
  const pids = entries.map((entry) => entry.name).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(pids.map((pid) => readText(outside, `/proc/${pid}/stat`)));
  return stats.some((stat) => {
    // `pid (name) state parent group …`: the name may hold blanks and brackets.
    const [state, , itsGroup] = (stat ?? '').slice((stat ?? '').lastIndexOf(')') + 2).split(' ');
    return Number(itsGroup) === group && state !== 'Z' && state !== 'X';
  });
}
