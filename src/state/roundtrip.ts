/** Whether a new version could hand on the state that it took, and whether it would be the same state. */
import { isDeepStrictEqual } from 'node:util';
import { errors } from '../errors.ts';
import { type Steps, settled } from '../later.ts';
import type { Hooks } from './hooks.ts';

/** What the new version was given, as it was before it had it. */
export interface Given {
  readonly copy: unknown;
}

export interface About {
  readonly addon: string;
  readonly version: number;
}

/**
 * A copy of the state, since `init` may change what it is given.
 *
 * @throws `ERR_STATE_ROUNDTRIP` for what structuredClone() does not take, such as a function
 */
export function copyState(state: unknown, about: About): Given {
  try {
    return { copy: structuredClone(state) };
  } catch (cause) {
    throw errors.stateRoundtrip({ ...about, reason: 'not-cloneable', path: null }, cause);
  }
}

/**
 * The new version must be able to hand its state on before it goes live.
 *
 * @param tookState whether it was given one, and so must have one
 * @param given what its own state must equal; null where that is not asked for
 * @throws `ERR_STATE_ROUNDTRIP`
 */
export function* checkSave(hooks: Hooks, tookState: boolean, given: Given | null, about: About): Steps<void> {
  let saved: unknown;
  try {
    saved = yield* settled(hooks.callSync('save'));
  } catch (cause) {
    throw errors.stateRoundtrip({ ...about, reason: 'save-failed', path: null }, cause);
  }
  if (tookState && saved === undefined) {
    throw errors.stateRoundtrip({ ...about, reason: 'save-empty', path: null });
  }
  if (given === null) return;
  // Both as data: each version of the addon has classes of its own, and a Buffer is cloned as the bytes that it has.
  const path = compare(given.copy, copyState(saved, about).copy, about);
  if (path !== null) throw errors.stateRoundtrip({ ...about, reason: 'differs', path });
}

/**
 * The same for live instances.
 *
 * @param given what the state of each must equal; empty where that is not asked for
 * @param about with what they are called in messages
 * @throws `ERR_STATE_ROUNDTRIP`
 */
export function checkEach(
  instances: readonly object[],
  save: (instance: object) => unknown,
  given: readonly Given[],
  { name, ...about }: About & { readonly name: string },
): void {
  for (const [index, instance] of instances.entries()) {
    let saved: unknown;
    try {
      saved = save(instance);
    } catch (cause) {
      throw errors.stateRoundtrip({ ...about, reason: 'save-failed', path: `${name}[${index}]` }, cause);
    }
    const before = given[index];
    if (before === undefined) continue;
    const path = compare(before.copy, copyState(saved, about).copy, about);
    if (path === null) continue;
    throw errors.stateRoundtrip({
      ...about,
      reason: 'differs',
      path: path.replace('state', `${name}[${index}]`),
    });
  }
}

/** A state may be nested deeper than the stack is. */
function compare(given: unknown, saved: unknown, about: About): string | null {
  try {
    return findDifference(given, saved);
  } catch (cause) {
    throw errors.stateRoundtrip({ ...about, reason: 'not-cloneable', path: null }, cause);
  }
}

/** @returns the way to the first value that is not the same, null when all are; -0 is not 0, and NaN is NaN */
export function findDifference(a: unknown, b: unknown): string | null {
  return isDeepStrictEqual(a, b) ? null : locate(a, b, 'state', new Set());
}

/** @param above what it came through, so that a value which holds itself has an end */
function locate(a: unknown, b: unknown, path: string, above: Set<unknown>): string {
  if (above.has(a)) return path;
  above.add(a);
  for (const { name, isInBoth, ofA, ofB } of partsOf(a, b)) {
    if (!isInBoth) return path + name;
    if (!isDeepStrictEqual(ofA, ofB)) return locate(ofA, ofB, path + name, above);
  }
  return path;
}

interface Part {
  readonly name: string;
  readonly isInBoth: boolean;
  readonly ofA: unknown;
  readonly ofB: unknown;
}

/** What two values of one kind can be taken apart into. */
function partsOf(a: unknown, b: unknown): Iterable<Part> {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return [];
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return [];
  if (a instanceof Map && b instanceof Map) return entriesOf(a, b);
  return ArrayBuffer.isView(a) ? elementsOf(a, b) : propertiesOf(a, b);
}

/** Keys that are objects are equal to none of another map: such maps are told of as a whole. */
function* entriesOf(a: ReadonlyMap<unknown, unknown>, b: ReadonlyMap<unknown, unknown>): Iterable<Part> {
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    if (typeof key === 'object' && key !== null) continue;
    const name = `.get(${typeof key === 'string' ? JSON.stringify(key) : String(key)})`;
    yield { name, isInBoth: a.has(key) && b.has(key), ofA: a.get(key), ofB: b.get(key) };
  }
}

/** Their keys, as strings, would take more memory than they. */
function* elementsOf(a: object, b: object): Iterable<Part> {
  const [length, other] = [a, b].map((each) => Number(Reflect.get(each, 'length') ?? 0)) as [number, number];
  for (let index = 0; index < Math.max(length, other); index += 1) {
    const isInBoth = index < length && index < other;
    yield { name: `[${index}]`, isInBoth, ofA: Reflect.get(a, index), ofB: Reflect.get(b, index) };
  }
}

function* propertiesOf(a: object, b: object): Iterable<Part> {
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const name = Array.isArray(a) ? `[${key}]` : `.${key}`;
    const isInBoth = Object.hasOwn(a, key) && Object.hasOwn(b, key);
    yield { name, isInBoth, ofA: Reflect.get(a, key), ofB: Reflect.get(b, key) };
  }
}
