/** Loads a staged copy as Node.js does. What is loaded so is never unloaded. */
import { describe, errors } from '../errors.ts';
import type { Here, LoadedModule } from '../here.ts';
import { isSupportedApiVersion, NAPI_VERSION_HERE } from './api-version.ts';
import { type LoadRequest, loaderError } from './loader-error.ts';

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
export function loadPlain(request: LoadRequest, outside: Here): unknown {
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
  if (wanted === null || isSupportedApiVersion(wanted)) return;
  throw errors.napiVersion({ addon: source, path: source, wanted, supported: NAPI_VERSION_HERE });
}

function runInit(request: LoadRequest, outside: Here): unknown {
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
