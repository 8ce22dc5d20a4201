/**
 * Bytes of one size under one name: a mapping that versions, threads and processes can share, or memory of V8's own
 * where no array buffer may lie over any other.
 */
import { errors } from '../errors.ts';
import type { Native, NativeIoFailure } from '../native.ts';

/** Bytes to which memory is aligned; addon authors rely on it (`NAPI_RELOAD_ALIGNMENT`). */
const ALIGNMENT = 64;
/** Addresses that are kept free behind a shared buffer, as native/memory.cc does behind a mapping. */
const ROOM_TIMES = 16;
const ROOM_BYTES_MIN = 2 ** 30;

/** What errors say of memory. */
export interface MemorySubject {
  readonly addon: string;
  readonly name: string;
}

/** Where another thread or process finds the bytes of a block; good until that is closed. See memory-view.ts. */
export interface MemoryFile {
  readonly path: string;
  readonly bytes: number;
}

export interface MemoryBlock {
  readonly bytes: number;
  /** A view of its own, over the same bytes as all the others. */
  view(): Uint8Array;
  /** Null where the bytes are V8's own. A block that grew has a file of more bytes, which is opened anew. */
  file(): MemoryFile | null;
  /**
   * The same bytes with zeros behind them. This block, and its views, stay good beside it.
   *
   * @throws `ERR_MEMORY_UNAVAILABLE`
   */
  grow(bytes: number): MemoryBlock;
  /** Takes back what `grow` added. */
  restore(): void;
  /** Lets go of the bytes, which stay as long as there is a view. */
  close(): void;
}

/** @throws `ERR_MEMORY_UNAVAILABLE` */
export function createMemoryBlock(subject: MemorySubject, bytes: number, native: Native): MemoryBlock {
  const created = native.memoryCreate(subject.name, bytes);
  if (!created.ok) throw unavailable(subject, bytes, created);
  const { handle } = created;
  const buffer = bufferOrNull(subject, bytes, native, handle, () => native.memoryClose(handle));
  if (buffer !== null) return new MappedBlock(subject, bytes, native, handle, buffer);
  native.memoryClose(handle);
  return createSharedBlock(subject, bytes, native);
}

/**
 * Takes back what was done for it where there is no memory for the buffer itself.
 *
 * @throws `ERR_MEMORY_UNAVAILABLE`
 */
function bufferOrNull(
  subject: MemorySubject,
  bytes: number,
  native: Native,
  handle: object,
  undo: () => void,
): ArrayBuffer | null {
  try {
    return native.memoryBuffer(handle, bytes);
  } catch (cause) {
    undo();
    const operation = 'napi_create_external_arraybuffer';
    throw errors.memoryUnavailable({ ...subject, wanted: bytes, operation, errno: 'ENOMEM' }, cause);
  }
}

class MappedBlock implements MemoryBlock {
  readonly bytes: number;
  readonly #subject: MemorySubject;
  readonly #native: Native;
  readonly #handle: object;
  /** One for all views: V8 counts the bytes of each as its own. */
  #buffer: ArrayBuffer;

  constructor(subject: MemorySubject, bytes: number, native: Native, handle: object, buffer: ArrayBuffer) {
    this.bytes = bytes;
    this.#subject = subject;
    this.#native = native;
    this.#handle = handle;
    this.#buffer = buffer;
  }

  view(): Uint8Array {
    // Somebody has transferred the buffer. The bytes are still where they were.
    if (this.#buffer.byteLength === 0) this.#buffer = this.#bufferOf(this.bytes);
    return new Uint8Array(this.#buffer);
  }

  file(): MemoryFile | null {
    const path = this.#native.memoryPath(this.#handle);
    return path === null ? null : { path, bytes: this.bytes };
  }

  grow(bytes: number): MemoryBlock {
    const [subject, native, handle] = [this.#subject, this.#native, this.#handle];
    const failure = native.memoryResize(handle, bytes);
    if (failure !== null) throw unavailable(subject, bytes, failure);
    const buffer = bufferOrNull(subject, bytes, native, handle, () => this.restore());
    return new MappedBlock(subject, bytes, native, handle, buffer ?? this.#bufferOf(bytes));
  }

  restore(): void {
    this.#native.memoryResize(this.#handle, this.bytes);
  }

  close(): void {
    this.#native.memoryClose(this.#handle);
  }

  #bufferOf(bytes: number): ArrayBuffer {
    const buffer = this.#native.memoryBuffer(this.#handle, bytes);
    if (buffer === null) throw new TypeError('V8 has allowed an external buffer before, and does not now');
    return buffer;
  }
}

/**
 * A shared buffer, which nobody can transfer: that would take the only copy of the bytes away. It grows where it is, and
 * never shrinks; how much of it counts is a block's own account.
 */
class SharedBlock implements MemoryBlock {
  readonly bytes: number;
  readonly #subject: MemorySubject;
  readonly #buffer: SharedArrayBuffer;
  readonly #offset: number;

  constructor(subject: MemorySubject, bytes: number, buffer: SharedArrayBuffer, offset: number) {
    this.bytes = bytes;
    this.#subject = subject;
    this.#buffer = buffer;
    this.#offset = offset;
  }

  view(): Uint8Array {
    return new Uint8Array(this.#buffer, this.#offset, this.bytes);
  }

  file(): null {
    return null;
  }

  grow(bytes: number): MemoryBlock {
    const buffer = this.#buffer;
    const before = buffer.byteLength;
    allocating(this.#subject, bytes, 'SharedArrayBuffer.grow', () => {
      if (before < bytes + ALIGNMENT) buffer.grow(bytes + ALIGNMENT);
    });
    // Who grew it and was refused may have written there.
    new Uint8Array(buffer).fill(0, this.#offset + this.bytes, Math.min(before, this.#offset + bytes));
    return new SharedBlock(this.#subject, bytes, buffer, this.#offset);
  }

  restore(): void {}

  close(): void {}
}

/** With room to grow, or without any where V8 does not reserve so many addresses. */
function createSharedBlock(subject: MemorySubject, bytes: number, native: Native): MemoryBlock {
  const needed = bytes + ALIGNMENT;
  const room = needed + Math.max(ROOM_TIMES * bytes, ROOM_BYTES_MIN);
  const allocate = (maxByteLength: number): SharedArrayBuffer =>
    allocating(
      subject,
      bytes,
      'new SharedArrayBuffer',
      () => new SharedArrayBuffer(needed, { maxByteLength }),
    );
  let buffer: SharedArrayBuffer;
  try {
    buffer = allocate(room);
  } catch {
    buffer = allocate(needed);
  }
  const past = Number(native.addressOf(new Uint8Array(buffer)) % BigInt(ALIGNMENT));
  return new SharedBlock(subject, bytes, buffer, (ALIGNMENT - past) % ALIGNMENT);
}

function allocating<R>(subject: MemorySubject, wanted: number, operation: string, allocate: () => R): R {
  try {
    return allocate();
  } catch (cause) {
    throw errors.memoryUnavailable({ ...subject, wanted, operation, errno: 'ENOMEM' }, cause);
  }
}

/** For a call of the shim that failed. */
export function unavailable(subject: MemorySubject, wanted: number, failure: NativeIoFailure): Error {
  const { operation, errno } = failure;
  return errors.memoryUnavailable({ ...subject, wanted, operation, errno });
}
