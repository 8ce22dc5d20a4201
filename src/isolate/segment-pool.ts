/**
 * Shared memory of this thread, in segments: files without a name that other threads and processes map.
 *
 * A segment is in use while it is lent to somebody, or JavaScript here sees it. Then it is idle, and serves the next array
 * of its size: its pages are there already, which is most of the cost of a copy. What stays idle is closed.
 */
import type { Native } from '../native.ts';
import { Mapping } from './mapping.ts';

const IDLE_BYTES_MAX = 256 * 2 ** 20;
/** Each is a descriptor and a mapping. */
const SEGMENTS_MAX = 512;
/** A segment that was idle for one to two of these is closed. */
const IDLE_PERIOD_MS = 5_000;
const SEGMENT_BYTES_MIN = 64 * 2 ** 10;
/** Sizes of segments between one power of two and the next. */
const STEPS = 4;

export interface SegmentPoolOptions {
  readonly native: Native;
  /** @defaultValue 256 MiB */
  readonly idleBytesMax?: number;
  /** @defaultValue 512 */
  readonly segmentsMax?: number;
  /** Calls back once, without keeping the process alive. @defaultValue a timer */
  readonly after?: (delayMs: number, callback: () => void) => void;
}

export interface SegmentPoolStats {
  readonly segments: number;
  readonly bytes: number;
  readonly idleBytes: number;
}

export class Segment {
  readonly id: number;
  readonly path: string;
  /** Of the file. */
  readonly fileBytes: number;
  readonly mapping: Mapping;
  readonly handle: object;
  /** Of what it holds now. */
  bytes = 0;
  loans = 0;
  /** Nobody has written to it. */
  isFresh = true;
  /** Somebody who may still write to it has been cut off: it is never used again. */
  isTainted = false;
  /** Idle for a period already. */
  isOld = false;

  constructor(id: number, path: string, fileBytes: number, handle: object, mapping: Mapping) {
    this.id = id;
    this.path = path;
    this.fileBytes = fileBytes;
    this.handle = handle;
    this.mapping = mapping;
  }
}

export class SegmentPool {
  readonly #options: Required<SegmentPoolOptions>;
  readonly #segments = new Map<number, Segment>();
  /** The one that is idle for the longest time first. */
  readonly #idle: Segment[] = [];
  readonly #byBuffer = new WeakMap<ArrayBuffer, Segment>();
  readonly #onClosed = new Set<(id: number) => void>();
  #lastId = 0;
  #isWaiting = false;
  #isClosed = false;

  constructor(options: SegmentPoolOptions) {
    const after = (delayMs: number, callback: () => void): void => void setTimeout(callback, delayMs).unref();
    this.#options = { idleBytesMax: IDLE_BYTES_MAX, segmentsMax: SEGMENTS_MAX, after, ...options };
  }

  /** A segment for so many bytes, lent once; what is in it is anything. Null where there is none to be had. */
  take(bytes: number): Segment | null {
    const fileBytes = sizeFor(bytes);
    const at = this.#idle.findLastIndex((segment) => segment.fileBytes === fileBytes);
    const segment = at === -1 ? this.#create(fileBytes) : this.#idle.splice(at, 1)[0];
    if (!segment) return null;
    segment.bytes = bytes;
    segment.loans = 1;
    return segment;
  }

  get(id: number): Segment | undefined {
    return this.#segments.get(id);
  }

  /** Of a buffer that `view` gave, unless the pool is closed. */
  segmentOf(buffer: ArrayBuffer): Segment | undefined {
    return this.#isClosed ? undefined : this.#byBuffer.get(buffer);
  }

  /** What a segment in use holds; null where V8 allows no buffer over it. It is in use as long as that is seen. */
  view(segment: Segment): ArrayBuffer | null {
    const buffer = segment.mapping.buffer(segment.bytes);
    if (buffer !== null) this.#byBuffer.set(buffer, segment);
    segment.isFresh = false;
    return buffer;
  }

