/** Reading of what an addon exports as `napiReload`. */
import { describe, errors } from '../errors.ts';

/**
 * Reads a property that may be an accessor of the addon's, and so may throw.
 *
 * @throws `ERR_HOOK_THREW`
 */
export function read(object: object, key: string, version: number): unknown {
  try {
    return Reflect.get(object, key);
  } catch (cause) {
    throw errors.hookThrew({ hook: `get ${key}`, version }, cause);
  }
}

/**
 * Reads a function that may be missing.
 *
 * @param path of the object among the exports, for the message
 * @throws `ERR_HOOK_INVALID` when it is something else
 */
export function readFunction(object: object, key: string, version: number, path: string): Callable | null {
  const value = read(object, key, version);
  if (value === undefined) return null;
  if (typeof value === 'function') return value as Callable;
  throw invalid(`${path}.${key}`, value, 'a function');
}

/** Any function, as seen from outside. */
export type Callable = (this: unknown, ...args: unknown[]) => unknown;

export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

export function invalid(path: string, found: unknown, wanted: string): Error {
  return errors.hookInvalid({ path, found: `${describe(found)} (${typeof found})`, wanted });
}
