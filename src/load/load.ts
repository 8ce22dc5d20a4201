/** Brings a staged image to life: a fresh `napi_env`, then the addon's own init. */
import type { SourcePath, StagedPath, VersionId } from '../brands.ts';
import { describe, errors, type ReloadError } from '../errors.ts';
import type { NativeImage } from '../native.ts';
import type { LoadedModule, Outside } from '../outside.ts';

/** An addon may ask for Node-API's experimental features by this version (NAPI_VERSION_EXPERIMENTAL in node_api.h). */
const NAPI_VERSION_EXPERIMENTAL = 2_147_483_647;

export interface LoadRequest {
  readonly id: VersionId;
  readonly path: StagedPath;
  readonly source: SourcePath;
  readonly image: NativeImage;
}

/**
 * Loads a staged copy and returns what its init left in `module.exports`.
 *
 * Rules:
 * 1. Node aborts on a Node-API version that it does not know, so the version is asked for before Node sees the file.
 * 2. An image that registers by constructor must not be opened before Node opens it: its constructor would leave
 *    a registration pending, and the next `process.dlopen` of any path aborts. Such images have no version to ask for.
 * 3. The early hold is let go of only after Node has its own, so that constructors run once.
 *
 * @throws `ERR_UNDEFINED_SYMBOL`, `ERR_LOAD_FAILED`, `ERR_NAPI_VERSION`, `ERR_INIT_THREW`
 */
export function load(request: LoadRequest, outside: Outside): unknown {
  if (request.image.entry === 'constructor') return runInit(request, outside);
  const probe = outside.native.probe(request.path);
  if (!probe.ok) throw loaderError(request, probe.message);
  try {
    checkApiVersion(request, probe.apiVersion);
    return runInit(request, outside);
  } finally {
    outside.native.probeRelease(probe.handle);
  }
}

function checkApiVersion({ source }: LoadRequest, wanted: number | null): void {
  const supported = Number(process.versions['napi']);
  if (wanted === null || wanted <= supported || wanted === NAPI_VERSION_EXPERIMENTAL) return;
  throw errors.napiVersion({ addon: source, path: source, wanted, supported });
}

function runInit(request: LoadRequest, outside: Outside): unknown {
  // Addons look for files beside themselves by this name: it is the source's, not the copy's.
  const module: LoadedModule = { exports: {}, filename: request.source };
  try {
    outside.dlopen(module, request.path);
  } catch (cause) {
    if (isDlopenError(cause)) throw loaderError(request, describe(cause), cause);
    throw errors.initThrew({ addon: request.source, version: request.id }, cause);
  }
  return module.exports;
}

function isDlopenError(value: unknown): boolean {
  return value instanceof Error && Reflect.get(value, 'code') === 'ERR_DLOPEN_FAILED';
}

/** glibc's words: "<file>: undefined symbol: <name>", sometimes with ", version <version>" behind. */
function loaderError({ source, path }: LoadRequest, message: string, cause?: unknown): ReloadError {
  const symbol = /undefined symbol: ([^\s,]+)/.exec(message)?.[1];
  if (symbol !== undefined) return errors.undefinedSymbol({ addon: source, path: source, symbol });
  return errors.loadFailed({ addon: source, path: source, found: message.replaceAll(path, source) }, cause);
}
