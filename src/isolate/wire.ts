/**
 * Values on their way to another thread or process and back.
 *
 * What can be cloned travels as it is. What cannot stands beside it, with its place: functions, objects of the addon, and
 * large arrays that lie in shared memory. So no value can be mistaken for something that stands for another.
 */
import { types } from 'node:util';
import { describe, ReloadError } from '../errors.ts';
import type { ErrorCode, ErrorDetails } from '../errors.ts';
import type { Arrays } from './arrays.ts';

/** A value that was taken apart. */
export interface Wire {
  readonly value: unknown;
  /** What stands at which place of it; absent where there is none. */
  readonly parts?: readonly Part[];
}

/** The keys that lead to a place; none for the value itself. */
type Path = readonly (string | number)[];

interface Part {
  readonly at: Path;
  readonly is: Special;
}

export type Special =
  /** A function of the side that sent it. */
  | { readonly kind: 'function'; readonly id: number; readonly name: string }
  /** One of the side that receives it. */
  | { readonly kind: 'your-function'; readonly id: number }
  /** An object of the addon, by the number that both sides know. */
  | { readonly kind: 'object'; readonly id: number; readonly name: string }
  /** What `for await` takes from, one `next` at a time. */
  | { readonly kind: 'iterator'; readonly id: number }
  | { readonly kind: 'array'; readonly loan: unknown }
  | { readonly kind: 'error'; readonly error: WireError }
  /** What stands at another place as well, before this one. */
  | { readonly kind: 'same'; readonly at: Path };

export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: unknown;
  readonly cause?: Wire;
  /** Its other own properties that can be cloned. */
  readonly own?: Readonly<Record<string, unknown>>;
  /** Of a ReloadError. */
  readonly details?: unknown;
}

/** How one side takes apart what only it knows. */
export interface Taker {
  /** What stands for an object or function; null to send it as it is. */
  take(value: object): Special | null;
  /** What it took was not sent after all. */
  cancel?(special: Special): void;
}

/** How the other side puts it together. */
export interface Giver {
  give(special: Exclude<Special, { kind: 'error' | 'same' }>): unknown;
}

/** How deep it looks for what cannot be cloned. Plain data may be nested deeper. */
const DEPTH_MAX = 16;

/** @throws a DataCloneError later, when it is sent, for what can neither be cloned nor be stood for */
export function toWire(value: unknown, taker: Taker): Wire {
  if (typeof value !== 'object' && typeof value !== 'function') return { value };
  const parts: Part[] = [];
  let left: unknown;
  try {
    left = takeApart(value, [], { parts, taker, seen: new Map() });
  } catch (error) {
    cancelWire({ value, parts }, taker);
    throw error;
  }
  return parts.length === 0 ? { value } : { value: left, parts };
}

interface Apart {
  readonly parts: Part[];
  readonly taker: Taker;
  readonly seen: Map<object, Seen>;
}

/** What may come once more, and is one object over there too. */
interface Seen {
  readonly at: Path;
  isTaken: boolean;
  isDone: boolean;
  copy: Record<string | number, unknown> | null;
}

/** @returns the value without what was taken out; the very value where that is nothing */
function takeApart(value: unknown, at: Path, apart: Apart): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return value;
  const { parts, taker } = apart;
  const before = apart.seen.get(value);
  if (before?.isTaken) {
    parts.push({ at, is: { kind: 'same', at: before.at } });
    return undefined;
  }
  if (before !== undefined) {
    // It holds itself: whether anything is taken out of it is not known yet.
    if (!before.isDone) before.copy ??= copyOf(value);
    return before.copy ?? value;
  }
  const special = types.isNativeError(value)
    ? ({ kind: 'error', error: toWireError(value, taker) } as const)
    : taker.take(value);
  const seen: Seen = { at, isTaken: special !== null, isDone: false, copy: null };
  if (special !== null) {
    apart.seen.set(value, seen);
    parts.push({ at, is: special });
    return undefined;
  }
  if (value instanceof Map || value instanceof Set) refuseObjectsIn(value, taker);
  if (at.length >= DEPTH_MAX || !isPlain(value)) return value;
  apart.seen.set(value, seen);
  const isArray = Array.isArray(value);
  for (const key of Object.keys(value)) {
    const property = Object.getOwnPropertyDescriptor(value, key);
    if (property === undefined || !('value' in property)) continue;
    const part: unknown = property.value;
    if ((typeof part !== 'object' && typeof part !== 'function') || part === null) continue;
    const left = takeApart(part, [...at, isArray ? Number(key) : key], apart);
    if (left === part) continue;
    seen.copy ??= copyOf(value);
    seen.copy[key] = left;
  }
  seen.isDone = true;
  return seen.copy ?? value;
}

/** Without what an array does not hold: it may be sparse. */
function copyOf(value: object): Record<string | number, unknown> {
  if (!Array.isArray(value)) return { ...value };
  const copy = Object.assign([], value);
  copy.length = value.length;
  return copy as unknown as Record<string | number, unknown>;
}

