/**
 * `process.dlopen` as an app sees it under the register: an addon that may be reloaded is opened as a handle, and what the
 * caller gets are the handle's exports. Everything else is as Node.js does it.
 *
 * Rules:
 * 1. Who calls it sees what the system's own would show: `module.exports` filled before it returns, the object that was
 *    there kept where the addon only adds to it, what the addon's init throws, and the system's own errors.
 * 2. What cannot be opened as a handle is loaded as if nobody had asked: an app never fails for the register.
 * 3. The shim, and the copies that handles load, go past it.
 */
import { realpathSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { Addon } from '../addon.ts';
import { describe, isReloadError, type ReloadError } from '../errors.ts';
import { isOwnLoad } from '../here.ts';
import type { OpenOptions } from '../options.ts';
import { realOutside } from '../outside.ts';
import { isObject } from '../swap/shape.ts';

export interface RegisterOptions {
  /** Of an addon by its real path; null where it is not to be reloadable. */
  optionsFor(file: string): OpenOptions | null;
  /** It is loaded as Node.js does it, and stays as it is. */
  onPlain(file: string, error: ReloadError): void;
  onOpened(addon: Addon, file: string): void;
}

/** Of any copy of this package. */
const SHIM_NAME = 'napi_reload.node';

type Dlopen = typeof process.dlopen;

/** Names that are resolved late, or now: what handles do, too. Whoever shares symbols with others wants more. */
const PLAIN_FLAGS: readonly number[] = [constants.dlopen.RTLD_LAZY, constants.dlopen.RTLD_NOW];

/**
 * Puts it in place of the system's.
 *
 * @returns what puts that back
 */
export function replaceDlopen(options: RegisterOptions): () => void {
  const system = process.dlopen;
  /** By real path. One that was closed is opened anew. */
  const opened = new Map<string, Addon>();
  const dlopen: Dlopen = (...args) => {
    const load = (): void => Reflect.apply(system, process, args);
    const [module] = args;
    const file = fileToOpen(...args);
    const known = file === null ? undefined : opened.get(file);
    if (known !== undefined) {
      Reflect.set(module, 'exports', known.exports);
      return;
    }
    const wanted = file === null ? null : options.optionsFor(file);
    if (file === null || wanted === null) return load();
    try {
      const addon = Addon.openNow(file, wanted, realOutside, adoptable(module));
      opened.set(file, addon);
      addon.on('closed', () => opened.delete(file));
      Reflect.set(module, 'exports', addon.exports);
      options.onOpened(addon, file);
    } catch (error) {
      if (!isReloadError(error)) throw error;
      if (error.code === 'ERR_INIT_THREW') throw error.cause;
      load();
      options.onPlain(file, error);
    }
  };
  process.dlopen = dlopen;
  return () => {
    if (process.dlopen === dlopen) process.dlopen = system;
  };
}

/** @returns the real path of an addon; null for what is none, or is to be loaded otherwise than handles do */
function fileToOpen(module?: unknown, filename?: unknown, flags?: unknown): string | null {
  if (!isObject(module) || !isObject(Reflect.get(module, 'exports'))) return null;
  // The system looks for a name without a folder among its libraries.
  if (typeof filename !== 'string' || !filename.includes('/') || path.extname(filename) !== '.node')
    return null;
  if (flags !== undefined && !PLAIN_FLAGS.includes(Number(flags))) return null;
  if (isOwnLoad(filename) || path.basename(filename) === SHIM_NAME) return null;
  try {
    return realpathSync(filename);
  } catch {
    return null;
  }
}

/** The object that the addon is to add its exports to, where somebody may hold it already. */
function adoptable(module: object): object | null {
  const exports: unknown = Reflect.get(module, 'exports');
  const isPlain = isObject(exports) && Object.getPrototypeOf(exports) === Object.prototype;
  return isPlain && Object.isExtensible(exports) ? exports : null;
}

/** @returns one line for people */
export function describePlain(file: string, error: ReloadError): string {
  return `${JSON.stringify(file)} was loaded as Node.js does it and cannot be reloaded: ${describe(error)}`;
}
