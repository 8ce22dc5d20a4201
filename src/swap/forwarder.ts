/**
 * The one place that makes a stable function of JavaScript. What it calls can be changed at any time: a call under way goes on
 * with what it entered.
 *
 * ns per call after ten swaps, Node 20, native `add(a, b)` / no-op: direct 40 / 24 (its call site has seen ten functions),
 * closure over a `let` 40 / 24, this 39 / 22; switches on `arguments.length` and a feedback vector each gain nothing. Handing
 * `args` to a function of ours would cost 6 to 14: it becomes a real array.
 */
import { types } from 'node:util';
import type { NativeEnter } from '../native.ts';
import type { Callable } from './shape.ts';
import { inherits, isCurrent, stamp, type Versions } from './versions.ts';

/** What a forwarder calls. */
export interface Slot {
  target: Callable;
}

/** What a forwarder that is also a constructor calls. */
export interface ClassSlot extends Slot {
  readonly versions: Versions;
  /** Whether the target is native code. */
  isNative: boolean;
  /** The facade's own prototype object, which stays for good; it is known once the forwarder exists. */
  prototype: object;
}

/** What a method calls, which depends on the version that made the receiver. */
export interface MethodSlot extends Slot {
  readonly versions: Versions;
  /** The slow way: of a receiver that is not known to be of the live version. */
  targetOf(receiver: unknown): Callable;
}

/** What an accessor calls. */
export interface AccessorSlot {
  get(receiver: unknown): unknown;
  set(receiver: unknown, value: unknown): void;
}

// A method shorthand has no `prototype`, and `new` refuses it: just as what it stands for.

/** @returns a function that cannot be constructed */
export function forwardFunction(slot: Slot): Callable {
  return {
    forward(this: unknown, ...args: unknown[]): unknown {
      return Reflect.apply(slot.target, this, args);
    },
  }.forward;
}

/** @returns a function that can be called and constructed */
export function forwardClass(slot: ClassSlot): Callable {
  const maker = class extends Object {} as unknown as Callable;
  const forward: Callable = function forward(this: unknown, ...args: unknown[]): unknown {
    if (new.target === undefined) return Reflect.apply(slot.target, this, args);
    return construct(slot, args, new.target === forward && slot.isNative ? maker : new.target);
  };
  standIn(maker, forward);
  return forward;
}

/**
 * What a native constructor sees as `new.target` where the facade itself was called by `new`. V8 keeps the hidden class of
 * what is constructed for a derived class alone: for any other function it makes a new one each time, which takes 30 µs
 * on Node.js 20, and longer with each instance on 24 (FastInitializeDerivedMap of
 * https://github.com/v8/v8/blob/main/src/objects/js-function.cc). Not so for a class of JavaScript, which that hidden
 * class would hold, and its whole version with it.
 */
function standIn(maker: Callable, facade: Callable): void {
  Object.setPrototypeOf(maker, facade);
  for (const key of ['name', 'length']) Reflect.deleteProperty(maker, key);
  const { prototype } = maker;
  Object.defineProperty(prototype, 'constructor', { value: facade });
  Object.defineProperty(facade, 'prototype', { value: prototype });
}

/** Whether a function is of native code. Looks at its source, as nothing else tells. */
export function isNative(target: Callable): boolean {
  return Function.prototype.toString.call(target).endsWith('{ [native code] }');
}

/** @returns what a native function calls that stands in for a function or class of JavaScript */
export function enterSlot(slot: ClassSlot): NativeEnter {
  return function enter(this: unknown, newTarget: Callable | undefined, ...args: unknown[]): unknown {
    if (newTarget === undefined) return Reflect.apply(slot.target, this, args);
    return construct(slot, args, newTarget);
  };
}

/** @returns a method that runs the code of the version that made its receiver */
export function forwardMethod(slot: MethodSlot): Callable {
  return {
    forward(this: unknown, ...args: unknown[]): unknown {
      const target = isCurrent(slot.versions, this) ? slot.target : slot.targetOf(this);
      return Reflect.apply(target, this, args);
    },
  }.forward;
}

/** @returns the two halves of an accessor property */
export function forwardAccessor(slot: AccessorSlot): { readonly get: Callable; readonly set: Callable } {
  return {
    get(this: unknown): unknown {
      return slot.get(this);
    },
    set(this: unknown, value: unknown): void {
      slot.set(this, value);
    },
  };
}

/**
 * Calls a static method with the raw class as its receiver, not with the facade: private fields and native data are on
 * the raw one. A look at the receiver in every forwarder would cost each call 1 ns; so only such methods pay, some 7.
 *
 * @returns the target for the slot of a function that `owner` stands in front of
 */
export function receiveRaw(target: Callable, owner: object, rawOwner: object): Callable {
  return function forward(this: unknown, ...args: unknown[]): unknown {
    if (new.target !== undefined) return Reflect.construct(target, args, new.target);
    if (this !== owner) return Reflect.apply(target, this, args);
    const result: unknown = Reflect.apply(target, rawOwner, args);
    // `return this` must not let the raw one out, which is of this version alone.
    return result === rawOwner ? owner : result;
  };
}

/** Gives a method the name and length of what it calls; does nothing to one that the user froze. */
export function label(forwarder: Callable, target: Callable): void {
  // This is done at the publish, where a trap must not throw.
  if (types.isProxy(target)) return;
  for (const key of ['name', 'length']) {
    const property = Object.getOwnPropertyDescriptor(target, key);
    if (property && 'value' in property) Reflect.defineProperty(forwarder, key, { value: property.value });
  }
}

function construct(slot: ClassSlot, args: unknown[], newTarget: Callable): object {
  // Taken before the constructor runs: it may reload.
  const { current } = slot.versions;
  const instance: object = Reflect.construct(slot.target, args, newTarget);
  // A constructor may return something else, such as an object that outlives every version.
  if (current !== null && inherits(instance, slot.prototype)) stamp(instance, current);
  return instance;
}
