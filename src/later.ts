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

/** A rest before another look at what does not tell when it is ready. */
export class Rest {
  readonly ms: number;
  /** Settles when it is over, where nobody has to wait in place. */
  readonly begin: () => Promise<void>;

  constructor(ms: number, begin: () => Promise<void>) {
    this.ms = ms;
    this.begin = begin;
  }
}

/** Work that may have to wait in between. */
export type Steps<T> = Generator<Promise<unknown> | Rest, T, unknown>;

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

/**
 * Does all of it before it returns, for whoever cannot come back later. A rest stops this thread, and what comes later is
 * not waited for: nothing but the end of what was refused may do so here.
 *
 * @throws what a step throws
 */
export function runNow<T>(steps: Steps<T>): T {
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done) return step.value;
    if (step.value instanceof Rest)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, step.value.ms);
    else step.value.catch(() => undefined);
  }
}

async function finish<T>(steps: Steps<T>, first: Promise<unknown> | Rest): Promise<T> {
  let awaited = first;
  for (;;) {
    const waited = awaited instanceof Rest ? awaited.begin() : awaited;
    const step = await waited.then(
      (value) => steps.next(value),
      (error: unknown) => steps.throw(error),
    );
    if (step.done) return step.value;
    awaited = step.value;
  }
}
