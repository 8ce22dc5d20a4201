/**
 * The host that one version has now: started with the version in it, asked, and ended. After a crash the version gets
 * another one.
 */
import assert from 'node:assert/strict';
import type { StagedPath } from '../brands.ts';
import { createDeadline } from '../deadline.ts';
import { errors, type ReloadError } from '../errors.ts';
import type { Outside } from '../outside.ts';
import type { MemoryClaim } from '../state/memory.ts';
import type { HostCalls } from './host-calls.ts';
import { type Callback, nextFirstId } from './host-objects.ts';
import type { Line } from './line.ts';
import type { Ask, Loaded, LoadRequest, MemoryAnswer, MemoryAsk, Retired } from './messages.ts';
import { Held } from './objects.ts';
import { Session } from './session.ts';
import { shareMemory } from './share-memory.ts';
import { sweep, sweepAfter } from './sweep.ts';
import { toWireError } from './wire.ts';

/** A host that was asked to end has so long for its exit handlers. */
const EXIT_WAIT_MS = 5_000;
const DRAIN_LOOK_MS = 5;

const UNLOADED: Retired = { outcome: 'unloaded', pins: [], reason: null };

export interface CurrentHostOptions extends LoadRequest {
  readonly callTimeoutMs: number | null;
  readonly outside: Outside;
  start(version: number): Line;
  /** Whether the host goes on without the version, which was unloaded in it. */
  giveBack(line: Line): boolean;
  /** Whether it would, for any. */
  readonly reuses: boolean;
}

/** The version, as its host knows it. */
export interface Guest {
  /** What JavaScript on this side does with it. */
  readonly calls: HostCalls;
  /** What is refused with it that nobody answers any more. */
  unloaded(): Error;
  /** Its host has ended, for whatever reason. */
  ended(crash: ReloadError): void;
}

export class CurrentHost {
  readonly #options: CurrentHostOptions;
  readonly #guest: Guest;
  #session: Session | null = null;
  #image: StagedPath;
  /** What hooks of the version may ask for, until they have returned. */
  memory: MemoryClaim | null = null;

  constructor(options: CurrentHostOptions, guest: Guest) {
    this.#options = options;
    this.#guest = guest;
    this.#image = options.path;
  }

  /** Of the host that was started last. */
  get session(): Session {
    assert(this.#session !== null, 'it was started');
    return this.#session;
  }

  /** Whether one was started that has not ended. */
  get isAlive(): boolean {
    return this.#session?.end === null;
  }

  get pid(): number | null {
    return this.#session?.pid ?? null;
  }

  /**
   * Starts one, and has it load the version.
   *
   * @throws what refused that, `ERR_HOST_CRASHED` among it; nothing is left of it then
   */
  async load(): Promise<Loaded> {
    const { id, source, path, hash, libraryHashes, stageDir, reclaim, hookTimeoutMs, outside } =
      this.#options;
    const request: LoadRequest = { id, source, path, hash, libraryHashes, stageDir, reclaim, hookTimeoutMs };
    const firstId = nextFirstId();
    const session = this.#start(firstId);
    try {
      const asked = session.ask<Loaded>({ kind: 'load', ...request, firstId });
      asked.catch(() => undefined);
      // How long Node.js takes to start is no fault of the addon.
      await session.ready;
      const loaded = await this.#inTime('load', asked);
      this.#image = loaded.image;
      return loaded;
    } catch (error) {
      await this.drop();
      sweep(stageDir, outside.native);
      throw error;
    }
  }

  #start(firstId: number): Session {
    const { id, outside, source, callTimeoutMs } = this.#options;
    const guest = this.#guest;
    // Of one host: what it held went with it.
    const callbacks = new Held<Callback>();
    const session: Session = new Session({
      addon: source,
      version: id,
      line: this.#options.start(id),
      objects: guest.calls.objects,
      callTimeoutMs,
      unloaded: () => guest.unloaded(),
      nowMs: () => outside.nowMs(),
      after: (delayMs, callback) => outside.after(delayMs, callback),
      answerMemory: (request) => this.#answerMemory(request),
      callBack: (number, args) => {
        const callback = callbacks.get(number);
        assert(callback !== undefined, 'the host holds it');
        return callback(...(args as unknown[]));
      },
      released: (functions) => {
        for (const each of functions) callbacks.release(each);
      },
      onEnd: (end) => {
        if (session === this.#session) guest.ended(session.crash(end));
      },
    });
    this.#session = session;
    guest.calls.connect(session);
    guest.calls.objects.connect(session, firstId, callbacks);
    return session;
  }

  #answerMemory({ name, byteLength, grow }: MemoryAsk): MemoryAnswer {
    const { source: addon, id: version } = this.#options;
    try {
      if (this.memory === null) throw errors.memoryLate({ addon, name, version });
      return shareMemory(this.memory, name, byteLength, grow);
    } catch (error) {
      return { error: toWireError(error) };
    }
  }

