/** What an addon says of its classes, so that their live instances can move to the next version. */
import { HOOKS_EXPORT } from '../contract.ts';
import type { HookContext } from './hooks.ts';
import { type Callable, invalid, isObject, read, readFunction } from './hook-object.ts';

/** How the instances of one class move. Its functions throw whatever the addon's throw. */
export interface ClassHooks {
  /** The name of the class among the exports, dotted where it is in an object of them. */
  readonly name: string;
  /** The class itself, as this version made it. */
  readonly made: Callable;
  /** Of the old version: what is to be known of an instance. Leaves it as it is. */
  save(instance: object): unknown;
  /** Of the new version: the arguments for its constructor. */
  args(state: unknown, context: HookContext): unknown;
  /** Of the new version: called once all instances are its own. */
  readonly restore: ((instance: object, state: unknown, context: HookContext) => unknown) | null;
}

/**
 * Finds them among the hooks of an addon.
 *
 * @param exports of the version
 * @param hooks the object that it exports as `napiReload`
 * @throws `ERR_HOOK_INVALID` when they are not what the contract says
 */
export function readClassHooks(
  exports: object,
  hooks: object,
  version: number,
): ReadonlyMap<string, ClassHooks> {
  const path = `${HOOKS_EXPORT}.classes`;
  const found = new Map<string, ClassHooks>();
  const classes = read(hooks, 'classes', version);
  if (classes === undefined) return found;
  if (!isObject(classes)) throw invalid(path, classes, 'an object with the names of classes');
  for (const name of Object.keys(classes)) {
    const given = read(classes, name, version);
    if (!isObject(given)) throw invalid(`${path}.${name}`, given, 'an object with save, args and restore');
    const made = findClass(exports, name, version);
    if (made === null) {
      throw invalid(`${path}.${name}`, name, 'the name of a class among the exports');
    }
    found.set(name, readOne(name, given, made, version, `${path}.${name}`));
  }
  return found;
}

function readOne(name: string, given: object, made: Callable, version: number, path: string): ClassHooks {
  const save = readFunction(given, 'save', version, path);
  if (save === null) throw invalid(`${path}.save`, undefined, 'a function');
  const args = readFunction(given, 'args', version, path);
  const restore = readFunction(given, 'restore', version, path);
  return {
    name,
    made,
    save: (instance) => Reflect.apply(save, given, [instance]),
    args: (state, context) => (args === null ? [state] : Reflect.apply(args, given, [state, context])),
    restore:
      restore === null
        ? null
        : (instance, state, context) => Reflect.apply(restore, given, [instance, state, context]),
  };
}

/** The whole of the exports may be the class itself, under the name that it has as a function. */
function findClass(exports: object, name: string, version: number): Callable | null {
  let found: unknown = exports;
  for (const key of name.split('.')) found = isObject(found) ? read(found, key, version) : undefined;
  if (isClass(found)) return found;
  return isClass(exports) && Reflect.get(exports, 'name') === name ? exports : null;
}

/** Its instances get its prototype in the swap, which must not fail: an arrow function has none. */
function isClass(value: unknown): value is Callable {
  return typeof value === 'function' && isObject(Object.getOwnPropertyDescriptor(value, 'prototype')?.value);
}
