/** One job at a time; whatever is asked for meanwhile becomes one more, or one for each thing that is asked for. */
import { errors, isReloadError } from './errors.ts';

interface Job<Request, Result> {
  request: Request;
  readonly promise: Promise<Result>;
  resolve(result: Result | PromiseLike<Result>): void;
  reject(error: unknown): void;
}

/** What ends a job early: `build` by a newer change, `all` by the end of the queue. */
export interface JobSignals {
  readonly build: AbortSignal;
  readonly all: AbortSignal;
}

/** A controller that is made when somebody listens: most jobs build nothing, and making one takes 20 µs. */
class LazyAbort {
  #controller: AbortController | null = null;
  #reason: string | null = null;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason !== null) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  abort(reason: string): void {
    this.#reason ??= reason;
    this.#controller?.abort(reason);
  }
}

export interface JobQueueOptions<Request, Result> {
  /** What the refusal of a request says of whose queue it is. */
  readonly about: { readonly addon?: string };
  run(request: Request, signals: JobSignals): Promise<Result>;
  /** One request that stands for both; null where they are two things to do, one after the other. */
  merge(older: Request, newer: Request): Request | null;
}

/** Jobs that wait. Those that can be one are one, so that only somebody who asks in a loop comes near. */
const WAITING_MAX = 32;

export class JobQueue<Request, Result> {
  readonly #options: JobQueueOptions<Request, Result>;
  readonly #end = new AbortController();
  readonly #waiting: Job<Request, Result>[] = [];
  #running: Promise<void> | null = null;
  #build = new LazyAbort();

  constructor(options: JobQueueOptions<Request, Result>) {
    this.#options = options;
  }

  /** @throws `ERR_CLOSED` after `close()`, `ERR_BUSY` when too many wait, else what the job throws */
  push(request: Request): Promise<Result> {
    return this.#push(request, WAITING_MAX);
  }

  /** Like `push`, but never too late, and a build in flight is ended: what it builds is old already. */
  supersede(request: Request): Promise<Result> {
    const result = this.#push(request, Number.POSITIVE_INFINITY);
    // A job between the two wants what the one that runs comes to.
    if (this.#waiting.length === 1) this.#build.abort('a newer change');
    return result;
  }

  #push(request: Request, waitingMax: number): Promise<Result> {
    if (this.#end.signal.aborted) return Promise.reject(this.#closed());
    const last = this.#waiting.at(-1);
    const both = last === undefined ? null : this.#options.merge(last.request, request);
    if (last !== undefined && both !== null) {
      last.request = both;
      return last.promise;
    }
    if (this.#waiting.length >= waitingMax) return Promise.reject(this.#busy());
    const job = createJob<Request, Result>(request);
    this.#waiting.push(job);
    this.#running ??= this.#drain();
    return job.promise;
  }

  /** Ends the job that runs, refuses those that wait, and resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#end.abort('close');
    this.#build.abort('close');
    for (const job of this.#waiting.splice(0)) job.reject(this.#closed());
    await this.#running;
  }

  async #drain(): Promise<void> {
    // A listener of the first job may push again before `#running` is set: start after it is.
    await null;
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) {
      await this.#runJob(job);
    }
    this.#running = null;
  }

  async #runJob(job: Job<Request, Result>): Promise<void> {
    const build = new LazyAbort();
    this.#build = build;
    const all = this.#end.signal;
    const signals: JobSignals = {
      all,
      get build() {
        return build.signal;
      },
    };
    try {
      job.resolve(await this.#options.run(job.request, signals));
    } catch (error) {
      const aborted = isReloadError(error, 'ERR_ABORTED');
      if (aborted && all.aborted) job.reject(this.#closed());
      else if (!aborted || !this.#joinNext(job)) job.reject(error);
    }
  }

  /** A superseded job ends as the one that took its place. @returns false when none did */
  #joinNext(job: Job<Request, Result>): boolean {
    const [next] = this.#waiting;
    const both = next === undefined ? null : this.#options.merge(job.request, next.request);
    if (next === undefined || both === null) return false;
    next.request = both;
    job.resolve(next.promise);
    return true;
  }

  #busy(): Error {
    return errors.busy({ ...this.#options.about, reason: 'waiting', sharedWith: null });
  }

  #closed(): Error {
    return errors.closed({ ...this.#options.about, attempted: 'reload' });
  }
}

function createJob<Request, Result>(request: Request): Job<Request, Result> {
  let resolve!: Job<Request, Result>['resolve'];
  let reject!: Job<Request, Result>['reject'];
  const promise = new Promise<Result>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Whoever asked holds the promise; a watcher that asked does not, and hears of failures by event.
  promise.catch(() => undefined);
  return { request, promise, resolve, reject };
}
