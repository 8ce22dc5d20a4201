/** A bound on waiting for work that cannot be stopped. */
import { errors } from './errors.ts';
import type { Outside } from './outside.ts';

export interface Deadline {
  readonly timeoutMs: number;
  /**
   * Waits for `work`, but no longer than `timeoutMs` and only while the signal is silent. Work that settles later
   * is ignored.
   *
   * @throws what `onTimeout` makes, or `ERR_ABORTED`
   */
  race(work: Promise<void>, onTimeout: () => Error): Promise<void>;
}

/** `during` names what is waited for, in the error of a signal that fires. */
export function createDeadline(
  timeoutMs: number,
  signal: AbortSignal,
  during: string,
  outside: Outside,
): Deadline {
  return {
    timeoutMs,
    race: (work, onTimeout) =>
      new Promise((resolve, reject) => {
        const onAbort = (): void => settle(() => reject(errors.aborted({ during }, signal.reason)));
        const cancel = outside.after(timeoutMs, () => settle(() => reject(onTimeout())));
        const settle = (finish: () => void): void => {
          cancel();
          signal.removeEventListener('abort', onAbort);
          finish();
        };
        if (signal.aborted) onAbort();
        else signal.addEventListener('abort', onAbort);
        work.then(
          () => settle(resolve),
          (error: unknown) => settle(() => reject(error)),
        );
      }),
  };
}
