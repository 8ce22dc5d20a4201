/**
 * Large arrays that two sides share, a process and its child or two threads, instead of sending copies of them.
 *
 * What is lent is shared, not cloned, as an argument of an inline call is: each side sees what the other one writes, for
 * as long as it has the array. An ordinary array is copied once for each loan, and what its lender writes to it later is
 * not seen. An array that came from the other side, or from `allocate`, is lent as it is.
 *
 * Invariants:
 * 1. A segment is used for other bytes only when no loan of it is out, and nobody here sees it.
 * 2. A borrower says that it needs a loan no more when nobody there sees the bytes, and it has lent them to nobody. It
 *    holds one loan of a segment; of those that come on top it says so at once.
 * 3. The owner of a segment, to whom it is lent back, says so at once: it counts for itself who sees it.
 *
 * Messages may cross and be late, but none may be lost: what was lent stays in use until it is said to be released.
 */
import { types } from 'node:util';
import type { Native } from '../native.ts';
import { arrayTypeOf, type Bytes, makeArray } from './array-types.ts';
import { type BorrowedSegment, BorrowedSegments, unavailable } from './borrowed-segments.ts';
import { isSegmentMessage, type Loan, type SegmentMessage } from './loan.ts';
import { Segment, SegmentPool, type SegmentPoolStats } from './segment-pool.ts';

/** Where a loan begins to be cheaper than a pipe: 64 KiB there and back take 0.3 ms either way, 256 KiB 0.2 against 0.7. */
const THRESHOLD_BYTES = 128 * 2 ** 10;

export interface SharedArraysOptions {
  /** What errors say. */
  readonly addon: string;
  readonly native: Native;
  /** Brings it to `receive` of the other side. Does not throw. */
  send(message: SegmentMessage): void;
  /** Ordinary arrays of fewer bytes are not lent. @defaultValue 128 KiB */
  readonly thresholdBytes?: number;
  /** May serve several peers; then an array from `allocate` is lent to each of them. @defaultValue one of its own */
  readonly pool?: SegmentPool;
}

export interface SharedArraysStats extends SegmentPoolStats {
  /** Loans to the other side. */
  readonly lent: number;
  /** Segments of the other side that are mapped here. */
  readonly borrowed: number;
}

export class SharedArrays {
  readonly #options: SharedArraysOptions;
  readonly #pool: SegmentPool;
  readonly #stopListening: () => void;
  readonly #loans = new Map<number, Segment | BorrowedSegment>();
  readonly #borrowed: BorrowedSegments;
  /** Segments of ours that the other side may have mapped. */
  readonly #known = new Set<number>();
  #lastLoan = 0;
  readonly #released: number[] = [];
  readonly #closed: number[] = [];
  #isFlushing = false;
  #greeting: Segment | null = null;
  #state: 'new' | 'sharing' | 'over' = 'new';

