/** The handle's side of one host: a Worker or a process that runs one version, from its start to its end. */
import { errors, type ReloadError } from '../errors.ts';
import type { HostEnd, Line } from './line.ts';
import type { Ask, FromHost, MemoryAnswer, MemoryAsk } from './messages.ts';
import type { Released } from './objects.ts';
import {
  cancelWire,
  fromWire,
  fromWireError,
  type Giver,
  lending,
  type Taker,
  toWire,
  toWireError,
  type Wire,
} from './wire.ts';

interface Request {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly sentMs: number;
  readonly isCall: boolean;
}

export interface SessionOptions {
  readonly addon: string;
  readonly version: number;
  readonly line: Line;
  /** What only the handle knows of objects of the addon. */
  readonly objects: Taker & Giver;
  /** What a call may take before the host is ended; null for no bound. */
  readonly callTimeoutMs: number | null;
  /** What a request is refused with that a host left when it was told to end. */
  unloaded(): Error;
  nowMs(): number;
  after(delayMs: number, callback: () => void): () => void;
  answerMemory(request: MemoryAsk): MemoryAnswer;
  /** A function that was an argument is called. */
  callBack(id: number, args: unknown): unknown;
  /** Functions that the host holds no more. */
  released(functions: readonly Released[]): void;
  onEnd(end: HostEnd): void;
}

/** Its program may never run, as where what `execArgv` preloads never ends; a debugger may keep it waiting for a while. */
const START_MAX_MS = 300_000;

/** What a version sees of a host that it has left. */
const LEFT: HostEnd = { exitCode: 0, signal: null, stderr: '', reason: 'exit' };

/** Requests that have no answer yet are refused when the host ends. */
export class Session {
  readonly #options: SessionOptions;
  readonly #values: Taker & Giver;
  readonly #requests = new Map<number, Request>();
  #last = 0;
  #end: HostEnd | null = null;
  #cancelLook: (() => void) | null = null;
  /** When the oldest request became that: hosts answer one after the other, and whoever waits is not late for it. */
  #oldestSinceMs = 0;
  #isLetGo = false;
  readonly #stopListening: () => void;

  #setReady: () => void = () => undefined;
  /** Settles when its program runs, or has ended before it did. */
  readonly ready: Promise<void> = new Promise((resolve) => {
    this.#setReady = resolve;
  });

