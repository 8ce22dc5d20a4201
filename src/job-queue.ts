/** One job at a time; whatever is asked for meanwhile becomes one more. */
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
  /** One request that stands for both. */
  merge(older: Request, newer: Request): Request;
}

export class JobQueue<Request, Result> {
  readonly #options: JobQueueOptions<Request, Result>;
  readonly #end = new AbortController();
  #pending: Job<Request, Result> | null = null;
  #running: Promise<void> | null = null;
  #build = new LazyAbort();

  constructor(options: JobQueueOptions<Request, Result>) {
    this.#options = options;
  }

  /** @throws `ERR_CLOSED` after `close()`, else what the job throws */
  push(request: Request): Promise<Result> {
    if (this.#end.signal.aborted) return Promise.reject(this.#closed());
    if (this.#pending === null) this.#pending = createJob(request);
    else this.#pending.request = this.#options.merge(this.#pending.request, request);
    const { promise } = this.#pending;
    this.#running ??= this.#drain();
    return promise;
  }

  /** Like `push`, and a build in flight is ended: what it builds is old already. */
  supersede(request: Request): Promise<Result> {
    const result = this.push(request);
    if (this.#pending !== null) this.#build.abort('a newer change');
    return result;
  }

  /** Ends the job that runs, refuses the one that waits, and resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#end.abort('close');
    this.#build.abort('close');
    this.#pending?.reject(this.#closed());
    this.#pending = null;
    await this.#running;
  }

  async #drain(): Promise<void> {
    // A listener of the first job may push again before `#running` is set: start after it is.
    await null;
    for (let job = this.#take(); job !== null; job = this.#take()) await this.#runJob(job);
    this.#running = null;
  }

  #take(): Job<Request, Result> | null {
    const job = this.#pending;
    this.#pending = null;
    return job;
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
      else if (aborted && this.#pending !== null) this.#joinPending(job, this.#pending);
      else job.reject(error);
    }
  }

  /** A superseded job ends as the one that took its place. */
  #joinPending(job: Job<Request, Result>, next: Job<Request, Result>): void {
    next.request = this.#options.merge(job.request, next.request);
    job.resolve(next.promise);
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
