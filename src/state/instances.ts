/**
 * Live instances of classes that both versions describe: each becomes an instance of the new version, and stays the same
 * object.
 *
 *     find → save → construct → restore → verify → finish, or revert
 *
 * Each step is done for all instances before the next one. So in `restore` whatever an instance refers to has moved as
 * well, and until `finish` all of it can be taken back.
 */
import { errors, isReloadError } from '../errors.ts';
import type { Later } from '../later.ts';
import type { Native } from '../native.ts';
import type { InstanceCounts } from '../report.ts';
import { ignoreRejection, isThenable } from '../thenable.ts';
import type { ClassHooks } from './class-hooks.ts';
import { invalid } from './hook-object.ts';
import type { HookContext, Hooks } from './hooks.ts';
import { type About, checkEach, copyState, type Given } from './roundtrip.ts';
import { type OwnProperties, putBackOwnProperties, readOwnProperties } from './own-properties.ts';

/** A version that has a ledger; another one knows of no instances. */
export interface MovingVersion {
  readonly handle: object;
  readonly hooks: Hooks;
}

/** The instances of one class that move. */
export interface MovingClass {
  readonly name: string;
  readonly old: ClassHooks;
  readonly next: ClassHooks;
  readonly instances: readonly object[];
}

/** Whether an instance can change its version. */
export type CanMove = (instance: object, made: object) => boolean;

type Mover = Pick<Native, 'findInstances' | 'beginMove' | 'endMove'>;

/** What is known of each instance of a class, in their order. */
interface Luggage extends MovingClass {
  readonly states: unknown[];
  readonly properties: OwnProperties[];
  /** What each state was before the new version had it, where it is to be compared. */
  readonly given: Given[];
}

/** The move of live instances, wherever they live. The steps are called in the order in which they stand. */
export interface InstanceMover {
  readonly classes: readonly {
    readonly old: { readonly made: object };
    readonly next: { readonly made: object };
    readonly instances: readonly object[];
  }[];
  readonly counts: InstanceCounts;
  save(compares: boolean, about: About): void;
  init(context: HookContext): void | Later<void>;
  verify(about: About): void;
  /** From here on there is no way back. Does not fail. */
  finish(): void;
  /** @returns how many could not be put back */
  revert(): number;
}

export class InstanceMove implements InstanceMover {
  readonly classes: readonly MovingClass[];
  readonly counts: InstanceCounts;
  readonly #from: MovingVersion;
  readonly #to: MovingVersion;
  readonly #canMove: CanMove;
  readonly #native: Mover;
  readonly #luggage: readonly Luggage[];
  #isBegun = false;

  private constructor(from: MovingVersion, to: MovingVersion, found: Found, canMove: CanMove, native: Mover) {
    this.#from = from;
    this.#to = to;
    this.#canMove = canMove;
    this.#native = native;
    this.#luggage = found.classes.map((each) => ({ ...each, states: [], properties: [], given: [] }));
    this.classes = this.#luggage;
    this.counts = found.counts;
  }

  /** @returns null where the old version describes no class: nothing is looked for then */
  static find(from: MovingVersion, to: MovingVersion, canMove: CanMove, native: Mover): InstanceMove | null {
    if (from.hooks.classes.size === 0) return null;
    return new InstanceMove(from, to, findInstances(from, to, canMove, native), canMove, native);
  }

