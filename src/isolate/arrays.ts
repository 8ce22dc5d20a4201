/** How large arrays go to the other side without being copied through the line. */
import { types } from 'node:util';
import type { Native } from '../native.ts';
import { type Loan, isLoan } from './loan.ts';
import type { SegmentPool } from './segment-pool.ts';
import { SharedArrays } from './segments.ts';

/** One side's part in it. */
export class Arrays {
  readonly #shared: SharedArrays;

  /** @param send brings it to `receive` of the other side */
  constructor(addon: string, native: Native, send: (message: unknown) => void, pool?: SegmentPool) {
    this.#shared = new SharedArrays({ addon, native, send, ...(pool !== undefined && { pool }) });
  }

  /** Once the other side's messages are listened to. */
  start(): void {
    this.#shared.start();
  }

  /** What stands for an array in shared memory; null for one that is cloned. */
  lend(value: object): Loan | null {
    return types.isArrayBuffer(value) || ArrayBuffer.isView(value) ? this.#shared.lend(value) : null;
  }

  borrow(loan: unknown): unknown {
    return isLoan(loan) ? this.#shared.borrow(loan) : undefined;
  }

  /** It was not sent. */
  cancel(loan: unknown): void {
    if (isLoan(loan)) this.#shared.cancel(loan);
  }

  /** What the other side's part said. */
  receive(message: unknown): void {
    this.#shared.receive(message);
  }

  /** The other side has ended. */
  end(): void {
    this.#shared.peerGone();
    this.#shared.close();
  }
}
