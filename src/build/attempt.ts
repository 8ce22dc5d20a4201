/** One command of a build, from its start to what it means: diagnostics, or a ReloadError. */
import type { SourcePath } from '../brands.ts';
import type { Diagnostic } from '../diagnostic.ts';
import { type ErrorDetails, errors } from '../errors.ts';
import type { Outside } from '../outside.ts';
import type { BuildRequest } from './builder.ts';
import { parseDiagnostics } from './diagnostics.ts';
import { isFile } from './files.ts';
import { readStep } from './progress.ts';
import { type RunEnd, run } from './run.ts';

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
  /** Whether it is the one that writes the addon. */
  readonly writesAddon: boolean;
}

/**
 * Runs it to its end.
 *
 * @returns all diagnostics, none of which stopped it
 * @throws `ERR_BUILD_FAILED`, `ERR_ABORTED`
 */
export async function attempt(
  outside: Outside,
  what: Attempt,
  request: BuildRequest,
): Promise<readonly Diagnostic[]> {
  const parser = parseDiagnostics(what.messagesFrom);
  const { command, args, cwd, env } = what;
  const { signal, timeoutMs } = request;
  const onLine = (line: string) => {
    parser.line(line);
    const step = readStep(line);
    if (step !== null) request.onProgress({ step });
  };
  const { end, output } = await run(outside, { command, args, cwd, env, signal, timeoutMs, onLine });
  if (end.kind === 'aborted') throw errors.aborted({ addon: what.addon, during: 'build' }, signal.reason);
  const found = { addon: what.addon, command: what.title, diagnostics: parser.result(), output };
  if (end.kind !== 'exit' || end.exitCode !== 0) {
    const cause = end.kind === 'spawn' ? end.cause : undefined;
    throw errors.buildFailed({ ...found, ...howItEnded(end) }, cause);
  }
  if (what.writesAddon && !(await isFile(outside, what.addon))) {
    throw errors.buildFailed({ ...found, reason: 'missing', exitCode: 0, signal: null });
  }
  return found.diagnostics;
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
