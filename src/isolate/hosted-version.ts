/**
 * One version that runs in a host, whatever becomes of the host.
 *
 *     starting → running → failed | ended
 *
 * While it runs, it may be held (by a switch) or down (its host has crashed, and is started again). Calls that come then
 * wait, in their order, and go to whichever version serves afterwards.
 */
import assert from 'node:assert/strict';
import type { ContentHash, SourcePath, StagedPath, VersionId } from '../brands.ts';
import { createDeadline, type Deadline } from '../deadline.ts';
import { errors, isReloadError, type ReloadError } from '../errors.ts';
import { Later } from '../later.ts';
import type { NativePin } from '../native.ts';
import type { Outside } from '../outside.ts';
import type { ClassHooks } from '../state/class-hooks.ts';
import type { HookContext, Hooks, Reason } from '../state/hooks.ts';
import type { MemoryClaim } from '../state/memory.ts';
import { shareMemory } from './share-memory.ts';
import type { Callable } from '../swap/shape.ts';
import type {
  Loaded,
  LoadMessage,
  MemoryAnswer,
  MemoryAsk,
  Retired,
  Saved,
  WireContext,
  WireInstance,
} from './messages.ts';
import { type Line, Session } from './session.ts';
import type { Owner, Reference, StandIns } from './stand-ins.ts';
import { makeStubs, type Remote, type StubClass, type Stubs } from './stubs.ts';
import type { Giver, Special, Taker, Wire } from './wire.ts';
import { toWireError } from './wire.ts';

/** Calls that may wait for a switch or a restart. */
const PARKED_MAX = 1_000_000;
/** A host that was asked to end has so long for its exit handlers. */
const EXIT_WAIT_MS = 5_000;

/** What a new host of it begins with. */
export interface Checkpoint {
  readonly state: Wire;
  readonly instances: readonly WireInstance[];
}

/** What a host that ended by itself leaves to decide. */
export interface Supervision {
  /** Told of each crash of a version that serves; it says when to start again. */
  crashed(version: HostedVersion, error: ReloadError): void;
}

export interface HostedOptions {
  readonly id: VersionId;
  readonly source: SourcePath;
  readonly path: StagedPath;
  readonly hash: ContentHash;
  readonly libraryHashes: readonly ContentHash[];
  readonly stageDir: string;
  readonly reclaim: 'auto' | 'never';
  readonly hookTimeoutMs: number;
  readonly callTimeoutMs: number | null;
  readonly outside: Outside;
  readonly standIns: StandIns;
  readonly supervision: Supervision;
  start(): Line;
  /** Memory for a host that is started again. */
  claimMemory(): MemoryClaim;
}

type State = 'starting' | 'running' | 'failed' | 'ended';

export class HostedVersion implements Remote, Taker, Giver, Owner {
  readonly id: VersionId;
  readonly #options: HostedOptions;
  #state: State = 'starting';
  #isHeld = false;
  #isDown = false;
  #session: Session | null = null;
  #loaded: Loaded | null = null;
  #stubs: Stubs | null = null;
  #hooks: Hooks | null = null;
  #memory: MemoryClaim | null = null;
  #parked: (() => void)[] = [];
  #successor: HostedVersion | null = null;
  #failure: ReloadError | null = null;
  #crash: ReloadError | null = null;
  #saved: Checkpoint | null = null;
  #isDirty = false;
  #serves = false;
  #onRelease: () => void = () => undefined;

  constructor(options: HostedOptions) {
    this.id = options.id;
    this.#options = options;
  }

