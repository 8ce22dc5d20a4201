/** Kinds of arrays by name, so that the other side can make one of the same kind. */
import { types } from 'node:util';

export type Bytes = ArrayBuffer | ArrayBufferView;

interface ArrayKind {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): ArrayBufferView;
}

const NAMES = [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'BigInt64Array',
  'BigUint64Array',
  // Not of every Node.js: see docs/platforms.md.
  'Float16Array',
  'Float32Array',
  'Float64Array',
] as const;

/** `Buffer` apart from the `Uint8Array` that it is. */
export type ArrayType = (typeof NAMES)[number] | 'Buffer' | 'DataView' | 'ArrayBuffer';

const KINDS: ReadonlyMap<ArrayType, ArrayKind> = new Map(
  NAMES.filter((name) => name in globalThis).map((name) => [
    name,
    Reflect.get(globalThis, name) as ArrayKind,
  ]),
);

// Of the language itself: a class of the user's may say another name.
const tagOf = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)?.get;

/** Null for what is none, or of a newer Node.js. An instance of a class of the user's is of the kind that it extends. */
export function arrayTypeOf(value: Bytes): ArrayType | null {
  if (Buffer.isBuffer(value)) return 'Buffer';
  if (types.isDataView(value)) return 'DataView';
  if (types.isArrayBuffer(value)) return 'ArrayBuffer';
  const name: unknown = tagOf?.call(value);
  return KINDS.has(name as ArrayType) ? (name as ArrayType) : null;
}

/** @throws `RangeError` where the buffer has fewer bytes */
export function makeArray(
  type: ArrayType,
  buffer: ArrayBuffer,
  byteOffset: number,
  byteLength: number,
): Bytes {
  if (type === 'ArrayBuffer') return buffer;
  if (type === 'Buffer') return Buffer.from(buffer, byteOffset, byteLength);
  if (type === 'DataView') return new DataView(buffer, byteOffset, byteLength);
  const Kind = KINDS.get(type);
  if (Kind === undefined) throw new TypeError(`${type} is no kind of array that this Node.js has`);
  return new Kind(buffer, byteOffset, byteLength / Kind.BYTES_PER_ELEMENT);
}