  /**
   * @param compares whether `verify` shall compare what is saved now with what the new version saves
   * @throws `ERR_HOOK_THREW`, `ERR_HOOK_ASYNC`; `ERR_STATE_ROUNDTRIP` for what cannot be compared
   */
  save(compares: boolean, about: About): void {
    for (const { name, old, instances, states, given } of this.#luggage) {
      const hook = `classes.${name}.save`;
      this.#forEach(this.#from, hook, instances, (instance) => {
        states.push(this.#now(old.save(instance), this.#from, hook));
      });
      if (compares && this.#from.hooks.schema === this.#to.hooks.schema) {
        for (const state of states) given.push(copyState(state, about));
      }
    }
  }

  /**
   * Makes each instance one of the new version, then has each restored.
   *
   * @throws `ERR_HOOK_THREW`, `ERR_HOOK_ASYNC`, `ERR_HOOK_INVALID`
   */
  init({ from: _, ...given }: HookContext): void {
    const { version, schema } = this.#from.hooks;
    // No step carries the states of instances: they are in the layout of the version that saved them.
    const context: HookContext = { ...given, from: { version, schema } };
    this.#isBegun = true;
    this.#native.beginMove(this.#from.handle, this.#to.handle);
    for (const { name, next, instances, states, properties } of this.#luggage) {
      this.#forEach(this.#to, `classes.${name}.constructor`, instances, (instance, index) => {
        properties.push(readOwnProperties(instance));
        construct(next, instance, states[index], context);
      });
    }
    for (const { name, next, instances, states } of this.#luggage) {
      const { restore } = next;
      if (restore === null) continue;
      const hook = `classes.${name}.restore`;
      this.#forEach(this.#to, hook, instances, (instance, index) => {
        this.#now(restore(instance, states[index], context), this.#to, hook);
      });
    }
  }

  /**
   * A version that cannot save its instances could not hand them on. One that froze them, or gave them another prototype,
   * has left no way to make them its own.
   *
   * @throws `ERR_STATE_ROUNDTRIP`, `ERR_HOOK_INVALID`
   */
  verify(about: About): void {
    for (const { name, old, next, instances, given } of this.#luggage) {
      const save = (instance: object): unknown => next.save(instance);
      checkEach(instances, save, given, { ...about, name: `classes.${name}` });
      const stuck = instances.find((instance) => !this.#canMove(instance, old.made));
      if (stuck === undefined) continue;
      throw invalid(
        `new ${name}()`,
        stuck,
        'a constructor that leaves the object extensible, with its prototype',
      );
    }
  }

  /** From here on there is no way back. Does not fail. */
  finish(): void {
    if (this.#isBegun) this.#native.endMove(this.#from.handle, this.#to.handle, true);
  }

  /**
   * Puts every instance back as it was.
   *
   * @returns how many could not be
   */
  revert(): number {
    if (!this.#isBegun) return 0;
    this.#isBegun = false;
    const { lost, thrown } = this.#native.endMove(this.#from.handle, this.#to.handle, false);
    throwUncaught(thrown);
    for (const { instances, properties } of this.#luggage) {
      for (const [index, each] of properties.entries()) {
        const instance = instances[index];
        if (instance !== undefined) putBackOwnProperties(instance, each);
      }
    }
    return lost;
  }

  #now<T>(result: T, version: MovingVersion, hook: string): T {
    if (!isThenable(result)) return result;
    ignoreRejection(result);
    throw errors.hookAsync({ hook, version: version.hooks.version });
  }

  #forEach(
    version: MovingVersion,
    hook: string,
    instances: readonly object[],
    work: (instance: object, index: number) => void,
  ): void {
    let index = 0;
    try {
      for (const instance of instances) {
        work(instance, index);
        index += 1;
      }
    } catch (cause) {
      if (isReloadError(cause, 'ERR_HOOK_ASYNC') || isReloadError(cause, 'ERR_HOOK_INVALID')) throw cause;
      const instance = { index, count: instances.length };
      throw errors.hookThrew({ hook, version: version.hooks.version, instance }, cause);
    }
  }
}

interface Found {
  readonly classes: readonly MovingClass[];
  readonly counts: InstanceCounts;
}

function findInstances(from: MovingVersion, to: MovingVersion, canMove: CanMove, native: Mover): Found {
  const isInBoth = ({ name }: ClassHooks): boolean => to.hooks.classes.has(name);
  // The instances of a class that has two names are those of the first.
  const described = [...from.hooks.classes.values()].sort(
    (a, b) => Number(isInBoth(b)) - Number(isInBoth(a)),
  );
  const found = native.findInstances(
    from.handle,
    described.map(({ made }) => made),
  );
  const classes: MovingClass[] = [];
  const moved: Record<string, number> = {};
  const stayed: Record<string, number> = {};
  for (const [index, old] of described.entries()) {
    const { name } = old;
    const all = found[index] ?? [];
    const next = to.hooks.classes.get(name);
    const instances = next ? all.filter((instance) => canMove(instance, old.made)) : [];
    if (next && instances.length > 0) classes.push({ name, old, next, instances });
    if (instances.length > 0) moved[name] = instances.length;
    if (instances.length < all.length) stayed[name] = all.length - instances.length;
  }
  return { classes, counts: { moved, stayed } };
}

/** The shim has the constructor take the object over, as if `new` had just made it. */
function construct(
  { name, args, made }: ClassHooks,
  instance: object,
  state: unknown,
  context: HookContext,
): void {
  const given = args(state, context);
  if (!Array.isArray(given)) {
    throw invalid(`napiReload.classes.${name}.args()`, given, 'an array of arguments for the constructor');
  }
  const result: unknown = Reflect.apply(made, instance, given);
  if (result === instance || result === undefined) return;
  throw invalid(`new ${name}()`, result, 'a constructor that returns the object that it was called for');
}

/** What finalizers throw has no caller, as in Node.js. Not now: nothing of the user's may run in the switch. */
function throwUncaught(thrown: readonly unknown[]): void {
  for (const error of thrown) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