  constructor(options: SessionOptions) {
    this.#options = options;
    const { line } = options;
    this.#values = lending(options.objects, line.arrays);
    line.onMemoryAsk((request) => options.answerMemory(request));
    this.#stopListening = line.onEnd((end) => this.#ended(end));
    line.onMessage((message) => this.#receive(message));
    const cancel = options.after(START_MAX_MS, () => this.kill('exit'));
    void this.ready.then(cancel);
    line.arrays.start();
    line.hold(false);
  }

  get pid(): number | null {
    return this.#options.line.pid;
  }

  /** Null while it lives. */
  get end(): HostEnd | null {
    return this.#end;
  }

  /** Calls that have no answer yet. */
  get inFlight(): number {
    return this.#requests.size;
  }

  /**
   * @param isCall whether it is bounded by `callTimeoutMs`
   * @throws what the host threw; `ERR_HOST_CRASHED` where it ended first
   */
  ask<T = unknown>(ask: Ask, isCall = false): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#end !== null) {
        reject(this.#refusal(this.#end));
        return;
      }
      const n = this.#last + 1;
      // First: what cannot be cloned is refused here, and leaves nothing behind.
      this.#post(n, ask);
      this.#last = n;
      const sentMs = isCall && this.#options.callTimeoutMs !== null ? this.#options.nowMs() : 0;
      if (this.#requests.size === 0) this.#options.line.hold(true);
      this.#requests.set(n, { resolve: resolve as (value: unknown) => void, reject, sentMs, isCall });
      if (isCall) this.#watchTime();
    });
  }

  #post(n: number, ask: Ask): void {
    try {
      this.#options.line.post({ n, ask });
    } catch (error) {
      const wires = 'args' in ask ? [ask.args] : 'value' in ask ? [ask.value] : [];
      for (const wire of wires) cancelWire(wire, this.#values);
      throw error;
    }
  }

  /** For arguments: large arrays are lent. */
  wire(value: unknown): Wire {
    return toWire(value, this.#values);
  }

  /** For a state, which must stay what it is: nothing is lent. */
  copy(value: unknown): Wire {
    return toWire(value, this.#options.objects);
  }

  open(wire: Wire): unknown {
    return fromWire(wire, this.#values);
  }

  release(objects: readonly Released[], functions: readonly Released[] = []): void {
    if (this.#end === null) this.#options.line.post({ release: objects, functions });
  }

  kill(reason: HostEnd['reason']): void {
    this.#options.line.kill(reason);
  }

  /** Asks it to end, waits until it has, and ends it after `timeoutMs`. What it has not answered is refused. */
  async finish(timeoutMs: number): Promise<HostEnd> {
    this.#isLetGo = true;
    if (this.#end !== null) return this.#end;
    this.#options.line.hold(true);
    this.#options.line.end();
    return new Promise((resolve) => {
      const cancel = this.#options.after(timeoutMs, () => this.kill('exit'));
      this.#endListeners.push((end) => {
        cancel();
        resolve(end);
      });
    });
  }

  /**
   * Leaves its host to another version, where nothing of this one is left in it. What has no answer by then is refused.
   *
   * @param giveBack takes the host; false where it is of no use
   * @returns what `giveBack` did
   */
  hand(giveBack: (line: Line) => boolean): boolean {
    const { line } = this.#options;
    if (this.#end !== null || this.#requests.size > 0) return false;
    this.#stopListening();
    if (!giveBack(line)) {
      line.onEnd((end) => this.#ended(end));
      return false;
    }
    this.#isLetGo = true;
    this.#end = LEFT;
    return true;
  }

  readonly #endListeners: ((end: HostEnd) => void)[] = [];

  #refusal(end: HostEnd): Error {
    return this.#isLetGo ? this.#options.unloaded() : this.crash(end);
  }

  /** What requests are refused with, for a host that ended so. */
  crash({ exitCode, signal, stderr, reason, cause }: HostEnd): ReloadError {
    const { addon, version } = this.#options;
    return errors.hostCrashed({ addon, version, exitCode, signal, stderr, reason }, cause);
  }

  #receive(message: FromHost): void {
    if ('n' in message) {
      this.#settle(message);
    } else if ('call' in message) {
      this.#callBack(message.call);
    } else if ('release' in message) {
      this.#options.released(message.release);
    } else if ('ready' in message) {
      this.#setReady();
    } else if ('arrays' in message) {
      this.#options.line.arrays.receive(message.arrays);
    }
  }

  #settle(answer: Extract<FromHost, { n: number }>): void {
    const request = this.#requests.get(answer.n);
    if (request === undefined) return;
    this.#forget(answer.n);
    try {
      if ('error' in answer) request.reject(fromWireError(answer.error, this.#values));
      else request.resolve(this.open(answer.value));
    } catch (error) {
      request.reject(error);
    }
  }

  #forget(n: number): void {
    const { callTimeoutMs, nowMs, line } = this.#options;
    if (callTimeoutMs !== null && this.#requests.keys().next().value === n) this.#oldestSinceMs = nowMs();
    this.#requests.delete(n);
    if (this.#requests.size > 0) return;
    // Neither an idle host nor the look at its calls keeps this process alive.
    this.#cancelLook?.();
    this.#cancelLook = null;
    if (!this.#isLetGo) line.hold(false);
  }

  #callBack({ n, id, args }: { readonly n: number; readonly id: number; readonly args: Wire }): void {
    void (async () => this.#options.callBack(id, this.open(args)))().then(
      (value) => this.#answer(n, value),
      (error: unknown) => this.#refuse(n, error),
    );
  }

  #answer(n: number, value: unknown): void {
    if (this.#end !== null) return;
    let wire: Wire | null = null;
    try {
      wire = this.wire(value);
      this.#options.line.post({ n, value: wire });
    } catch (error) {
      if (wire !== null) cancelWire(wire, this.#values);
      this.#refuse(n, error);
    }
  }

  #refuse(n: number, thrown: unknown): void {
    if (this.#end !== null) return;
    try {
      this.#options.line.post({ n, error: toWireError(thrown) });
    } catch (error) {
      this.#options.line.post({ n, error: toWireError(error) });
    }
  }

  #ended(end: HostEnd): void {
    this.#end = end;
    this.#setReady();
    this.#cancelLook?.();
    this.#options.line.arrays.end();
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    for (const { reject } of requests) reject(this.#refusal(end));
    for (const listener of this.#endListeners) listener(end);
    this.#options.onEnd(end);
  }

  /** One timer for all: the oldest call is the first to be late. */
  #watchTime(): void {
    const { callTimeoutMs, nowMs, after } = this.#options;
    if (callTimeoutMs === null || this.#cancelLook !== null) return;
    const look = (): void => {
      this.#cancelLook = null;
      const oldest = [...this.#requests.values()].find(({ isCall }) => isCall);
      if (oldest === undefined) return;
      const leftMs = Math.max(oldest.sentMs, this.#oldestSinceMs) + callTimeoutMs - nowMs();
      if (leftMs <= 0) this.kill('call-timeout');
      else this.#cancelLook = after(leftMs, look);
    };
    this.#cancelLook = after(callTimeoutMs, look);
  }
}