  /**
   * @param hook what it does for that
   * @throws what the host threw; `ERR_HOOK_TIMEOUT` after `hookTimeoutMs`, when the host is ended
   */
  ask<T>(hook: string, ask: Ask): Promise<T> {
    return this.#inTime(hook, this.session.ask<T>(ask));
  }

  async #inTime<T>(hook: string, work: Promise<T>): Promise<T> {
    const { hookTimeoutMs: timeoutMs, outside } = this.#options;
    const deadline = createDeadline({ timeoutMs, signal: null, during: hook }, outside);
    await deadline.race(
      work.then(() => undefined),
      () => this.giveUp(hook, timeoutMs),
    );
    return work;
  }

  /** A hook in another thread or process can be given up: nothing of this one waits in it. */
  giveUp(hook: string, timeoutMs: number): Error {
    this.kill();
    return errors.hookTimeout({ hook, version: this.#options.id, timeoutMs });
  }

  /** Ends it as a crash does. */
  kill(): void {
    this.#session?.kill('exit');
  }

  /** @throws `ERR_HOST_CRASHED` where it has ended */
  checkAlive(): void {
    const end = this.#session?.end ?? null;
    if (end !== null) throw this.session.crash(end);
  }

  /** Waits for calls that were sent. */
  async drain(timeoutMs: number): Promise<void> {
    const { outside } = this.#options;
    const endMs = outside.nowMs() + timeoutMs;
    while ((this.#session?.inFlight ?? 0) > 0 && outside.nowMs() < endMs) {
      await new Promise<void>((resolve) => {
        outside.after(DRAIN_LOOK_MS, resolve);
      });
    }
  }

  /** Ends it whatever it does, and waits for that. */
  async drop(): Promise<void> {
    this.kill();
    await this.#session?.finish(EXIT_WAIT_MS);
    await sweepAfter(this.#options.stageDir, this.pid, this.#options.outside);
  }

  /**
   * Has it unload the version, and ends it or gives it back.
   *
   * @param isGone whether the version is in it no more, or not yet again
   */
  async end(drainTimeoutMs: number, isGone: boolean): Promise<Retired> {
    this.memory = null;
    const session = this.#session;
    if (session === null) return UNLOADED;
    const { reuses, giveBack, stageDir, outside } = this.#options;
    // A process takes all of it along.
    const asks = !isGone && (session.pid === null || reuses);
    const retired = asks ? await this.#retire(drainTimeoutMs) : null;
    const isEmpty = retired?.outcome === 'unloaded' && !this.#isMapped;
    if (isEmpty && reuses && session.hand(giveBack)) return UNLOADED;
    await session.finish(EXIT_WAIT_MS);
    await sweepAfter(stageDir, session.pid, outside);
    if (!this.#isMapped) return UNLOADED;
    const unseen = 'something that the ledger cannot see holds its mapping';
    return { outcome: 'kept', pins: [], reason: retired?.reason ?? unseen };
  }

  /** @returns null where it did not answer */
  #retire(drainTimeoutMs: number): Promise<Retired | null> {
    return this.ask<Retired>('retire', { kind: 'retire', drainTimeoutMs }).catch(() => null);
  }

  /** In this process. */
  get #isMapped(): boolean {
    return this.pid === null && this.#options.outside.native.isMapped(this.#image);
  }
}
