/**
 * One version that runs in a host, whatever becomes of the host.
 *
 *     starting → running → failed | ended
 *
 * While it runs it may be down: its host has crashed, and is started again from what the version saved last. What
 * JavaScript does with it meanwhile is in host-calls.ts.
 */
import assert from 'node:assert/strict';
import type { StagedPath, VersionId } from '../brands.ts';
import { errors, isReloadError, type ReloadError } from '../errors.ts';
import type { NativePin } from '../native.ts';
import type { Outside } from '../outside.ts';
import type { HookContext, Hooks, Reason } from '../state/hooks.ts';
import type { MemoryClaim } from '../state/memory.ts';
import { shareMemory } from './share-memory.ts';
import { type Callback, HostCalls, IDS_PER_HOST } from './host-calls.ts';
import { type Checkpoint, HostHooks } from './host-hooks.ts';
import type {
  Loaded,
  LoadMessage,
  LoadRequest,
  MemoryAnswer,
  MemoryAsk,
  Retired,
  WireInstance,
} from './messages.ts';
import { Held } from './objects.ts';
import type { Line } from './line.ts';
import { Session } from './session.ts';
import type { Reference, StandIns } from './stand-ins.ts';
import { makeStubs } from './stubs.ts';
import { sweep } from './sweep.ts';
import { toWireError } from './wire.ts';

/** A host that was asked to end has so long for its exit handlers. */
const EXIT_WAIT_MS = 5_000;
const DRAIN_LOOK_MS = 5;

/** What a host that ended by itself leaves to decide. */
export interface Supervision {
  /** Told of each crash of a version that serves; it says when to start again. */
  crashed(version: HostedVersion, error: ReloadError): void;
}

export interface HostedOptions extends LoadRequest {
  readonly callTimeoutMs: number | null;
  readonly outside: Outside;
  readonly standIns: StandIns;
  readonly supervision: Supervision;
  /** Whether each host sees what is written to these bytes. */
  readonly isShared: (buffer: ArrayBuffer) => boolean;
  start(version: number): Line;
  /** Whether the host goes on without the version, which was unloaded in it. */
  giveBack(line: Line): boolean;
  /** Whether it would, for any. */
  readonly reuses: boolean;
  /** Memory for a host that is started again. */
  claimMemory(): MemoryClaim;
}

type State = 'starting' | 'running' | 'failed' | 'ended';

/** No two hosts of this thread hand out the same numbers. */
let hosts = 0;

export class HostedVersion {
  readonly id: VersionId;
  readonly calls: HostCalls;
  readonly #options: HostedOptions;
  #state: State = 'starting';
  #session: Session | null = null;
  #loaded: Loaded | null = null;
  readonly #hooks: HostHooks;
  #memory: MemoryClaim | null = null;
  #serves = false;
  #onRelease: () => void = () => undefined;

