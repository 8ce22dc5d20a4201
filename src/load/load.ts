/** Brings a staged image to life: a fresh `napi_env`, then the addon's own init. */
import { describe, errors, isReloadError, type ReloadError } from '../errors.ts';
import type { NativeRebound } from '../native.ts';
import type { LoadedModule, Outside } from '../outside.ts';
import type { Hold } from '../version.ts';
import { type LoadRequest, loaderError } from './loader-error.ts';
import { loadPlain } from './plain.ts';

type Binding =
  | { readonly kind: 'plain'; readonly reason: string }
  | { readonly kind: 'ledger'; readonly rebound: NativeRebound };

/**
 * Loads a staged copy and returns what its init left in `module.exports`.
 *
 * @param onHold called once its image is in memory to stay there until it is retired, also when its init then throws
 * @throws `ERR_UNDEFINED_SYMBOL`, `ERR_LOAD_FAILED`, `ERR_NAPI_VERSION`, `ERR_INIT_THREW`
 */
export function load(
  request: LoadRequest,
  binding: Binding,
  outside: Outside,
  onHold: (hold: Hold) => void,
): unknown {
  if (binding.kind === 'ledger') return loadByLedger(request, binding.rebound, outside, onHold);
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
function loadByLedger(
  request: LoadRequest,
  rebound: NativeRebound,
  outside: Outside,
  onHold: (hold: Hold) => void,
): unknown {
  const { native } = outside;
  const { id, source, path } = request;
  const { libraries, usesUv, usesUvRequests } = rebound;
  const opened = native.imageOpen({ id, source, path, libraries, usesUv, usesUvRequests });
  if (!opened.ok) throw openError(request, opened.kind, opened.message);
  const { handle } = opened;
  // Addons look for files beside themselves by this name: it is the source's, not the copy's.
  const module: LoadedModule = { exports: {}, filename: source };
  mint(request, handle, module, outside);
  onHold({ kind: 'ledger', handle, rebound });
  try {
    return native.init(handle, module.exports);
  } catch (cause) {
    throw errors.initThrew({ addon: source, version: id }, cause);
  }
}

function mint({ source }: LoadRequest, handle: object, module: LoadedModule, outside: Outside): void {
  const { native } = outside;
  let minted = false;
  let failure: unknown;
  native.mintBegin(handle);
  try {
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