  constructor(options: SharedArraysOptions) {
    this.#options = options;
    this.#pool = options.pool ?? new SegmentPool(options);
    const release = (loan: number): void => this.#tell(this.#released, loan);
    this.#borrowed = new BorrowedSegments({ addon: options.addon, native: options.native, release });
    this.#stopListening = this.#pool.onClosed((id) => {
      if (this.#known.delete(id)) this.#tell(this.#closed, id);
    });
  }

  /** Asks the other side whether it can open what we lend; nothing is lent before it has answered. Once, on each side. */
  start(): void {
    const segment = this.#pool.take(1);
    if (segment === null) return;
    this.#greeting = segment;
    this.#options.send({ kind: 'segments-hello', path: segment.path, bytes: segment.fileBytes });
  }

  /**
   * Send it, and nothing instead of it: a loan that does not arrive is taken back by `cancel`.
   *
   * @returns null for what is sent as it is: a small array, one over a `SharedArrayBuffer` or a resizable buffer, or where
   *   no memory can be shared
   */
  lend(array: Bytes): Loan | null {
    if (this.#state !== 'sharing') return null;
    const type = arrayTypeOf(array);
    const buffer = ArrayBuffer.isView(array) ? array.buffer : array;
    if (type === null || !isPlain(buffer)) return null;
    const byteOffset = ArrayBuffer.isView(array) ? array.byteOffset : 0;
    const { byteLength } = array;
    const segment = this.#lendAgain(buffer);
    if (segment !== null) return this.#record(segment, { type, byteOffset, byteLength });
    if (byteLength < (this.#options.thresholdBytes ?? THRESHOLD_BYTES)) return null;
    const copy = this.#copy(new Uint8Array(buffer, byteOffset, byteLength));
    return copy && this.#record(copy, { type, byteOffset: 0, byteLength });
  }

  /** A loan of ours was not sent. */
  cancel(loan: Loan): void {
    this.#end(loan.loan);
  }

  /**
   * The array that was lent, over the same bytes. Once for each loan that arrived.
   *
   * @throws `ERR_MEMORY_UNAVAILABLE`
   */
  borrow(loan: Loan): Bytes {
    const buffer = loan.owner === 'borrower' ? this.#takeHome(loan) : this.#borrowed.map(loan);
    return makeArray(loan.type, buffer, loan.byteOffset, loan.byteLength);
  }

  /** A loan arrived that nobody will borrow. */
  decline(loan: Loan): void {
    this.#tell(this.#released, loan.loan);
  }

  /** @returns whether the message was one of ours */
  receive(message: unknown): boolean {
    if (!isSegmentMessage(message)) return false;
    if (this.#state === 'over') return true;
    if (message.kind === 'segments-hello') this.#answer(message.path, message.bytes);
    else if (message.kind === 'segments-answer') this.#begin(message.opens);
    else if (message.kind === 'segments-released') for (const loan of message.loans) this.#end(loan);
    else for (const id of message.segments) this.#borrowed.forget(id);
    return true;
  }

  /** Bytes that are 0 and can be lent without a copy; ordinary ones where no memory can be shared. */
  allocate(byteLength: number): ArrayBuffer {
    return this.#pool.allocate(byteLength);
  }

  stats(): SharedArraysStats {
    return { ...this.#pool.stats(), lent: this.#loans.size, borrowed: this.#borrowed.size };
  }

  /**
   * The other side has ended, or nobody can reach it: all that was lent to it counts as returned, though it is never used
   * for other bytes. Arrays of either side stay good here. Nothing is lent or borrowed any more. Safe to call twice.
   */
  peerGone(): void {
    this.#state = 'over';
    this.#stopListening();
    this.#begin(false);
    for (const place of this.#loans.values()) {
      if (place instanceof Segment) place.isTainted = true;
    }
    for (const loan of [...this.#loans.keys()]) this.#end(loan);
    this.#borrowed.close();
  }

  /** As `peerGone`, and closes the pool unless it was given. Safe to call twice. */
  close(): void {
    this.peerGone();
    if (this.#options.pool === undefined) this.#pool.close();
  }

  #copy(bytes: Uint8Array): Segment | null {
    const segment = this.#pool.take(bytes.byteLength);
    if (segment === null || this.#pool.write(segment, bytes)) return segment;
    segment.isTainted = true;
    this.#pool.giveBack(segment);
    return null;
  }

  /** Whose bytes lie in a segment already; null when they do not. */
  #lendAgain(buffer: ArrayBuffer): Segment | BorrowedSegment | null {
    // Its bytes may have been transferred.
    if (buffer.byteLength === 0) return null;
    const own = this.#pool.segmentOf(buffer);
    if (own !== undefined) own.loans++;
    const borrowed = this.#borrowed.segmentOf(buffer);
    if (borrowed !== undefined) borrowed.lentBack++;
    return own ?? borrowed ?? null;
  }

  #record(place: Segment | BorrowedSegment, what: Pick<Loan, 'type' | 'byteOffset' | 'byteLength'>): Loan {
    const loan = ++this.#lastLoan;
    this.#loans.set(loan, place);
    const isOwn = place instanceof Segment;
    const { id: segment, path, fileBytes: segmentBytes, bytes: bufferBytes } = place;
    if (isOwn) this.#known.add(segment);
    return { loan, owner: isOwn ? 'lender' : 'borrower', segment, path, segmentBytes, bufferBytes, ...what };
  }

  #end(loan: number): void {
    const place = this.#loans.get(loan);
    this.#loans.delete(loan);
    if (place instanceof Segment) this.#pool.giveBack(place);
    else if (place !== undefined) this.#borrowed.arrived(place);
  }

  #takeHome(loan: Loan): ArrayBuffer {
    const segment = this.#pool.get(loan.segment);
    const buffer = segment === undefined ? null : this.#pool.view(segment);
    this.#tell(this.#released, loan.loan);
    if (buffer === null) throw unavailable(this.#options, loan, 'lend', 'ESTALE');
    return buffer;
  }

  #answer(path: string, bytes: number): void {
    const { native, send } = this.#options;
    const opened = native.memoryOpen(path, bytes);
    const opens = opened.ok && native.memoryBuffer(opened.handle, bytes) !== null;
    if (opened.ok) native.memoryClose(opened.handle);
    send({ kind: 'segments-answer', opens });
  }

  #begin(opens: boolean): void {
    if (this.#greeting === null) return;
    this.#pool.giveBack(this.#greeting);
    this.#greeting = null;
    if (opens) this.#state = 'sharing';
  }

  /** In one message for all of a turn. */
  #tell(list: number[], id: number): void {
    if (this.#state === 'over') return;
    list.push(id);
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    const { send } = this.#options;
    const loans = this.#released.splice(0);
    const segments = this.#closed.splice(0);
    this.#isFlushing = false;
    if (this.#state === 'over') return;
    if (loans.length > 0) send({ kind: 'segments-released', loans });
    if (segments.length > 0) send({ kind: 'segments-closed', segments });
  }
}

/** Whether it has bytes that are its own, and all of them for good. */
function isPlain(buffer: ArrayBufferLike): buffer is ArrayBuffer {
  return types.isArrayBuffer(buffer) && Reflect.get(buffer, 'resizable') !== true;
}
