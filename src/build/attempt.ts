/** One command of a build, from its start to what it means: diagnostics, or a ReloadError. */
import type { Writable } from 'node:stream';
import type { SourcePath } from '../brands.ts';
import type { Diagnostic } from '../diagnostic.ts';
import { type ErrorDetails, errors } from '../errors.ts';
import type { Outside } from '../outside.ts';
import type { BuildPhasesMs, BuildRequest } from './builder.ts';
import { parseDiagnostics } from './diagnostics.ts';
import { isFile } from './files.ts';
import { type RunEnd, run } from './run.ts';
import { Steps } from './steps.ts';
import { adviceFor } from './tools.ts';

export interface Attempt {
  readonly addon: SourcePath;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** What people know the command as, such as `node-gyp build`. */
  readonly title: string;
  /** Absolute folder that its messages are relative to until it says otherwise. */
  readonly messagesFrom: string;
  /** As {@link import('./run.ts').RunRequest.holds}. */
  readonly holds?: Writable | undefined;
  /** Whether it is the one that writes the addon. */
  readonly writesAddon: boolean;
  /** How many steps it will take, where the tool itself does not tell. */
  readonly total?: number | null;
}

export interface AttemptResult {
  readonly diagnostics: readonly Diagnostic[];
  readonly phasesMs: Pick<BuildPhasesMs, 'compile' | 'link'>;
}

/**
 * Runs it to its end.
 *
 * @returns all diagnostics, none of which stopped it, and the time of its parts
 * @throws `ERR_BUILD_FAILED`, `ERR_ABORTED`
 */
export async function attempt(
  outside: Outside,
  what: Attempt,
  request: BuildRequest,
): Promise<AttemptResult> {
  const parser = parseDiagnostics(what.messagesFrom);
  const { command, args, cwd, env, holds } = what;
  const { signal, timeoutMs } = request;
  const steps = new Steps(() => outside.nowMs(), what.total ?? null);
  const onLine = (line: string) => {
    parser.line(line);
    const progress = steps.line(line);
    if (progress !== null) request.onProgress(progress);
  };
  const { end, output } = await run(outside, { command, args, cwd, env, holds, signal, timeoutMs, onLine });
  if (end.kind === 'aborted') throw errors.aborted({ addon: what.addon, during: 'build' }, signal.reason);
  const found = { addon: what.addon, command: what.title, diagnostics: parser.result(), output };
  if (end.kind !== 'exit' || end.exitCode !== 0) {
    const cause = end.kind === 'spawn' ? end.cause : undefined;
    const advice = end.kind === 'spawn' ? adviceFor(command) : null;
    throw errors.buildFailed({ ...found, ...howItEnded(end), ...(advice === null ? {} : { advice }) }, cause);
  }
  if (what.writesAddon && !(await isFile(outside, what.addon))) {
    throw errors.buildFailed({ ...found, reason: 'missing', exitCode: 0, signal: null });
  }
  return { diagnostics: found.diagnostics, phasesMs: steps.end() };
}

function howItEnded(
  end: Exclude<RunEnd, { kind: 'aborted' }>,
): Pick<ErrorDetails['ERR_BUILD_FAILED'], 'reason' | 'exitCode' | 'signal'> {
  return {
    reason: end.kind,
    exitCode: end.kind === 'exit' ? end.exitCode : null,
    signal: end.kind === 'signal' ? end.signal : null,
  };
}