  /** Copies to a segment. False when the system has no memory for it. */
  write(segment: Segment, bytes: Uint8Array): boolean {
    segment.isFresh = false;
    return this.#options.native.memoryWrite(segment.handle, bytes) === null;
  }

  /** One loan less. */
  giveBack(segment: Segment): void {
    segment.loans--;
    this.#settle(segment);
  }

  /** Bytes that are 0; ordinary ones where there is no shared memory. */
  allocate(byteLength: number): ArrayBuffer {
    const segment = Number.isSafeInteger(byteLength) && byteLength > 0 ? this.take(byteLength) : null;
    if (segment === null) return new ArrayBuffer(byteLength);
    const wasFresh = segment.isFresh;
    const buffer = this.view(segment);
    this.giveBack(segment);
    if (buffer === null) return new ArrayBuffer(byteLength);
    if (!wasFresh) new Uint8Array(buffer).fill(0);
    return buffer;
  }

  /** Tells of each segment that is closed before the pool is. @returns what ends that */
  onClosed(listener: (id: number) => void): () => void {
    this.#onClosed.add(listener);
    return () => this.#onClosed.delete(listener);
  }

  stats(): SegmentPoolStats {
    return {
      segments: this.#segments.size,
      bytes: total(this.#segments.values()),
      idleBytes: total(this.#idle),
    };
  }

  /** Closes all files at once. Bytes that are seen, here or elsewhere, stay until they are not. Safe to call twice. */
  close(): void {
    this.#isClosed = true;
    for (const segment of this.#segments.values()) segment.mapping.close();
    this.#segments.clear();
    this.#idle.length = 0;
  }

  #create(fileBytes: number): Segment | null {
    const { native, segmentsMax } = this.#options;
    if (this.#isClosed) return null;
    if (this.#segments.size >= segmentsMax && !this.#closeOldest()) return null;
    const created = native.memoryCreate('array', fileBytes, false);
    if (!created.ok) return null;
    const { handle } = created;
    const path = native.memoryPath(handle);
    if (path === null) {
      native.memoryClose(handle);
      return null;
    }
    const mapping = new Mapping(native, handle, () => this.#settle(segment));
    const segment = new Segment(++this.#lastId, path, fileBytes, handle, mapping);
    this.#segments.set(segment.id, segment);
    return segment;
  }

  #settle(segment: Segment): void {
    if (this.#isClosed || segment.loans > 0 || segment.mapping.isSeen) return;
    const { idleBytesMax } = this.#options;
    if (segment.isTainted || segment.fileBytes > idleBytesMax) {
      this.#close(segment);
      return;
    }
    while (total(this.#idle) + segment.fileBytes > idleBytesMax) this.#closeOldest();
    segment.isOld = false;
    this.#idle.push(segment);
    this.#wait();
  }

  #wait(): void {
    if (this.#isWaiting || this.#idle.length === 0) return;
    this.#isWaiting = true;
    this.#options.after(IDLE_PERIOD_MS, () => {
      this.#isWaiting = false;
      while (this.#idle[0]?.isOld) this.#closeOldest();
      for (const segment of this.#idle) segment.isOld = true;
      this.#wait();
    });
  }

  /** False when none is idle. */
  #closeOldest(): boolean {
    const segment = this.#idle.shift();
    if (segment !== undefined) this.#close(segment);
    return segment !== undefined;
  }

  #close(segment: Segment): void {
    this.#segments.delete(segment.id);
    segment.mapping.close();
    for (const listener of this.#onClosed) listener(segment.id);
  }
}

function sizeFor(bytes: number): number {
  const wanted = Math.max(bytes, SEGMENT_BYTES_MIN);
  const step = 2 ** Math.floor(Math.log2(wanted)) / STEPS;
  return Math.ceil(wanted / step) * step;
}

function total(segments: Iterable<Segment>): number {
  let bytes = 0;
  for (const { fileBytes } of segments) bytes += fileBytes;
  return bytes;
}
