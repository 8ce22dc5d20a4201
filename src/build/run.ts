/** Runs one command in a process group of its own, which it ends before it is over. */
import type { ChildProcess } from 'node:child_process';
import type { Writable } from 'node:stream';
import type { Outside } from '../outside.ts';
import { forgetGroup, rememberGroup, stopGroup } from './group.ts';
import { splitLines } from './lines.ts';

/** Last lines of the output that are kept. */
export const OUTPUT_LINES_MAX = 200;
/** Length of each line that is kept, in UTF-16 units. */
const OUTPUT_LINE_LENGTH_MAX = 1_000;
/** How long a pipe may stay open after the command has ended, in milliseconds: a child of it may hold it for ever. */
export const PIPE_GRACE_MS = 1_000;

export interface RunRequest {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Added to the environment of this process. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** A pipe that the command and its children hold open until the last of them has ended. */
  readonly holds?: Writable | undefined;
  /** Gets each line of standard output and standard error, without colours. */
  onLine(line: string): void;
}

/** How the command ended. */
export type RunEnd =
  | { readonly kind: 'exit'; readonly exitCode: number }
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'spawn'; readonly cause: unknown };

export interface RunResult {
  readonly end: RunEnd;
  /** The last {@link OUTPUT_LINES_MAX} lines that it printed. */
  readonly output: string;
}

/** Never rejects: how it ended is the result, whatever that was. */
export async function run(outside: Outside, request: RunRequest): Promise<RunResult> {
  if (request.signal.aborted) return { end: { kind: 'aborted' }, output: '' };
  const kept: string[] = [];
  const onLine = (line: string) => {
    if (kept.push(line.slice(0, OUTPUT_LINE_LENGTH_MAX)) > OUTPUT_LINES_MAX) kept.shift();
    request.onLine(line);
  };
  const guard = outside.guardGroups();
  let child: ChildProcess;
  try {
    child = start(outside, request);
  } catch (cause) {
    return { end: { kind: 'spawn', cause }, output: '' };
  }
  const closed = readOutput(child, onLine);
  const end = await endOf(outside, request, child, guard);
  await letPipesClose(outside, child, closed);
  return { end, output: kept.join('\n') };
}

function start(outside: Outside, request: RunRequest): ChildProcess {
  return outside.spawn(request.command, request.args, {
    cwd: request.cwd,
    // Messages of compilers are translated; these are parsed.
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...request.env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', ...(request.holds === undefined ? [] : [request.holds])],
  });
}

async function endOf(
  outside: Outside,
  request: RunRequest,
  child: ChildProcess,
  guard: ReturnType<Outside['guardGroups']>,
): Promise<RunEnd> {
  const { pid } = child;
  const release = pid === undefined ? null : guard(pid);
  if (pid !== undefined) rememberGroup(outside, pid);
  let onAbort = (): void => {};
  let cancelTimer = (): void => {};
  const end = await new Promise<RunEnd>((resolve) => {
    onAbort = () => resolve({ kind: 'aborted' });
    request.signal.addEventListener('abort', onAbort, { once: true });
    cancelTimer = outside.after(request.timeoutMs, () => resolve({ kind: 'timeout' }));
    child.once('error', (cause) => resolve({ kind: 'spawn', cause }));
    child.once('exit', (exitCode, signal) => {
      resolve(signal === null ? { kind: 'exit', exitCode: exitCode ?? 0 } : { kind: 'signal', signal });
    });
  });
  request.signal.removeEventListener('abort', onAbort);
  cancelTimer();
  // Also after a good end: what is left of the group could write the addon while the next build does.
  if (pid !== undefined) {
    await stopGroup(outside, pid, () => child.exitCode !== null || child.signalCode !== null);
    forgetGroup(pid);
    release?.();
  }
  return end;
}

function readOutput(child: ChildProcess, onLine: (line: string) => void): Promise<void> {
  for (const stream of [child.stdout, child.stderr]) {
    const lines = splitLines(onLine);
    stream?.setEncoding('utf8');
    stream?.on('data', (chunk: string) => lines.push(chunk));
    stream?.once('close', () => lines.end());
    // Reading can fail only once the pipe is destroyed below; what was read until then stands.
    stream?.on('error', () => {});
  }
  // 'close' of a child comes after both streams have closed, and after 'error' too.
  return new Promise((resolve) => child.once('close', () => resolve()));
}

async function letPipesClose(outside: Outside, child: ChildProcess, closed: Promise<void>): Promise<void> {
  let cancel = (): void => {};
  const late = new Promise<void>((resolve) => {
    cancel = outside.after(PIPE_GRACE_MS, resolve);
  });
  await Promise.race([closed, late]);
  cancel();
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
}
