/** How large arrays go to the other side without being copied through the line. */

/** One side's part in it. */
export interface ArrayLender {
  /** What stands for an array in shared memory; null for one that is cloned. */
  lend(value: object): unknown;
  borrow(loan: unknown): unknown;
  /** What the other side's lender said. */
  receive(message: unknown): void;
}

/** For threads and platforms that clone everything. */
export const noArrays: ArrayLender = {
  lend: () => null,
  borrow: () => undefined,
  receive: () => undefined,
};
