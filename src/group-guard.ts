/** Ends process groups of this thread when it is gone without having ended them: killed, or terminated as a worker. */
import { type ChildProcess, spawn } from 'node:child_process';

/**
 * A shell that is told of groups, a line each: `+ 123` for one that runs, `- 123` for one that has ended. Only this thread holds
 * the other end of its input, which the kernel closes however the thread ends. It is of no group of ours, and no
 * Ctrl-C reaches it.
 */
const SCRIPT = `
groups=' '
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) groups="\${groups%%" $group "*} \${groups#*" $group "}" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
`;

let guard: ChildProcess | null = null;

function start(): ChildProcess {
  const shell = spawn('/bin/sh', ['-c', SCRIPT], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const onEnd = (): void => {
    if (guard === shell) guard = null;
  };
  // Without one, a group outlives a process that is killed; nothing else depends on it.
  shell.on('error', onEnd).on('exit', onEnd);
  shell.stdin?.on('error', onEnd);
  // It holds up nobody's end.
  shell.unref();
  (shell.stdin as unknown as { unref?(): void } | null)?.unref?.();
  return shell;
}

/** @returns null where no process can be started: what is to be guarded will say why */
function startIfAllowed(): ChildProcess | null {
  try {
    return start();
  } catch {
    return null;
  }
}

/**
 * Starts the shell, if it does not run: before the group, or it could come too late.
 *
 * @returns has SIGKILL end a group when this thread ends; returns what is to be called once the group has ended
 */
export function guardGroups(): (group: number) => () => void {
  guard ??= startIfAllowed();
  const shell = guard;
  if (shell === null) return () => () => undefined;
  return (group) => {
    shell.stdin?.write(`+ ${group}\n`);
    return () => void shell.stdin?.write(`- ${group}\n`);
  };
}
