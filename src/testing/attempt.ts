/** One reload that a test asks for, whatever becomes of it. */
import type { Addon } from '../addon.ts';
import { type ErrorCode, isReloadError, type ReloadError } from '../errors.ts';
import type { Progress } from '../options.ts';
import type { ReloadOptions } from '../reload-options.ts';
import type { Phase, ReloadReport } from '../report.ts';

export type Attempt =
  | { readonly kind: 'done'; readonly report: ReloadReport }
  /** What was built is refused, and the version before serves. */
  | { readonly kind: 'refused'; readonly error: ReloadError; readonly phase: Phase | null };

/** These say nothing of what was built: the test itself, or the machine, is at fault. */
const NO_REFUSALS: readonly ErrorCode[] = [
  'ERR_ABORTED',
  'ERR_BUSY',
  'ERR_CLOSED',
  'ERR_INTERNAL',
  'ERR_INVALID_OPTION',
  'ERR_MEMORY_UNAVAILABLE',
  'ERR_NO_SUCH_VERSION',
  'ERR_SHIM_UNAVAILABLE',
  'ERR_STAGE_IO',
];

/** @throws what is no refusal of a version */
export async function attemptReload(addon: Addon, options: ReloadOptions): Promise<Attempt> {
  let phase: Phase | null = null;
  const note = (progress: Progress): void => {
    phase = progress.phase;
  };
  addon.on('progress', note);
  try {
    return { kind: 'done', report: await addon.reload(options) };
  } catch (error) {
    if (!isReloadError(error) || !isRefusal(error)) throw error;
    return { kind: 'refused', error, phase };
  } finally {
    addon.off('progress', note);
  }
}

function isRefusal(error: ReloadError): boolean {
  if (isReloadError(error, 'ERR_BUILD_FAILED')) return error.details.reason !== 'spawn';
  if (isReloadError(error, 'ERR_HOST_CRASHED')) return error.details.reason !== 'start-failed';
  return !NO_REFUSALS.includes(error.code);
}
