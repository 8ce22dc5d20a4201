/** What two sides that share arrays tell each other. */
import type { ArrayType } from './array-types.ts';

/** An array that is lent: all that the other side needs to see its bytes. It can be cloned, and sent once. */
export interface Loan {
  /** By which the lender knows it. */
  readonly loan: number;
  /** Whose the segment is. */
  readonly owner: 'lender' | 'borrower';
  /** Of the segment, among those of its owner. */
  readonly segment: number;
  readonly path: string;
  /** Of the file. */
  readonly segmentBytes: number;
  /** Of the buffer under the array, which begins where the segment does. */
  readonly bufferBytes: number;
  readonly type: ArrayType;
  readonly byteOffset: number;
  readonly byteLength: number;
}

export type SegmentMessage =
  /** Try to open this. */
  | { readonly kind: 'segments-hello'; readonly path: string; readonly bytes: number }
  /** Whether that went well. */
  | { readonly kind: 'segments-answer'; readonly opens: boolean }
  /** Loans that the borrower needs no more. */
  | { readonly kind: 'segments-released'; readonly loans: readonly number[] }
  /** Segments of the sender that it has closed. None of them is lent. */
  | { readonly kind: 'segments-closed'; readonly segments: readonly number[] };

type Shape = Readonly<Record<string, 'string' | 'number' | 'boolean' | 'numbers'>>;

const MESSAGES: Readonly<Record<SegmentMessage['kind'], Shape>> = {
  'segments-hello': { path: 'string', bytes: 'number' },
  'segments-answer': { opens: 'boolean' },
  'segments-released': { loans: 'numbers' },
  'segments-closed': { segments: 'numbers' },
};

const LOAN: Shape = {
  loan: 'number',
  owner: 'string',
  segment: 'number',
  path: 'string',
  segmentBytes: 'number',
  bufferBytes: 'number',
  type: 'string',
  byteOffset: 'number',
  byteLength: 'number',
};

export function isSegmentMessage(message: unknown): message is SegmentMessage {
  if (typeof message !== 'object' || message === null) return false;
  const kind: unknown = Reflect.get(message, 'kind');
  const shape =
    typeof kind === 'string' && Object.hasOwn(MESSAGES, kind) ? Reflect.get(MESSAGES, kind) : null;
  return shape !== null && hasShape(message, shape as Shape);
}

export function isLoan(value: unknown): value is Loan {
  return typeof value === 'object' && value !== null && hasShape(value, LOAN);
}

function hasShape(value: object, shape: Shape): boolean {
  return Object.entries(shape).every(([name, type]) => {
    const found: unknown = Reflect.get(value, name);
    if (type !== 'numbers') return typeof found === type;
    return Array.isArray(found) && found.every((item) => typeof item === 'number');
  });
}