  constructor(options: HostedOptions) {
    this.id = options.id;
    this.#options = options;
    this.calls = new HostCalls({
      addon: options.source,
      version: options.id,
      standIns: options.standIns,
      isShared: options.isShared,
      unloaded: () => this.#unloaded(),
      onRelease: () => this.#onRelease(),
    });
    const { id, hookTimeoutMs, outside, standIns } = options;
    this.#hooks = new HostHooks({
      ...{ id, hookTimeoutMs, outside, standIns, calls: this.calls },
      session: () => {
        assert(this.#session !== null, 'it was started');
        return this.#session;
      },
      isGone: () => this.#isGone,
    });
  }

  /** @throws what refused it, `ERR_HOST_CRASHED` among that; nothing is left of it then */
  async load(): Promise<{ readonly exports: unknown; readonly hooks: Hooks }> {
    const loaded = await this.#begin();
    const { exports, classes } = makeStubs(loaded.surface, this.calls);
    this.calls.classes = classes;
    return { exports, hooks: this.#hooks.describe(loaded) };
  }

  async #begin(): Promise<Loaded> {
    const { id, source, path, hash, libraryHashes, stageDir, reclaim, hookTimeoutMs } = this.#options;
    hosts += 1;
    const firstId = -hosts * IDS_PER_HOST;
    const session = this.#startSession(firstId);
    const message: LoadMessage = {
      ...{ kind: 'load', id, source, path, hash, libraryHashes, stageDir, reclaim, hookTimeoutMs },
      firstId,
    };
    try {
      const asked = session.ask<Loaded>(message);
      asked.catch(() => undefined);
      // How long Node.js takes to start is no fault of the addon.
      await session.ready;
      const loaded = await this.#hooks.inTime('load', asked);
      this.#loaded = loaded;
      return loaded;
    } catch (error) {
      session.kill('exit');
      await session.finish(EXIT_WAIT_MS);
      sweep(stageDir, this.#options.outside.native);
      throw error;
    }
  }

  #startSession(firstId: number): Session {
    const { outside, source, callTimeoutMs } = this.#options;
    // Of one host: what it held went with it.
    const callbacks = new Held<Callback>();
    const session: Session = new Session({
      addon: source,
      version: this.id,
      line: this.#options.start(this.id),
      objects: this.calls,
      callTimeoutMs,
      unloaded: () => this.#unloaded(),
      nowMs: () => outside.nowMs(),
      after: (delayMs, callback) => outside.after(delayMs, callback),
      answerMemory: (request) => this.#answerMemory(request),
      callBack: (id, args) => {
        const callback = callbacks.get(id);
        assert(callback !== undefined, 'the host holds it');
        return callback(...(args as unknown[]));
      },
      released: (functions) => {
        for (const each of functions) callbacks.release(each);
      },
      onEnd: () => this.#ended(session),
    });
    this.#session = session;
    this.calls.connect(session, firstId, callbacks);
    return session;
  }

  /** What the hooks of this version may ask for, until they have returned. */
  set memory(claim: MemoryClaim) {
    this.#memory = claim;
  }

  get pid(): number | null {
    return this.#session?.pid ?? null;
  }

  get image(): StagedPath {
    return this.#loaded?.image ?? this.#options.path;
  }

  /** Whether it has crashed too often, and refuses every call. */
  get hasFailed(): boolean {
    return this.#state === 'failed';
  }

  /** What it saved last, with the instances; null before it saved anything. */
  get saved(): Checkpoint | null {
    return this.#hooks.saved;
  }

  /** Whether calls go to its host at once. */
  get isOpen(): boolean {
    return this.#state === 'running' && this.calls.isOpen;
  }

  /** Whether its host has not ended. */
  get isAlive(): boolean {
    return this.#session !== null && this.#session.end === null;
  }

  /** Whether no host has its state. */
  get #isGone(): boolean {
    return !this.isAlive || this.calls.isDown || this.#state === 'failed' || this.#state === 'ended';
  }

  /** Whether another version serves by now, or none. */
  get isReplaced(): boolean {
    return !this.#serves;
  }

  /** Whether a call was made since the last checkpoint. */
  get isDirty(): boolean {
    return this.calls.isDirty;
  }

  // Of the switch.

  /** Calls wait from now on. */
  hold(): void {
    this.calls.isHeld = true;
  }

  /** The switch failed: calls go on here. */
  release(): void {
    this.calls.isHeld = false;
  }

  /** @throws `ERR_HOST_CRASHED` where its host has ended */
  checkAlive(): void {
    const end = this.#session?.end ?? null;
    if (this.#session !== null && end !== null) throw this.#session.crash(end);
  }

  /** It serves: calls come from now on. */
  serve(): void {
    this.#serves = true;
    this.#state = 'running';
    // A claim holds the memory itself.
    this.#memory = null;
  }

  /** Another version serves. Does not fail. */
  forwardTo(next: HostedVersion): void {
    this.#serves = false;
    if (this.calls.isDown) {
      // Nobody starts it again for objects that stayed.
      this.calls.lose();
      this.#session?.kill('exit');
    }
    this.calls.forwardTo(next.calls);
  }

  /** Its stand-ins, of those classes that it describes. */
  *instances(): Generator<{ readonly standIn: object; readonly reference: Reference }> {
    for (const each of this.calls.held()) {
      if (this.#loaded?.hooks.classes.includes(each.reference.name)) yield each;
    }
  }

  /** What `save()` returned; of a version whose host is gone, what it was when it was saved last. */
  save(): Promise<unknown> {
    return this.#hooks.save();
  }

  adopt(context: HookContext, instances: readonly WireInstance[]): Promise<void> {
    return this.#hooks.adopt(context, instances);
  }

  // Memory

  #answerMemory({ name, byteLength, grow }: MemoryAsk): MemoryAnswer {
    const { source: addon } = this.#options;
    try {
      if (this.#memory === null) throw errors.memoryLate({ addon, name, version: this.id });
      return shareMemory(this.#memory, name, byteLength, grow);
    } catch (error) {
      return { error: toWireError(error) };
    }
  }

  // Crashes

  /** Ends its host as a crash does. @returns false where it does not run */
  crash(): boolean {
    if (!this.isOpen) return false;
    this.#session?.kill('exit');
    return true;
  }

  #ended(session: Session): void {
    const { end } = session;
    // Whoever waits for one that loads, or is started again, is told by what it waits for.
    if (end === null || session !== this.#session || this.#state !== 'running' || this.calls.isDown) return;
    const error = session.crash(end);
    if (this.#serves) {
      this.calls.goDown(() => error);
      this.#options.supervision.crashed(this, error);
    } else {
      this.calls.lose(undefined, () => error);
      this.#onRelease();
    }
  }

  /**
   * Starts another host for it, from what was saved last.
   *
   * @throws what refused it, also where another version serves meanwhile
   */
  async restart(reason: Reason): Promise<void> {
    const claim = this.#options.claimMemory();
    this.#memory = claim;
    try {
      await this.#restart(reason);
      if (this.isReplaced) throw this.#unloaded();
      this.checkAlive();
    } catch (error) {
      this.#session?.kill('exit');
      // Else the next one would take its place, and a close() not know of it.
      await this.#session?.finish(EXIT_WAIT_MS);
      claim.undo();
      throw error;
    } finally {
      this.#memory = null;
    }
    claim.keep();
    this.calls.comeUp();
  }

  async #restart(reason: Reason): Promise<void> {
    const checkpoint = this.saved;
    await this.#begin();
    const wanted = new Set([...this.calls.held()].map(({ reference }) => reference.id));
    const instances = (checkpoint?.instances ?? []).filter(({ id }) => wanted.has(id));
    this.calls.lose(new Set(instances.map(({ id }) => id)));
    await this.#hooks.startAgain(this.#restartContext(reason, checkpoint), instances);
    // What another host sent of them is of no matter to this one.
    for (const { reference } of this.calls.held()) reference.sends = 1;
  }

  #restartContext(reason: Reason, checkpoint: Checkpoint | null): HookContext {
    const state = checkpoint === null ? undefined : this.#session?.open(checkpoint.state);
    const memory = (): never => assert.fail('the host asks for itself');
    const schema = this.#loaded?.hooks.schema ?? 1;
    return { reason, state, from: { version: this.id, schema }, memory };
  }

  /** It could not be started again. */
  crashAgain(cause: unknown): void {
    const end = this.#session?.end ?? null;
    const { exitCode = null, signal = null, stderr = '' } = end ?? {};
    const about = { addon: this.#options.source, version: this.id, exitCode, signal, stderr };
    const crash = isReloadError(cause, 'ERR_HOST_CRASHED')
      ? cause
      : errors.hostCrashed({ ...about, reason: 'restart-failed' }, cause);
    this.#options.supervision.crashed(this, crash);
  }

  /** From now on every call is refused, until another version serves. */
  fail(error: ReloadError): void {
    this.#state = 'failed';
    this.calls.refuse(() => error);
  }

  // The end

  /** What keeps its host alive. */
  pins(): readonly NativePin[] {
    const count = this.isAlive ? [...this.calls.held()].length : 0;
    return count === 0 ? [] : [{ kind: 'wrapped-object', count, bytes: 0 }];
  }

  onRelease(listener: () => void): void {
    this.#onRelease = listener;
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

  /** Ends its host. Objects and functions of it are of no use any more. */
  async end(drainTimeoutMs: number): Promise<Retired> {
    const session = this.#session;
    const isGone = this.#isGone;
    this.#serves = false;
    this.#state = 'ended';
    this.#memory = null;
    this.calls.end();
    const unloaded: Retired = { outcome: 'unloaded', pins: [], reason: null };
    if (session === null) return unloaded;
    let retired = unloaded;
    const { reuses, giveBack, outside } = this.#options;
    // A process takes all of it along.
    if (!isGone && (session.pid === null || reuses)) {
      const ask = session.ask<Retired>({ kind: 'retire', drainTimeoutMs });
      retired = await this.#hooks.inTime('retire', ask).catch(() => unloaded);
    }
    const isMapped = session.pid === null && outside.native.isMapped(this.image);
    const isEmpty = !isGone && retired !== unloaded && retired.outcome === 'unloaded' && !isMapped;
    if (isEmpty && reuses && session.hand(giveBack)) return unloaded;
    await session.finish(EXIT_WAIT_MS);
    if (session.pid !== null || !outside.native.isMapped(this.image)) return unloaded;
    const unseen = 'something that the ledger cannot see holds its mapping';
    return { outcome: 'kept', pins: [], reason: retired.reason ?? unseen };
  }

  #unloaded(): Error {
    const message = `Version ${this.id} of ${JSON.stringify(this.#options.source)} was unloaded`;
    return Object.assign(new Error(message), { code: 'ERR_VERSION_UNLOADED' });
  }
}
