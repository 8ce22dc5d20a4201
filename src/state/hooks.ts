/** The hook object that an addon may export as `napiReload`: checked once, when loaded, then called from here only. */
import { HOOKS_EXPORT } from '../contract.ts';
import type { Deadline } from '../deadline.ts';
import { errors, isReloadError } from '../errors.ts';
import { ignoreRejection, isThenable } from '../thenable.ts';
import { type ClassHooks, readClassHooks } from './class-hooks.ts';
import { invalid, isObject, read } from './hook-object.ts';
import type { AskForMemory } from './memory.ts';

/** Why a version comes to life. */
export type Reason = 'first' | 'reload' | 'rollback' | 'restart';

/** What `prepare` and `init` are given. */
export interface HookContext {
  /** Why this version comes to life. */
  readonly reason: Reason;
  /** What the old version's `save()` returned, migrated to this version's schema; undefined for a first load. */
  readonly state: unknown;
  /** The version that the state comes from, and the layout of the state: its own, or where steps have carried it to. */
  readonly from?: {
    /** The id of that version. */
    readonly version: number;
    /** The layout that `state` has. */
    readonly schema: number;
  };
  /** Memory that no version owns; to be asked for until `init` returns. */
  readonly memory: AskForMemory;
}

type HookName = 'prepare' | 'init' | 'save' | 'dispose' | 'resume';
type HookFunction = (context?: HookContext) => unknown;

const HOOK_NAMES: readonly HookName[] = ['prepare', 'init', 'save', 'dispose', 'resume'];
const DEFAULT_SCHEMA = 1;

export interface Hooks {
  readonly version: number;
  /** Layout of what `save()` returns. */
  readonly schema: number;
  /** Of the classes whose instances move, by their names. */
  readonly classes: ReadonlyMap<string, ClassHooks>;
  /** Other layouts that `init` takes as they are. */
  readonly accepts: readonly number[];
  has(hook: HookName): boolean;
  /**
   * Calls a hook that must be done when it returns. A hook that the addon does not have gives undefined.
   *
   * @returns what it returned; a {@link Later} of that where the version runs in another thread or process
   * @throws `ERR_HOOK_THREW`, `ERR_HOOK_ASYNC` when it returned a promise, or what `context.memory` threw
   */
  callSync(hook: 'init' | 'save' | 'resume', context?: HookContext): unknown;
  /**
   * Calls a hook that may take its time.
   *
   * @returns a promise only where it does
   * @throws `ERR_HOOK_THREW`, or what `context.memory` threw; `ERR_HOOK_TIMEOUT` by way of `deadline`
   */
  callAsync(
    hook: 'prepare' | 'dispose',
    deadline: Deadline,
    context?: HookContext,
  ): Promise<void> | undefined;
}

/**
 * Finds the hooks among an addon's exports. An addon without any gets hooks that do nothing.
 *
 * @throws `ERR_HOOK_INVALID` when `napiReload` is not what the contract says
 */
export function readHooks(exports: unknown, version: number): Hooks {
  const object = readHookObject(exports, version);
  const schema = object === null ? DEFAULT_SCHEMA : readSchema(object, version);
  const accepts = object === null ? [] : readAccepts(object, version);
  const functions = new Map<HookName, HookFunction>();
  for (const name of HOOK_NAMES) {
    const hook = object === null ? undefined : read(object, name, version);
    if (hook === undefined) continue;
    if (typeof hook !== 'function') throw invalid(`${HOOKS_EXPORT}.${name}`, hook, 'a function');
    functions.set(name, hook as HookFunction);
  }
  const call = (name: HookName, context?: HookContext): unknown => {
    const hook = functions.get(name);
    if (hook === undefined) return undefined;
    try {
      return context === undefined ? Reflect.apply(hook, object, []) : Reflect.apply(hook, object, [context]);
    } catch (cause) {
      throw thrown(cause, name, version);
    }
  };
  const hasClasses = object !== null && isObject(exports);
  return {
    version,
    schema,
    classes: hasClasses ? readClassHooks(exports, object, version) : new Map(),
    accepts,
    has: (hook) => functions.has(hook),
    callSync(hook, context) {
      const result = call(hook, context);
      if (!isThenable(result)) return result;
      ignoreRejection(result);
      throw errors.hookAsync({ hook, version });
    },
    callAsync(hook, deadline, context) {
      const result = call(hook, context);
      if (!isThenable(result)) return undefined;
      const work = Promise.resolve(result).then(
        () => undefined,
        (cause: unknown) => {
          throw thrown(cause, hook, version);
        },
      );
      return deadline.race(work, () => errors.hookTimeout({ hook, version, timeoutMs: deadline.timeoutMs }));
    },
  };
}

/** That memory cannot be had is told as it is, if the hook does not do without: its code says more than the hook's. */
function thrown(cause: unknown, hook: HookName, version: number): Error {
  const isTold = isReloadError(cause, 'ERR_MEMORY_SIZE') || isReloadError(cause, 'ERR_MEMORY_UNAVAILABLE');
  return isTold ? cause : errors.hookThrew({ hook, version }, cause);
}

function readHookObject(exports: unknown, version: number): object | null {
  if (!isObject(exports)) return null;
  const object = read(exports, HOOKS_EXPORT, version);
  if (object === undefined) return null;
  if (typeof object !== 'object' || object === null) throw invalid(HOOKS_EXPORT, object, 'an object');
  return object;
}

function readSchema(object: object, version: number): number {
  const schema = read(object, 'schema', version);
  if (schema === undefined) return DEFAULT_SCHEMA;
  if (isSchema(schema)) return schema;
  throw invalid(`${HOOKS_EXPORT}.schema`, schema, 'a whole number from 1');
}

function readAccepts(object: object, version: number): readonly number[] {
  const accepts = read(object, 'accepts', version);
  if (accepts === undefined) return [];
  const path = `${HOOKS_EXPORT}.accepts`;
  if (!Array.isArray(accepts)) throw invalid(path, accepts, 'an array of schemas');
  const schemas: number[] = [];
  for (let index = 0; index < accepts.length; index += 1) {
    const schema = read(accepts, String(index), version);
    if (!isSchema(schema)) throw invalid(`${path}[${index}]`, schema, 'a whole number from 1');
    schemas.push(schema);
  }
  return schemas;
}

function isSchema(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
}
