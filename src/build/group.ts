/** Process groups that builds run in: how they end, and that they end with an orderly exit of this process. */
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

/** From now on the group ends when this process (or worker) runs its exit listeners; a signal runs none. Undone by {@link forgetGroup}. */
export function rememberGroup(outside: Outside, pid: number): void {
  // One listener for all: a process with many handles must not run into the warning about leaked listeners.
  if (running.size === 0) process.on('exit', endAll);
  running.set(pid, outside);
}

/** Safe to call for a group that was never remembered. */
export function forgetGroup(pid: number): void {
  if (running.delete(pid) && running.size === 0) process.off('exit', endAll);
}

/** How a group is asked to end. */
export interface StopOptions {
  /** @defaultValue 'SIGTERM' */
  readonly signal?: NodeJS.Signals;
  /** How long it has to end by itself. @defaultValue {@link TERM_GRACE_MS} */
  readonly graceMs?: number;
}

/**
 * Ends a whole group: with a signal that can be handled, then with SIGKILL.
 *
 * @param isReaped whether the leader has ended and was waited for, so that no longer it but its children alone keep
 *   the number from being given to others
 * @returns whether it was seen to be gone; false after {@link KILL_WAIT_MS} more (a process stuck in the kernel)
 */
export async function stopGroup(
  outside: Outside,
  pid: number,
  isReaped: () => boolean,
  { signal = 'SIGTERM', graceMs = TERM_GRACE_MS }: StopOptions = {},
): Promise<boolean> {
  const group = { outside, pid, isReaped };
  if (!(await mayRun(group))) return true;
  outside.killGroup(pid, signal);
  if (await goneWithin(group, graceMs)) return true;
  outside.killGroup(pid, 'SIGKILL');
  return goneWithin(group, KILL_WAIT_MS);
}

interface Group {
  readonly outside: Outside;
  readonly pid: number;
  isReaped(): boolean;
}

async function goneWithin(group: Group, waitMs: number): Promise<boolean> {
  const { outside } = group;
  const deadlineMs = outside.nowMs() + waitMs;
  for (let pauseMs = LOOK_FIRST_MS; await mayRun(group); pauseMs = Math.min(2 * pauseMs, LOOK_LAST_MS)) {
    if (outside.nowMs() >= deadlineMs) return false;
    await new Promise<void>((resolve) => outside.after(pauseMs, resolve));
  }
  return true;
}

/**
 * Whether the group is ours and has a process that can still do something.
 *
 * Dead ones that nobody has reaped take signals too, and where process 1 is no real init (a container's often is
 * not) orphans stay like that for seconds or for ever.
 *
 * The kernel gives a number to nobody as long as a process or a group has it. Once the leader is reaped, a process of
 * that number is a stranger's, and so is its group: ours must have ended before. What cannot be looked at then is
 * taken for a stranger too.
 */
async function mayRun({ outside, pid: group, isReaped }: Group): Promise<boolean> {
  const reaped = isReaped();
  if (!outside.killGroup(group, 0)) return false;
  const entries = await outside.readdir('/proc').catch(() => null);
  if (entries === null) return !reaped;
  const pids = entries.map((entry) => entry.name).filter((name) => /^\d+$/.test(name));
  if (reaped && pids.includes(String(group))) return false;
  const stats = await Promise.all(pids.map((pid) => readText(outside, `/proc/${pid}/stat`)));
  return stats.some((stat) => {
    // `pid (name) state parent group session …`: the name may hold blanks and brackets.
    const words = (stat ?? '').slice((stat ?? '').lastIndexOf(')') + 2).split(' ');
    const [state, , itsGroup, itsSession] = words;
    // The leader made a session of its own number too, which nobody else can enter.
    const isOurs = Number(itsGroup) === group && Number(itsSession) === group;
    return isOurs && state !== 'Z' && state !== 'X';
  });
}
