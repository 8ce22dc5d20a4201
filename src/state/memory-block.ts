/**
 * Bytes of one size under one name: a mapping that versions, threads and processes can share, or memory of V8's own
 * where no array buffer may lie over any other.
 */
import { errors } from '../errors.ts';
import type { Native, NativeIoFailure } from '../native.ts';

/** Bytes to which memory is aligned; addon authors rely on it (`NAPI_RELOAD_ALIGNMENT`). */
const ALIGNMENT = 64;

/** What errors say of memory. */
export interface MemorySubject {
  readonly addon: string;
  readonly name: string;
}

export interface MemoryBlock {
  readonly bytes: number;
  /** A view of its own, over the same bytes as all the others. */
  view(): Uint8Array;
  /**
   * The same bytes with zeros behind them. This block stays good beside it.
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
  const buffer = native.memoryBuffer(handle, bytes);
  if (buffer !== null) return new MappedBlock(subject, bytes, native, handle, buffer);
  native.memoryClose(handle);
  return new UnmappedBlock(subject, bytes, native);
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

  grow(bytes: number): MemoryBlock {
    const failure = this.#native.memoryResize(this.#handle, bytes);
    if (failure !== null) throw unavailable(this.#subject, bytes, failure);
    return new MappedBlock(this.#subject, bytes, this.#native, this.#handle, this.#bufferOf(bytes));
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

/** Shared memory for the buffer: nobody can transfer it, which would take the only copy of the bytes away. */
class UnmappedBlock implements MemoryBlock {
  readonly bytes: number;
  readonly #subject: MemorySubject;
  readonly #native: Native;
  readonly #buffer: SharedArrayBuffer;
  readonly #offset: number;

  /** @throws `ERR_MEMORY_UNAVAILABLE` */
  constructor(subject: MemorySubject, bytes: number, native: Native) {
    this.bytes = bytes;
    this.#subject = subject;
    this.#native = native;
    this.#buffer = allocate(subject, bytes);
    const past = Number(native.addressOf(new Uint8Array(this.#buffer)) % BigInt(ALIGNMENT));
    this.#offset = (ALIGNMENT - past) % ALIGNMENT;
  }

  view(): Uint8Array {
    return new Uint8Array(this.#buffer, this.#offset, this.bytes);
  }

  grow(bytes: number): MemoryBlock {
    const grown = new UnmappedBlock(this.#subject, bytes, this.#native);
    grown.view().set(this.view());
    return grown;
  }

  /** What grew is a copy. */
  restore(): void {}

  close(): void {}
}

function allocate(subject: MemorySubject, bytes: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(bytes + ALIGNMENT);
  } catch (cause) {
    const failure = { operation: 'new SharedArrayBuffer', errno: 'ENOMEM' };
    throw errors.memoryUnavailable({ ...subject, wanted: bytes, ...failure }, cause);
  }
}

function unavailable(subject: MemorySubject, wanted: number, failure: NativeIoFailure): Error {
  const { operation, errno } = failure;
  return errors.memoryUnavailable({ ...subject, wanted, operation, errno });
}
