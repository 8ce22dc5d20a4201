/**
 * Facades that are native functions themselves. A call of one enters the live version's native code with no JavaScript
 * in between; where a version has a function of JavaScript instead, or a class, it calls that.
 *
 * docs/cost.md has what a call costs. To get from native code to JavaScript costs more than a forwarder does, so only what
 * is native at first gets such a facade.
 */
import type { Native, NativeEnter } from '../native.ts';
import { type ClassSlot, enterSlot } from './forwarder.ts';
import type { Callable, Node, Shape } from './shape.ts';

/** What the shim is asked. */
export type NativeCode = Pick<Native, 'makeFacade' | 'findFunctions' | 'pointFacades'>;

export interface NativeFacade {
  readonly value: Callable;
  /** Stands for the facade where the shim is told what it shall enter. */
  readonly enter: NativeEnter;
}

/** Which native code a facade enters, or null for the target in its slot. */
export interface Pointing {
  readonly enter: NativeEnter;
  readonly raw: object | null;
}

/**
 * From the function objects of facades. Neither side of a facade may hold the other for good: the target in the slot often
 * leads back to the facade. So each lives as long as the function object does.
 */
const enters = new WeakMap<Callable, NativeEnter>();

export function createNativeFacade(slot: ClassSlot, name: string, shim: NativeCode): NativeFacade {
  const enter = enterSlot(slot);
  const value = shim.makeFacade(name, enter);
  enters.set(value, enter);
  return { value, enter };
}

/**
 * @param handle of the version; null where it was loaded plainly and the shim knows nothing of it
 * @returns the nodes that a native facade can enter without a detour: functions that the version's native code made, but
 *   for classes, functions that are used as such, and those that want another receiver than the call's
 */
export function findNativeCode(shape: Shape, handle: object | null, shim: NativeCode): ReadonlySet<Node> {
  if (handle === null) return new Set();
  const candidates = shape.nodes.filter(isPlainFunction);
  if (candidates.length === 0) return new Set();
  const found = shim.findFunctions(
    handle,
    candidates.map(({ raw }) => raw),
  );
  return new Set(candidates.filter((_, index) => found[index]));
}

/** Carries out what a plan found; does not fail. */
export function point(pointings: readonly Pointing[], handle: object | null, shim: NativeCode): void {
  if (pointings.length === 0) return;
  shim.pointFacades(
    handle,
    pointings.map(({ enter }) => enter),
    pointings.map(({ raw }) => raw),
  );
}

/**
 * One prototype object for a function and its facade, so that what either makes with `new` is an instance of both. Such
 * a function has no methods on it, and so nothing has to know which version made an instance.
 */
export function sharePrototype(raw: object, prototype: object): void {
  Reflect.defineProperty(raw, 'prototype', { value: prototype });
}

/** Native functions all have a prototype object; one that an addon put something on is the prototype of a class. */
function isPlainFunction({ owner, prototype }: Node): boolean {
  return (
    owner === null &&
    prototype !== null &&
    prototype.members.size === 0 &&
    prototype.parent === Object.prototype
  );
}
