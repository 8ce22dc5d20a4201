/**
 * Marks the objects of a fast build when the process that began it ends before it does, however that ended: a shell, which
 * reads what that process and the build hold the other end of. When both are gone, nobody else will do it.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import type { Outside } from '../../outside.ts';

/** How much earlier than its time an object may be dated, in seconds: some file systems keep only even ones. */
const STEP_S = 2;
/** Ends it, with nothing left to do. */
const DONE = 'done\n';

/**
 * Gives objects below `$1` the time `$4`: those that were written since `$2`, and those that `$3` lists. Times are in seconds.
 * Without `find`, which not every system has; what is no part of a build is left out, as in `listObjects`.
 */
const MARK = `trap '' HUP INT TERM
exec 3< "$3"
while read -r line; do
  if [ "$line" = done ]; then exit 0; fi
done
since=$2
time=$4
mark() {
  touch -c -d "@$time" -- "$1"
}
walk() {
  for entry in "$1"/* "$1"/.[!.]*; do
    if [ -d "$entry" ] && [ ! -L "$entry" ]; then
      case \${entry##*/} in node_modules | .git) ;; *) walk "$entry" ;; esac
    else
      case $entry in *.o | *.obj) if [ "$(stat -L -c %Y -- "$entry")" -ge "$since" ]; then mark "$entry"; fi ;; esac
    fi
  done
}
while IFS= read -r file; do mark "$file"; done <&3
walk "$1"
`;

export interface Guard {
  /** What the build is to hold: as long as it runs, nothing is marked. */
  readonly input: Writable;
  /** @param isMarked whether all is done; else it does it now */
  end(isMarked: boolean): void;
}

export interface GuardOptions {
  /** Absolute folder that the objects are below. */
  readonly folder: string;
  /** Absolute path of a text that names those that are to be marked whatever their time: an absolute path a line. */
  readonly list: string;
  /** The time that they get, in milliseconds: a whole second. */
  readonly markMs: number;
}

/** @throws when it cannot be started */
export async function startGuard(outside: Outside, { folder, list, markMs }: GuardOptions): Promise<Guard> {
  const since = Math.floor(Date.now() / 1_000) - STEP_S;
  const args = [folder, String(since), list, String(markMs / 1_000)];
  const child = outside.spawn('sh', ['-c', MARK, 'sh', ...args], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await once(child, 'spawn');
  const input = child.stdin as Socket;
  for (const each of [child, input]) {
    // It was killed: there is nobody to tell.
    each.on('error', () => {});
    each.unref();
  }
  return { input, end: (isMarked) => void input.end(isMarked ? DONE : '') };
}
