/** Segments of another thread or process, as they are mapped here, and the loans for which that keeps them. */
import { errors } from '../errors.ts';
import type { Native } from '../native.ts';
import type { Loan } from './loan.ts';
import { Mapping } from './mapping.ts';

export interface BorrowedSegmentsOptions {
  /** What errors say. */
  readonly addon: string;
  readonly native: Native;
  /** Tells the owner that a loan of its is needed no more. */
  release(loan: number): void;
}

/** It stays mapped until its owner has closed it, so that its next loan costs no mapping. */
export interface BorrowedSegment {
  readonly id: number;
  readonly path: string;
  readonly fileBytes: number;
  readonly mapping: Mapping;
  /** Of what it holds now. */
  bytes: number;
  /** The loan that keeps it in use; null when nobody needs one. */
  held: number | null;
  /** Loans of it back to its owner that have not arrived there. */
  lentBack: number;
}

export class BorrowedSegments {
  readonly #options: BorrowedSegmentsOptions;
  readonly #segments = new Map<number, BorrowedSegment>();
  readonly #byBuffer = new WeakMap<ArrayBuffer, BorrowedSegment>();
  #isClosed = false;

  constructor(options: BorrowedSegmentsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#segments.size;
  }

  /**
   * What a segment holds. The loan is released when nobody sees it; at once where another one keeps the segment in use, or
   * when this fails.
   *
   * @throws `ERR_MEMORY_UNAVAILABLE`
   */
  map(loan: Loan): ArrayBuffer {
    try {
      const segment = this.#segments.get(loan.segment) ?? this.#open(loan);
      const buffer = segment.mapping.buffer(loan.bufferBytes);
      if (buffer === null)
        throw unavailable(this.#options, loan, 'napi_create_external_arraybuffer', 'EOPNOTSUPP');
      this.#byBuffer.set(buffer, segment);
      segment.bytes = loan.bufferBytes;
      if (segment.held === null) segment.held = loan.loan;
      else this.#options.release(loan.loan);
      return buffer;
    } catch (error) {
      this.#options.release(loan.loan);
      throw error;
    }
  }

  /** Of a buffer that `map` gave. */
  segmentOf(buffer: ArrayBuffer): BorrowedSegment | undefined {
    return this.#byBuffer.get(buffer);
  }

  /** A loan back to the owner has arrived there, or was not sent. */
  arrived(segment: BorrowedSegment): void {
    segment.lentBack--;
    this.#settle(segment);
  }

  /** Its owner has closed it. */
  forget(id: number): void {
    this.#segments.get(id)?.mapping.close();
    this.#segments.delete(id);
  }

  /** Buffers stay good. Safe to call twice. */
  close(): void {
    this.#isClosed = true;
    for (const id of [...this.#segments.keys()]) this.forget(id);
  }

  #open(loan: Loan): BorrowedSegment {
    const { native } = this.#options;
    if (this.#isClosed) throw unavailable(this.#options, loan, 'open', 'ECANCELED');
    const { segment: id, path, segmentBytes: fileBytes, bufferBytes: bytes } = loan;
    const opened = native.memoryOpen(path, fileBytes);
    if (!opened.ok) throw unavailable(this.#options, loan, opened.operation, opened.errno);
    const mapping = new Mapping(native, opened.handle, () => this.#settle(segment));
    const segment: BorrowedSegment = { id, path, fileBytes, mapping, bytes, held: null, lentBack: 0 };
    this.#segments.set(id, segment);
    return segment;
  }

  #settle(segment: BorrowedSegment): void {
    if (segment.held === null || segment.lentBack > 0 || segment.mapping.isSeen) return;
    this.#options.release(segment.held);
    segment.held = null;
  }
}

/** For a loan that cannot be borrowed. */
export function unavailable(
  { addon }: { readonly addon: string },
  loan: Loan,
  operation: string,
  errno: string,
): Error {
  return errors.memoryUnavailable({ addon, name: loan.type, wanted: loan.byteLength, operation, errno });
}
