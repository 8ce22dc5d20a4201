/** Which refusals of a version a fresh process does not share: what it has kept is not in the way of it there. */
import type { ErrorCode } from '../../errors.ts';

/** Completes "restart the app: "; null for what a fresh process would refuse as well. */
const CURES: Readonly<Record<ErrorCode, string | null>> = {
  ERR_ABORTED: null,
  ERR_BUILD_FAILED: null,
  ERR_BUSY: 'nothing is busy in a fresh process',
  ERR_CLOSED: null,
  ERR_CONFIG_INVALID: null,
  ERR_EXPORT_REMOVED: null,
  ERR_EXPORTS_INCOMPATIBLE: 'nobody holds the old exports in a fresh process',
  ERR_GROUP_CYCLE: null,
  ERR_HOOK_ASYNC: null,
  ERR_HOOK_INVALID: null,
  ERR_HOOK_THREW: 'a fresh process has no state to carry over',
  ERR_HOOK_TIMEOUT: 'a fresh process has no state to carry over',
  ERR_HOST_CRASHED: null,
  ERR_INIT_THREW: null,
  ERR_INTEGRITY: null,
  ERR_INTERNAL: 'a fresh process does not have what went wrong here',
  ERR_INVALID_OPTION: null,
  ERR_LOAD_FAILED: null,
  ERR_MEMORY_LATE: null,
  ERR_MEMORY_SIZE: 'a fresh process has no named memory of another size',
  ERR_MEMORY_UNAVAILABLE: 'a fresh process holds no memory yet',
  ERR_NAPI_VERSION: null,
  ERR_NOT_AN_ADDON: null,
  ERR_NOT_FOUND: null,
  ERR_NO_SUCH_VERSION: null,
  ERR_REHEARSAL_CRASHED: null,
  ERR_SHIM_UNAVAILABLE: null,
  ERR_STAGE_INCOMPLETE: null,
  ERR_STAGE_IO: null,
  ERR_STATE_ROUNDTRIP: 'a fresh process has no state to carry over',
  ERR_STATE_SCHEMA: 'a fresh process has no state to carry over',
  ERR_UNDEFINED_SYMBOL: null,
  ERR_VERSION_BUDGET: 'a fresh process has room for more versions',
  ERR_WRONG_ARCH: null,
};

/** @returns why a restart of the app would help against this failure; null where it would not */
export function whyRestart({
  code,
  message,
}: {
  readonly code: string;
  readonly message: string;
}): string | null {
  // In the words of glibc, which is what the error quotes.
  if (code === 'ERR_LOAD_FAILED' && message.includes('static TLS'))
    return 'a fresh process has static thread-local storage left';
  return code in CURES ? CURES[code as ErrorCode] : null;
}
