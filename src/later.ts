/**
 * Work that is done at once where it can be, and waited for where another thread or process does it.
 *
 * The steps of a switch are written once. Where nothing of them comes later, they run in one synchronous turn.
 */

/** What another thread or process will answer. No promise itself: a hook that returns one is refused. */
export class Later<T> {
  readonly promise: Promise<T>;

  constructor(promise: Promise<T>) {
    this.promise = promise;
  }
}

/** Work that may have to wait in between. */
export type Steps<T> = Generator<Promise<unknown>, T, unknown>;

/** Waits for what comes later; goes on at once with anything else. */
export function* settled<T>(value: T | Later<T>): Steps<T> {
  return value instanceof Later ? ((yield value.promise) as T) : value;
}

/**
 * @returns a promise only where a step had to wait
 * @throws what a step throws, as long as none had to wait
 */
export function runSteps<T>(steps: Steps<T>): T | Promise<T> {
  const first = steps.next();
  return first.done ? first.value : finish(steps, first.value);
}

async function finish<T>(steps: Steps<T>, first: Promise<unknown>): Promise<T> {
  let awaited = first;
  for (;;) {
    const step = await awaited.then(
      (value) => steps.next(value),
      (error: unknown) => steps.throw(error),
    );
    if (step.done) return step.value;
    awaited = step.value;
  }
}
