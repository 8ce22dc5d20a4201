/** Whose a file or folder is that outlives its process, and whether that process is provably gone. */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';

/** Where /proc does not tell: then no process is known to be gone. */
const UNKNOWN = '0';

/** As in the names of files: id of a process, when it was started, and where ids of processes mean the same. */
const TOKEN = /^(\d+)-(\d+)-([0-9a-f]+)(?:-|$)/;

/** @returns what {@link isGone} reads, of this process */
export function ownerToken(): string {
  return `${process.pid}-${startOf(process.pid) ?? UNKNOWN}-${placeOfIds()}`;
}

/**
 * Whether the process has ended that this name begins with the token of. False wherever that cannot be told: in another
 * namespace of processes, or before a restart of the machine, an id is somebody else's.
 */
export function isGone(name: string): boolean {
  const [, pid = '', start, place] = TOKEN.exec(name) ?? [];
  if (start === undefined || start === UNKNOWN || place === UNKNOWN || place !== placeOfIds()) return false;
  return startOf(Number(pid)) !== start;
}

/** @returns ticks from the start of the machine to that of the process; null where there is none, or it is not told */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name before may have anything in it, parentheses too.
    const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // What only waits for its parent to look runs nothing.
    return state === 'Z' || state === 'X' ? null : (fields[START_FIELD] ?? null);
  } catch {
    return null;
  }
}

/** Field 22 of proc(5), which is the twentieth after the name, and the nineteenth after the state. */
const START_FIELD = 18;

let place: string | null = null;

function placeOfIds(): string {
  place ??= findPlace();
  return place;
}

function findPlace(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1');
    const hash = createHash('sha256').update(boot).update(readlinkSync('/proc/self/ns/pid'));
    return hash.digest('hex').slice(0, 12);
  } catch {
    return UNKNOWN;
  }
}
