/**
 * A mapping of shared memory, and the one array buffer over it that is alive.
 *
 * One, because V8 counts the bytes of each as its own, and since what comes back to a process is then the very buffer
 * that left it. There are two for the while between the collection of one and the word of it, and after
 * `ArrayBuffer.prototype.transfer`.
 */
import type { Native } from '../native.ts';

export class Mapping {
  readonly #native: Native;
  readonly #handle: object;
  readonly #onUnseen: () => void;
  #live: WeakRef<ArrayBuffer> | undefined;
  #buffers = 0;

  /** @param onUnseen from the event loop, when the last buffer was collected */
  constructor(native: Native, handle: object, onUnseen: () => void) {
    this.#native = native;
    this.#handle = handle;
    this.#onUnseen = onUnseen;
  }

  /** Whether JavaScript of this thread may still look at the bytes. */
  get isSeen(): boolean {
    return this.#buffers > 0;
  }

  /** Over the first bytes; all buffers at one time have as many. Null where V8 allows none. Not after `close`. */
  buffer(bytes: number): ArrayBuffer | null {
    const live = this.#live?.deref();
    if (live?.byteLength === bytes) return live;
    const made = this.#native.memoryBuffer(this.#handle, bytes, () => {
      this.#buffers--;
      if (!this.isSeen) this.#onUnseen();
    });
    if (made === null) return null;
    this.#buffers++;
    this.#live = new WeakRef(made);
    return made;
  }

  /** Buffers stay good. Safe to call twice. */
  close(): void {
    this.#native.memoryClose(this.#handle);
  }
}