  /** @throws what refused it, `ERR_HOST_CRASHED` among that; nothing is left of it then */
  async load(): Promise<{ readonly exports: unknown; readonly hooks: Hooks; readonly loaded: Loaded }> {
    const loaded = await this.#begin();
    this.#loaded = loaded;
    this.#stubs = makeStubs(loaded.surface, this);
    this.#hooks = this.#makeHooks(loaded);
    return { exports: this.#stubs.exports, hooks: this.#hooks, loaded };
  }

  async #begin(): Promise<Loaded> {
    const { id, source, path, hash, libraryHashes, stageDir, reclaim, hookTimeoutMs } = this.#options;
    const session = this.#startSession();
    this.#session = session;
    hosts += 1;
    const message: LoadMessage = {
      ...{ kind: 'load', id, source, path, hash, libraryHashes, stageDir, reclaim, hookTimeoutMs },
      firstId: -hosts * IDS_PER_HOST,
    };
    try {
      return await session.ask<Loaded>(message);
    } catch (error) {
      session.kill('exit');
      await session.finish(EXIT_WAIT_MS);
      throw error;
    }
  }

  #startSession(): Session {
    const { outside, source, callTimeoutMs, standIns } = this.#options;
    const session: Session = new Session({
      addon: source,
      version: this.id,
      line: this.#options.start(),
      objects: this,
      callTimeoutMs,
      nowMs: () => outside.nowMs(),
      after: (delayMs, callback) => outside.after(delayMs, callback),
      answerMemory: (request) => this.#answerMemory(request),
      callBack: (id, args) => {
        const callback = standIns.callbacks.get(id);
        assert(callback !== undefined, 'the host holds it');
        return callback(...(args as unknown[]));
      },
      released: (ids) => {
        for (const each of ids) standIns.callbacks.delete(each);
      },
      onEnd: () => this.#ended(session),
    });
    return session;
  }

  /** What the hooks of this version may ask for from now on. */
  set memory(claim: MemoryClaim) {
    this.#memory = claim;
  }

  get pid(): number | null {
    return this.#session?.pid ?? null;
  }

  get image(): StagedPath {
    return this.#loaded?.image ?? this.#options.path;
  }

  get mappings(): number {
    return this.#loaded?.mappings ?? 0;
  }

  /** Whether it has crashed too often, and refuses every call. */
  get hasFailed(): boolean {
    return this.#state === 'failed';
  }

  get classes(): ReadonlyMap<string, StubClass> {
    return this.#stubs?.classes ?? new Map();
  }

  /** What it saved last, with the instances; null before it saved anything. */
  get saved(): Checkpoint | null {
    return this.#saved;
  }

  /** Whether calls go to its host at once. */
  get isOpen(): boolean {
    return this.#state === 'running' && !this.#isWaiting();
  }

  /** Whether its host has not ended. */
  get isAlive(): boolean {
    return this.#session !== null && this.#session.end === null;
  }

  /** Whether another version serves by now, or none. */
  get isReplaced(): boolean {
    return !this.#serves;
  }

  /** Whether a call was made since the last checkpoint. */
  get isDirty(): boolean {
    return this.#isDirty;
  }

  // Of the switch.

  /** Calls wait from now on. */
  hold(): void {
    this.#isHeld = true;
  }

  /** The switch failed: calls go on here. */
  release(): void {
    this.#isHeld = false;
    this.#flush();
  }

  /** It serves: calls come from now on. */
  serve(): void {
    this.#serves = true;
    this.#state = 'running';
    if (this.#session?.end !== null) this.#ended(this.#session);
  }

  /** Another version serves: what waits goes there, but for calls of objects that stayed. Does not fail. */
  forwardTo(next: HostedVersion): void {
    this.#successor = next;
    this.#serves = false;
    this.#isHeld = false;
    // What it still has to answer for is refused, if its host is gone.
    this.#isDown = false;
    this.#flush();
  }

  #flush(): void {
    if (this.#isWaiting()) return;
    const parked = this.#parked;
    this.#parked = [];
    for (const run of parked) run();
  }

  #isWaiting(): boolean {
    return this.#isHeld || this.#isDown;
  }

  /** Its stand-ins, of those classes that it describes. */
  *instances(): Generator<{ readonly standIn: object; readonly reference: Reference }> {
    for (const each of this.#options.standIns.of(this)) {
      if (this.#loaded?.hooks.classes.includes(each.reference.name)) yield each;
    }
  }

  /** Makes instances from what another version, or this one before a crash, saved of them. */
  async adopt(context: HookContext, instances: readonly WireInstance[]): Promise<void> {
    if (instances.length === 0) return;
    await this.#ask({ kind: 'adopt', context: this.#wireContext(context), instances });
  }

  // Remote

  call(path: readonly string[], args: readonly unknown[]): Promise<unknown> {
    return this.#enter(
      () => this.#successor ?? this,
      (version) => version.#send({ kind: 'call', path, args: version.#wire(args) }),
    );
  }

  get(path: readonly string[]): Promise<unknown> {
    return this.#enter(
      () => this.#successor ?? this,
      (version) => version.#send({ kind: 'get', path }),
    );
  }

  set(path: readonly string[], value: unknown): void {
    this.#enter(
      () => this.#successor ?? this,
      (version) => version.#send({ kind: 'set', path, value: version.#wire(value) }),
    ).catch(warnOfRejection);
  }

  construct(standIn: object, path: readonly string[], args: readonly unknown[]): void {
    const { standIns } = this.#options;
    const reference: Reference = { owner: this, id: standIns.nextId(), name: path.join('.'), gone: null };
    standIns.add(standIn, reference);
    const made = this.#enter(
      () => this.#successor ?? this,
      (version) => {
        reference.owner = version;
        return version.#send({ kind: 'construct', path, id: reference.id, args: version.#wire(args) });
      },
    );
    made.catch((error: unknown) => {
      reference.gone ??= () => (error instanceof Error ? error : new Error(String(error)));
    });
  }

  callOn(standIn: object, key: string, args: readonly unknown[]): Promise<unknown> {
    return this.#onObject(standIn, (version, id) =>
      version.#send({ kind: 'callOn', id, key, args: version.#wire(args) }),
    );
  }

  getOf(standIn: object, key: string): Promise<unknown> {
    return this.#onObject(standIn, (version, id) => version.#send({ kind: 'getOf', id, key }));
  }

  setOf(standIn: object, key: string, value: unknown): void {
    this.#onObject(standIn, (version, id) =>
      version.#send({ kind: 'setOf', id, key, value: version.#wire(value) }),
    ).catch(warnOfRejection);
  }

  dispose(standIn: object): void {
    const reference = this.#options.standIns.referenceOf(standIn);
    if (reference === undefined || reference.gone !== null) return;
    const { source: addon } = this.#options;
    reference.gone = () => errors.closed({ addon, attempted: 'use an object that was disposed of' });
    this.#options.standIns.dispose(reference);
  }

  #onObject<T>(standIn: object, work: (version: HostedVersion, id: number) => Promise<T>): Promise<T> {
    const reference = this.#options.standIns.referenceOf(standIn);
    if (reference === undefined) {
      return Promise.reject(new TypeError('Illegal invocation: the receiver is no object of the addon'));
    }
    return this.#enter(
      () => reference.owner as HostedVersion,
      (version) => (reference.gone ? Promise.reject(reference.gone()) : work(version, reference.id)),
    );
  }

  /** @param find asked again for a call that had to wait */
  #enter<T>(find: () => HostedVersion, work: (version: HostedVersion) => Promise<T>): Promise<T> {
    const version = find();
    if (version.#failure !== null) return Promise.reject(version.#failure);
    if (!version.#isWaiting()) return attempt(() => work(version));
    if (version.#parked.length >= PARKED_MAX) {
      return Promise.reject(
        errors.busy({ addon: this.#options.source, reason: 'waiting', sharedWith: null }),
      );
    }
    return new Promise<T>((resolve, reject) => {
      version.#parked.push(() => {
        this.#enter(find, work).then(resolve, reject);
      });
    });
  }

  #send<T = unknown>(ask: Parameters<Session['ask']>[0]): Promise<T> {
    this.#isDirty = true;
    if (this.#session === null || this.#state === 'ended') return Promise.reject(this.#unloaded());
    return this.#session.ask<T>(ask, true);
  }

  #ask<T>(ask: Parameters<Session['ask']>[0]): Promise<T> {
    if (this.#session === null || this.#state === 'ended') return Promise.reject(this.#unloaded());
    return this.#session.ask<T>(ask);
  }

  #unloaded(): Error {
    return Object.assign(
      new Error(`Version ${this.id} of ${JSON.stringify(this.#options.source)} was unloaded`),
      {
        code: 'ERR_VERSION_UNLOADED',
      },
    );
  }

  #wire(value: unknown): Wire {
    assert(this.#session !== null, 'it was started');
    return this.#session.wire(value);
  }

  // Taker, Giver

  take(value: object): Special | null {
    const { standIns } = this.#options;
    const reference = standIns.referenceOf(value);
    if (reference !== undefined) {
      if (reference.gone !== null) throw reference.gone();
      if (reference.owner === this) return { kind: 'object', id: reference.id, name: reference.name };
      throw new TypeError(
        `An object of version ${(reference.owner as HostedVersion).id} cannot be given to version ${this.id}`,
      );
    }
    if (typeof value !== 'function') return null;
    const theirs = standIns.functionOf(value);
    if (theirs?.owner === this) return { kind: 'your-function', id: theirs.id };
    return { kind: 'function', id: standIns.callbacks.idOf(value as Callback), name: value.name };
  }

  give(special: Exclude<Special, { kind: 'error' }>): unknown {
    const { standIns } = this.#options;
    switch (special.kind) {
      case 'function':
        return this.#functionOf(special.id, special.name);
      case 'your-function':
        return standIns.callbacks.get(special.id);
      case 'object':
        return standIns.find(special.id) ?? this.#objectOf(special.id, special.name);
      case 'iterator':
        return this.#iteratorOf(special.id);
      case 'array':
        return undefined;
    }
  }

  #objectOf(id: number, name: string): object {
    const made = this.classes.get(name);
    const standIn = made ? (Object.create(made.prototype) as object) : this.#openObject();
    this.#options.standIns.add(standIn, { owner: this, id, name, gone: null });
    return standIn;
  }

  /** Of a class that is not exported, of which nothing is known but that it has methods. */
  #openObject(): object {
    const standIn: object = new Proxy(Object.create(null) as object, {
      get: (_, key) => {
        if (typeof key !== 'string' || key === 'then') return undefined;
        return (...args: unknown[]) => this.callOn(standIn, key, args);
      },
    });
    return standIn;
  }

  #functionOf(id: number, name: string): Callable {
    const { invoke } = {
      invoke: (...args: unknown[]) => this.#send({ kind: 'invoke', id, args: this.#wire(args) }),
    };
    Object.defineProperty(invoke, 'name', { value: name, configurable: true });
    this.#options.standIns.addFunction(invoke, this, id);
    return invoke;
  }

  #iteratorOf(id: number): AsyncIterableIterator<unknown> {
    const step = async (key: string, args: unknown[]): Promise<IteratorResult<unknown>> =>
      (await this.callOn(iterator, key, args)) as IteratorResult<unknown>;
    const iterator: AsyncIterableIterator<unknown> = {
      next: (...args) => step('next', args),
      return: async (value) => {
        const last = await step('return', [await value]).catch(() => ({ done: true as const, value }));
        this.dispose(iterator);
        return last;
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    this.#options.standIns.add(iterator, { owner: this, id, name: '', gone: null });
    return iterator;
  }

  letGo(id: number): void {
    this.#session?.release([id]);
    this.#onRelease();
  }

  letGoOfFunction(id: number): void {
    this.#session?.release([], [id]);
  }

  // Hooks

  #makeHooks({ hooks: { schema, accepts, has, classes } }: Loaded): Hooks {
    return {
      version: this.id,
      schema,
      accepts,
      classes: new Map(classes.flatMap((name) => this.#classHooks(name))),
      has: (hook) => has.includes(hook),
      callSync: (hook, context) => new Later(this.#callSync(hook, context)),
      callAsync: (hook, deadline, context) => this.#callAsync(hook, deadline, context),
    };
  }

  /** Their instances are saved and made by the host, all at once. */
  #classHooks(name: string): [string, ClassHooks][] {
    const made = this.classes.get(name) ?? this.classes.get('');
    if (made === undefined) return [];
    const elsewhere = (): never => assert.fail('the host does that');
    return [
      [name, { name, made: made as unknown as Callable, save: elsewhere, args: elsewhere, restore: null }],
    ];
  }

  async #callSync(hook: 'init' | 'save' | 'resume', context?: HookContext): Promise<unknown> {
    if (hook === 'save') return this.save();
    const call = hook === 'init' ? { hook, context: this.#wireContext(context) } : { hook };
    const deadline = this.#deadline(hook);
    await deadline.race(this.#ask<void>({ kind: 'hook', ...call }), () =>
      this.#late(hook, deadline.timeoutMs),
    );
    return undefined;
  }

  /** What `save()` returned; of a version whose host is gone, what it was when it was saved last. */
  async save(): Promise<unknown> {
    if (this.#loaded === null || this.#session === null) return undefined;
    const isGone = this.#session.end !== null || this.#isDown || this.#state === 'failed';
    if (!isGone) await this.#saveNow();
    return this.#saved === null ? undefined : this.#session.open(this.#saved.state);
  }

  async #saveNow(): Promise<void> {
    assert(this.#loaded !== null);
    const { has, classes } = this.#loaded.hooks;
    if (!has.includes('save') && classes.length === 0) return;
    this.#isDirty = false;
    const deadline = this.#deadline('save');
    let saved: Saved | null = null;
    const asked = this.#ask<Saved>({ kind: 'save', classes }).then((answer) => {
      saved = answer;
    });
    await deadline.race(asked, () => this.#late('save', deadline.timeoutMs));
    this.#saved = saved;
  }

  async #callAsync(hook: 'prepare' | 'dispose', deadline: Deadline, context?: HookContext): Promise<void> {
    if (!this.#loaded?.hooks.has.includes(hook)) return;
    if (hook === 'dispose' && this.#session?.end !== null) return;
    const call = hook === 'prepare' ? { hook, context: this.#wireContext(context) } : { hook };
    const work = this.#ask<void>({ kind: 'hook', ...call });
    await deadline.race(work, () =>
      errors.hookTimeout({ hook, version: this.id, timeoutMs: deadline.timeoutMs }),
    );
  }

  /** A hook in another thread or process can be given up: nothing of this one waits in it. */
  #deadline(hook: string): Deadline {
    const { hookTimeoutMs: timeoutMs, outside } = this.#options;
    return createDeadline({ timeoutMs, signal: null, during: hook }, outside);
  }

  #late(hook: string, timeoutMs: number): Error {
    this.#session?.kill('exit');
    return errors.hookTimeout({ hook, version: this.id, timeoutMs });
  }

  #wireContext(context: HookContext | undefined): WireContext {
    assert(context !== undefined, 'this hook is told why');
    const { reason, state, from } = context;
    assert(this.#session !== null, 'it was started');
    return { reason, state: this.#session.copy(state), ...(from !== undefined && { from }) };
  }

  #answerMemory({ name, byteLength, grow }: MemoryAsk): MemoryAnswer {
    try {
      assert(this.#memory !== null, 'asked for by a hook');
      return shareMemory(this.#memory, name, byteLength, grow);
    } catch (error) {
      return { error: toWireError(error) };
    }
  }

  // Crashes

  #ended(session: Session | null): void {
    const end = session?.end ?? null;
    // One that loads, or is started again, is told of by whoever waits for that.
    if (session === null || end === null || session !== this.#session) return;
    if (this.#state !== 'running' || this.#isDown) return;
    if (!this.#serves) {
      this.#onRelease();
      return;
    }
    this.#isDown = true;
    this.#options.supervision.crashed(this, session.crash(end));
  }

  /**
   * Starts another host for it, from what was saved last.
   *
   * @throws what refused it
   */
  async restart(reason: Reason): Promise<void> {
    const claim = this.#options.claimMemory();
    this.#memory = claim;
    const checkpoint = this.#saved;
    await this.#begin();
    const context = this.#restartContext(reason, checkpoint);
    const deadline = this.#deadline('prepare');
    if (this.#hooks?.has('prepare'))
      await this.#callAsync('prepare', deadline, { ...context, state: undefined });
    if (this.#hooks?.has('init')) await this.#callSync('init', context);
    claim.keep();
    const wanted = new Set([...this.#options.standIns.of(this)].map(({ reference }) => reference.id));
    const instances = (checkpoint?.instances ?? []).filter(({ id }) => wanted.has(id));
    await this.adopt(context, instances);
    this.#loseAllBut(new Set(instances.map(({ id }) => id)));
    const end = this.#session?.end ?? null;
    if (this.#session !== null && end !== null) throw this.#session.crash(end);
    this.#isDown = false;
    this.#flush();
  }

  #restartContext(reason: Reason, checkpoint: Checkpoint | null): HookContext {
    const state = checkpoint === null ? undefined : this.#session?.open(checkpoint.state);
    const memory = (): never => assert.fail('the host asks for itself');
    const schema = this.#loaded?.hooks.schema ?? 1;
    return { reason, state, from: { version: this.id, schema }, memory };
  }

  /** Objects that nobody had saved went with their host. */
  #loseAllBut(kept: ReadonlySet<number>): void {
    const end = this.#crash;
    for (const { reference } of this.#options.standIns.of(this)) {
      if (!kept.has(reference.id)) reference.gone ??= () => end ?? this.#unloaded();
    }
  }

  noteCrash(error: ReloadError): void {
    this.#crash = error;
  }

  /** It could not be started again. */
  crashAgain(cause: unknown): void {
    const end = this.#session?.end ?? null;
    this.#session?.kill('exit');
    this.#isDown = true;
    const { source: addon } = this.#options;
    const known = isReloadError(cause, 'ERR_HOST_CRASHED') ? cause : null;
    const crash =
      known ??
      errors.hostCrashed(
        {
          addon,
          version: this.id,
          exitCode: end?.exitCode ?? null,
          signal: end?.signal ?? null,
          stderr: end?.stderr ?? '',
          reason: 'restart-failed',
        },
        cause,
      );
    this.#options.supervision.crashed(this, crash);
  }

  /** From now on every call is refused, until another version serves. */
  fail(error: ReloadError): void {
    this.#state = 'failed';
    this.#failure = error;
    this.#isDown = false;
    const parked = this.#parked;
    this.#parked = [];
    for (const run of parked) run();
  }

  // The end

  /** What keeps its host alive. */
  pins(): readonly NativePin[] {
    const count = [...this.#options.standIns.of(this)].filter(
      ({ reference }) => reference.gone === null,
    ).length;
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
    this.#serves = false;
    let retired: Retired = { outcome: 'unloaded', pins: [], reason: null };
    if (session !== null && session.end === null && session.pid === null) {
      retired = await session.ask<Retired>({ kind: 'retire', drainTimeoutMs }).catch(() => retired);
    }
    this.#state = 'ended';
    for (const { reference } of this.#options.standIns.of(this)) reference.gone ??= () => this.#unloaded();
    await session?.finish(EXIT_WAIT_MS);
    if (session?.pid != null) return { outcome: 'unloaded', pins: [], reason: null };
    if (!this.#options.outside.native.isMapped(this.image))
      return { outcome: 'unloaded', pins: [], reason: null };
    return {
      outcome: 'kept',
      pins: [],
      reason: retired.reason ?? 'something that the ledger cannot see holds its mapping',
    };
  }
}

type Callback = (...args: unknown[]) => unknown;

const DRAIN_LOOK_MS = 5;
/** Numbers of objects that a host hands out; no two hosts of this thread have the same. */
const IDS_PER_HOST = 2 ** 32;
let hosts = 0;

function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return work();
  } catch (error) {
    return Promise.reject(error);
  }
}

/** An assignment has nobody who waits for it. */
function warnOfRejection(error: unknown): void {
  const message = isReloadError(error) || error instanceof Error ? error.message : String(error);
  process.emitWarning(`An assignment to a property of an addon in another process failed: ${message}`, {
    type: 'NapiReloadWarning',
    code: 'NAPI_RELOAD_ASSIGNMENT',
  });
}
