/** A bound on waiting for work that cannot be stopped. */
import { errors } from './errors.ts';
import type { Here } from './here.ts';

export interface Deadline {
  readonly timeoutMs: number;
  /**
   * Waits for `work`, but no longer than `timeoutMs` and only while the signal is silent.
   *
   * @throws what `onTimeout` makes, or `ERR_ABORTED`
   */
  race(work: Promise<void>, onTimeout: () => Error): Promise<void>;
}

export interface DeadlineOptions {
  readonly timeoutMs: number;
  /** Null where nothing but time ends the wait. */
  readonly signal: AbortSignal | null;
  /** What is waited for, in the error of a signal that fires. */
  readonly during: string;
}

/** @param onLate called when work that was given up settles after all, in whatever way */
export function createDeadline(
  { timeoutMs, signal, during }: DeadlineOptions,
  outside: Here,
  onLate: () => void = () => undefined,
): Deadline {
  return {
    timeoutMs,
    race: (work, onTimeout) =>
      new Promise((resolve, reject) => {
        let givenUp = false;
        const giveUp = (error: Error): void => {
          givenUp = true;
          settle(() => reject(error));
        };
        const onAbort = (): void => giveUp(errors.aborted({ during }, signal?.reason));
        const cancel = outside.after(timeoutMs, () => giveUp(onTimeout()));
        const settle = (finish: () => void): void => {
          cancel();
          signal?.removeEventListener('abort', onAbort);
          finish();
        };
        if (signal?.aborted) onAbort();
        else signal?.addEventListener('abort', onAbort);
        work.then(
          () => (givenUp ? onLate() : settle(resolve)),
          (error: unknown) => (givenUp ? onLate() : settle(() => reject(error))),
        );
      }),
  };
}
