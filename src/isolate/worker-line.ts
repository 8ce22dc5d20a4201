/** A host that is a thread of this process. */
import { MessageChannel, type MessagePort, type ResourceLimits, Worker } from 'node:worker_threads';
import { Arrays } from './arrays.ts';
import { Inbox } from './inbox.ts';
import { HOST_PROGRAM } from './host-program.ts';
import type { WorkerData } from './host-main.ts';
import type { FromHost, MemoryAnswer, MemoryAsk, ToHost } from './messages.ts';
import { isMessage } from './port.ts';
import type { HostEnd, Line, LineOptions } from './line.ts';

export interface WorkerOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly execArgv: readonly string[];
  readonly resourceLimits: ResourceLimits;
}

/** Native code that never returns cannot be ended: its thread is left to itself. */
const KILL_WAIT_MS = 1_000;
/** So long may the program of a host take to load, on a machine under load; a preload that hangs takes longer. */
const LOAD_WAIT_MS = 10_000;

export function startWorker(options: WorkerOptions, shared: LineOptions): Line {
  return new WorkerLine(options, shared);
}

class WorkerLine implements Line {
  readonly #worker: Worker;
  readonly #memory: MessagePort;
  readonly #answers = new Int32Array(new SharedArrayBuffer(4));
  readonly #listeners = new Set<(end: HostEnd) => void>();
  readonly #inbox = new Inbox();
  readonly #makeArrays: () => Arrays;
  arrays: Arrays;
  #answer: ((request: MemoryAsk) => MemoryAnswer) | null = null;
  readonly pid = null;
  #end: HostEnd | null = null;
  #reason: HostEnd['reason'] = 'exit';
  #cause: unknown;
  #giveUpTimer: NodeJS.Timeout | null = null;
  #isReady = false;
  #isKilled = false;
  #isTerminating = false;

  constructor({ env, execArgv, resourceLimits }: WorkerOptions, { addon, native, pool }: LineOptions) {
    this.#makeArrays = () => new Arrays(addon, native, (arrays) => this.post({ arrays }), pool);
    this.arrays = this.#makeArrays();
    const { port1, port2 } = new MessageChannel();
    this.#memory = port1;
    const workerData: WorkerData = { memoryPort: port2, answers: this.#answers };
    this.#worker = new Worker(HOST_PROGRAM, {
      workerData,
      transferList: [port2],
      env: { ...process.env, ...env },
      execArgv: [...execArgv],
      resourceLimits,
    });
    this.#worker.on('message', (message: FromHost) => {
      if (!isMessage(message)) return;
      if ('ready' in message) this.#isReady = true;
      if (this.#isReady && this.#isKilled) this.#terminate();
      this.#inbox.deliver(message);
    });
    this.#worker.once('error', (cause) => {
      this.#cause = cause;
    });
    this.#worker.once('exit', (exitCode) => this.#ended(exitCode));
  }

  get isUp(): boolean {
    return this.#end === null && this.#cause === undefined;
  }

  post(message: ToHost): void {
    this.#worker.postMessage(message);
  }

  #giveUp(): void {
    void this.#worker.terminate();
    this.#ended(null);
  }

  onMessage(listener: (message: FromHost) => void): void {
    this.#inbox.listen(listener);
  }

  onMemoryAsk(listener: (request: MemoryAsk) => MemoryAnswer): void {
    const isFirst = this.#answer === null;
    this.#answer = listener;
    if (!isFirst) return;
    this.#memory.on('message', (request: MemoryAsk) => {
      this.#memory.postMessage((this.#answer ?? listener)(request));
      Atomics.add(this.#answers, 0, 1);
      Atomics.notify(this.#answers, 0);
    });
    this.#memory.unref();
  }

  onEnd(listener: (end: HostEnd) => void): () => void {
    if (this.#end === null) this.#listeners.add(listener);
    else listener(this.#end);
    return () => void this.#listeners.delete(listener);
  }

  reset(): void {
    this.#inbox.reset();
    this.arrays.end();
    this.arrays = this.#makeArrays();
    this.post({ reset: true });
  }

  hold(on: boolean): void {
    if (on && this.#end === null) this.#worker.ref();
    else this.#worker.unref();
  }

  kill(reason: HostEnd['reason']): void {
    if (this.#end !== null) return;
    if (this.#reason === 'exit') this.#reason = reason;
    this.#isKilled = true;
    // While it loads its program, Node.js would leave the files open that it reads.
    if (this.#isReady) this.#terminate();
    else this.#giveUpTimer ??= setTimeout(() => this.#giveUp(), LOAD_WAIT_MS);
  }

  #terminate(): void {
    if (this.#isTerminating) return;
    this.#isTerminating = true;
    void this.#worker.terminate();
    if (this.#giveUpTimer !== null) clearTimeout(this.#giveUpTimer);
    this.#giveUpTimer = setTimeout(() => this.#giveUp(), KILL_WAIT_MS);
  }

  end(): void {
    this.kill('exit');
  }

  /** @param exitCode null for a thread that goes on, whatever it is told */
  #ended(exitCode: number | null): void {
    if (this.#end !== null) return;
    if (this.#giveUpTimer !== null) clearTimeout(this.#giveUpTimer);
    this.hold(false);
    this.#memory.close();
    const stderr = this.#cause instanceof Error ? (this.#cause.stack ?? '') : '';
    this.#end = { exitCode, signal: null, stderr, reason: this.#reason, cause: this.#cause };
    for (const listener of this.#listeners) listener(this.#end);
  }
}