/** A clone of them would be an object without anything in it. */
function refuseObjectsIn(value: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>, taker: Taker): void {
  for (const each of [...value.keys(), ...value.values()]) {
    if (typeof each !== 'object' || each === null) continue;
    if (ArrayBuffer.isView(each) || types.isAnyArrayBuffer(each) || types.isNativeError(each)) continue;
    const special = taker.take(each);
    if (special === null) continue;
    taker.cancel?.(special);
    const kind = value instanceof Map ? 'Map' : 'Set';
    throw new DOMException(`An object of the addon in a ${kind} could not be cloned`, 'DataCloneError');
  }
}

function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

export function fromWire({ value, parts }: Wire, giver: Giver): unknown {
  if (parts === undefined) return value;
  let root = value;
  for (const { at, is } of parts) {
    const part = partOf(is, root, giver);
    const last = at.at(-1);
    if (last === undefined) root = part;
    else (valueAt(root, at.slice(0, -1)) as Record<string | number, unknown>)[last] = part;
  }
  return root;
}

function partOf(is: Special, root: unknown, giver: Giver): unknown {
  switch (is.kind) {
    case 'error':
      return fromWireError(is.error, giver);
    case 'same':
      return valueAt(root, is.at);
    default:
      return giver.give(is);
  }
}

function valueAt(root: unknown, at: Path): unknown {
  let value = root;
  for (const key of at) value = (value as Record<string | number, unknown>)[key];
  return value;
}

/** For a value that was not sent after all. */
export function cancelWire({ parts }: Wire, taker: Taker): void {
  for (const { is } of parts ?? []) taker.cancel?.(is);
}

/** One side's values, with large arrays lent. */
export function lending(side: Taker & Giver, arrays: Arrays): Taker & Giver {
  return {
    take(value) {
      const loan = arrays.lend(value);
      return loan === null ? side.take(value) : { kind: 'array', loan };
    },
    cancel(special) {
      if (special.kind === 'array') arrays.cancel(special.loan);
      else side.cancel?.(special);
    },
    give: (special) => (special.kind === 'array' ? arrays.borrow(special.loan) : side.give(special)),
  };
}

const nothing: Taker = { take: () => null };

/** An error may be its own cause. */
const CAUSES_MAX = 8;

/** Whatever was thrown, as data. Never throws. */
export function toWireError(thrown: unknown, taker: Taker = nothing, depth = 0): WireError {
  try {
    return takeErrorApart(thrown, taker, depth);
  } catch {
    // Its getters throw.
    return { name: 'Error', message: describe(thrown) };
  }
}

function takeErrorApart(thrown: unknown, taker: Taker, depth: number): WireError {
  const cloneable = (value: unknown): Wire => {
    if (types.isNativeError(value)) {
      return {
        value: undefined,
        parts: [{ at: [], is: { kind: 'error', error: toWireError(value, taker, depth + 1) } }],
      };
    }
    return { value: isCloneable(value) ? value : describe(value) };
  };
  if (!types.isNativeError(thrown)) return { name: '', message: describe(thrown), cause: cloneable(thrown) };
  const { name, message, stack } = thrown;
  const own: Record<string, unknown> = {};
  for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(thrown))) {
    if (['name', 'message', 'stack', 'cause', 'code', 'details'].includes(key) || !('value' in property))
      continue;
    if (isCloneable(property.value)) own[key] = property.value;
  }
  const code: unknown = Reflect.get(thrown, 'code');
  return {
    name: String(name),
    message: String(message),
    ...(typeof stack === 'string' && { stack }),
    ...(isCloneable(code) && code !== undefined && { code }),
    ...('cause' in thrown && depth < CAUSES_MAX && { cause: cloneable(thrown.cause) }),
    ...(Object.keys(own).length > 0 && { own }),
    ...(thrown instanceof ReloadError && { details: thrown.details }),
  };
}

/** What was not an error comes back as what it was. */
export function fromWireError(wire: WireError, giver: Giver): unknown {
  if (wire.name === '' && wire.cause !== undefined) return fromWire(wire.cause, giver);
  const cause = wire.cause === undefined ? undefined : fromWire(wire.cause, giver);
  const error = makeError(wire, cause);
  if (wire.stack !== undefined) Object.defineProperty(error, 'stack', { value: wire.stack, ...HIDDEN });
  if (wire.code !== undefined && !(error instanceof ReloadError)) Reflect.set(error, 'code', wire.code);
  Object.assign(error, wire.own);
  return error;
}

const HIDDEN = { writable: true, configurable: true, enumerable: false } as const;

const BUILT_IN = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError } as const;

function makeError({ name, message, details, code }: WireError, cause: unknown): Error {
  if (details !== undefined) {
    const known = code as ErrorCode;
    return new ReloadError(known, message, details as ErrorDetails[typeof known], cause);
  }
  const Made = Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name as keyof typeof BUILT_IN] : Error;
  const error = new Made(message, cause === undefined ? undefined : { cause });
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, ...HIDDEN });
  return error;
}

/** Whether a structured clone takes it. Tries, so it is not for large values. */
export function isCloneable(value: unknown): boolean {
  if (value === null || !['object', 'function', 'symbol'].includes(typeof value)) return true;
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
