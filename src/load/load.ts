/** Brings a staged image to life: a fresh `napi_env`, then the addon's own init. */
import { describe, errors, isReloadError, type ReloadError } from '../errors.ts';
import type { NativeImageOpened, NativeRebound } from '../native.ts';
import { type Here, type LoadedModule, rest } from '../here.ts';
import type { Steps } from '../later.ts';
import type { Hold } from '../version.ts';
import { type LoadRequest, loaderError } from './loader-error.ts';
import { loadPlain } from './plain.ts';

/** Another thread maps an image, or replaces it in one turn of its event loop: whoever takes longer is stuck. */
const JOIN_WAIT_MAX_MS = 30_000;
const JOIN_POLL_MS = 2;

type Binding =
  | { readonly kind: 'plain'; readonly reason: string }
  | { readonly kind: 'ledger'; readonly rebound: NativeRebound };

/**
 * Loads a staged copy and returns what its init left in `module.exports`.
 *
 * @param onHold called once its image is in memory to stay there until it is retired, also when its init then throws
 * @throws `ERR_UNDEFINED_SYMBOL`, `ERR_LOAD_FAILED`, `ERR_NAPI_VERSION`, `ERR_INIT_THREW`; of a shared image also
 *   `ERR_BUSY`, `ERR_STAGE_IO`, `ERR_ABORTED`
 */
export function* load(
  request: LoadRequest,
  binding: Binding,
  outside: Here,
  onHold: (hold: Hold) => void,
): Steps<unknown> {
  if (binding.kind === 'ledger') return yield* loadByLedger(request, binding.rebound, outside, onHold);
  const { reason } = binding;
  try {
    const exports = loadPlain(request, outside);
    onHold({ kind: 'plain', reason });
    return exports;
  } catch (error) {
    // What the loader refused is not in memory.
    if (isReloadError(error, 'ERR_INIT_THREW')) onHold({ kind: 'plain', reason });
    if (!isReloadError(error, 'ERR_LOAD_FAILED')) throw error;
    // Often the cause: the libraries of a version that is not followed have to be found from its copy.
    const found = `${error.details.found}; it was loaded as Node.js does it because ${reason}`;
    throw errors.loadFailed({ ...error.details, found }, error.cause);
  }
}

/**
 * Rules:
 * 1. The shim owns the image: Node.js opens the shim again, and the env that it makes for that is the version's.
 * 2. The addon's init runs after `process.dlopen` has returned, whose lock a load inside of an init would wait for.
 * 3. An init that threw may have handed out memory or started threads: it is retired as any other version.
 */
function* loadByLedger(
  request: LoadRequest,
  rebound: NativeRebound,
  outside: Here,
  onHold: (hold: Hold) => void,
): Steps<unknown> {
  const { native } = outside;
  const { id, source } = request;
  const { handle, path, joined } = yield* openImage(request, rebound, outside);
  // Addons look for files beside themselves by this name: it is the source's, not the copy's.
  const module: LoadedModule = { exports: {}, filename: source };
  mint(request, handle, module, outside);
  const share = request.share === null ? 'alone' : joined ? 'joined' : 'opened';
  onHold({ kind: 'ledger', handle, rebound, image: path, share });
  try {
    return native.init(handle, module.exports);
  } catch (cause) {
    throw errors.initThrew({ addon: source, version: id }, cause);
  }
}

/** An image that another thread is opening or replacing is waited for. */
function* openImage(request: LoadRequest, rebound: NativeRebound, outside: Here): Steps<NativeImageOpened> {
  const { id, source, path, share, signal } = request;
  const { libraries, usesUv, usesUvRequests } = rebound;
  const endMs = outside.nowMs() + JOIN_WAIT_MAX_MS;
  for (;;) {
    const opened = outside.native.imageOpen({ id, source, path, libraries, usesUv, usesUvRequests, share });
    if (opened.ok) return opened;
    if (opened.kind === 'io') {
      const { path, operation, errno } = opened;
      throw errors.stageIo({ addon: source, path, operation, errno });
    }
    if (opened.kind !== 'busy') throw openError(request, opened.kind, opened.message);
    if (signal.aborted) throw errors.aborted({ addon: source, during: 'load' }, signal.reason);
    if (outside.nowMs() > endMs) {
      throw errors.busy({ addon: source, reason: 'replacing', sharedWith: null });
    }
    yield rest(JOIN_POLL_MS, outside);
  }
}

function mint({ source }: LoadRequest, handle: object, module: LoadedModule, outside: Here): void {
  const { native } = outside;
  let minted = false;
  let failure: unknown;
  try {
    native.mintBegin(handle);
    outside.dlopen(module, native.shimPath);
  } catch (cause) {
    failure = cause;
  } finally {
    minted = native.mintEnd(handle);
  }
  if (minted && failure === undefined) return;
  if (minted) native.retire(handle, true);
  const found = `Node.js made no environment for it: ${describe(failure)}`;
  throw errors.loadFailed({ addon: source, path: source, found }, failure);
}

function openError(
  request: LoadRequest,
  kind: 'load' | 'no-entry' | 'api-version',
  message: string,
): ReloadError {
  const { source } = request;
  if (kind === 'no-entry') {
    return errors.notAnAddon({ addon: source, path: source, reason: 'no-entry', found: message });
  }
  const wanted = kind === 'api-version' ? /-?\d+/.exec(message)?.[0] : undefined;
  if (wanted === undefined) return loaderError(request, message);
  const supported = Number(process.versions['napi']);
  return errors.napiVersion({ addon: source, path: source, wanted: Number(wanted), supported });
}
