/**
 * One version that runs in a host, whatever becomes of the host.
 *
 *     starting → running → failed | ended
 *
 * While it runs it may be down: its host has crashed, and it is started again in another one, from what it saved last.
 * What JavaScript does with it meanwhile is in host-calls.ts; the host itself is in current-host.ts.
 */
import assert from 'node:assert/strict';
import type { VersionId } from '../brands.ts';
import { errors, isReloadError, type ReloadError } from '../errors.ts';
import type { NativePin } from '../native.ts';
import type { HookContext, Hooks, Reason } from '../state/hooks.ts';
import type { MemoryClaim } from '../state/memory.ts';
import { HostCalls } from './host-calls.ts';
import { type Checkpoint, HostHooks } from './host-hooks.ts';
import type { HostObjects } from './host-objects.ts';
import type { Loaded, Retired, WireInstance } from './messages.ts';
import type { Reference, StandIns } from './stand-ins.ts';
import { makeStubs } from './stubs.ts';
import { CurrentHost, type CurrentHostOptions } from './current-host.ts';

/** What a host that ended by itself leaves to decide. */
export interface Supervision {
  /** Told of each crash of a version that serves; it says when to start again. */
  crashed(version: HostedVersion, error: ReloadError): void;
}

export interface HostedOptions extends CurrentHostOptions {
  readonly standIns: StandIns;
  readonly supervision: Supervision;
  /** Whether each host sees what is written to these bytes. */
  readonly isShared: (buffer: ArrayBuffer) => boolean;
  /** Memory for a host that is started again. */
  claimMemory(): MemoryClaim;
}

type State = 'starting' | 'running' | 'failed' | 'ended';

export class HostedVersion {
  readonly id: VersionId;
  readonly calls: HostCalls;
  readonly objects: HostObjects;
  readonly #options: HostedOptions;
  readonly #host: CurrentHost;
  readonly #hooks: HostHooks;
  #state: State = 'starting';
  #loaded: Loaded | null = null;
  #serves = false;
  #onRelease: () => void = () => undefined;

  constructor(options: HostedOptions) {
    const { id, source: addon, standIns, isShared, hookTimeoutMs, outside } = options;
    const unloaded = (): Error => this.#unloaded();
    const onRelease = (): void => this.#onRelease();
    const calls = new HostCalls({ addon, version: id, standIns, isShared, unloaded, onRelease });
    const ended = (crash: ReloadError): void => this.#ended(crash);
    const host = new CurrentHost(options, { calls, unloaded, ended });
    const isGone = (): boolean => this.#isGone;
    this.id = id;
    this.calls = calls;
    this.objects = calls.objects;
    this.#options = options;
    this.#host = host;
    this.#hooks = new HostHooks({ id, hookTimeoutMs, outside, standIns, calls, host, isGone });
  }

  /** @throws what refused it, `ERR_HOST_CRASHED` among that; nothing is left of it then */
  async load(): Promise<{ readonly exports: unknown; readonly hooks: Hooks }> {
    const loaded = await this.#begin();
    const { exports, classes } = makeStubs(loaded.surface, this.calls);
    this.objects.classes = classes;
    return { exports, hooks: this.#hooks.describe(loaded) };
  }

  async #begin(): Promise<Loaded> {
    this.#loaded = await this.#host.load();
    return this.#loaded;
  }

  /** What the hooks of this version may ask for, until they have returned. */
  set memory(claim: MemoryClaim) {
    this.#host.memory = claim;
  }

  get pid(): number | null {
    return this.#host.pid;
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
    return this.#host.isAlive;
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
    this.#host.checkAlive();
  }

  /** It serves: calls come from now on. */
  serve(): void {
    this.#serves = true;
    this.#state = 'running';
    // A claim holds the memory itself.
    this.#host.memory = null;
  }

  /** Another version serves. Does not fail. */
  forwardTo(next: HostedVersion): void {
    this.#serves = false;
    if (this.calls.isDown) {
      // Nobody starts it again for objects that stayed.
      this.objects.lose();
      this.#host.kill();
    }
    this.calls.forwardTo(next.calls);
  }

  /** Its stand-ins, of those classes that it describes. */
  *instances(): Generator<{ readonly standIn: object; readonly reference: Reference }> {
    for (const each of this.objects.held()) {
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

  // Crashes

  /** Ends its host as a crash does. @returns false where it does not run */
  crash(): boolean {
    if (this.#state !== 'running' || this.calls.isDown || !this.isAlive) return false;
    this.#host.kill();
    return true;
  }

  #ended(crash: ReloadError): void {
    // Whoever waits for one that loads, or is started again, is told by what it waits for.
    if (this.#state !== 'running' || this.calls.isDown) return;
    if (this.#serves) {
      this.calls.goDown();
      this.objects.goDown(() => crash);
      this.#options.supervision.crashed(this, crash);
    } else {
      this.objects.lose(undefined, () => crash);
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
    this.#host.memory = claim;
    try {
      await this.#restart(reason);
      if (this.isReplaced) throw this.#unloaded();
      this.checkAlive();
    } catch (error) {
      // Else the next one would take its place, and a close() not know of it.
      await this.#host.drop();
      claim.undo();
      throw error;
    } finally {
      this.#host.memory = null;
    }
    claim.keep();
    this.calls.comeUp();
  }

  async #restart(reason: Reason): Promise<void> {
    const checkpoint = this.saved;
    await this.#begin();
    const wanted = new Set([...this.objects.held()].map(({ reference }) => reference.id));
    const instances = (checkpoint?.instances ?? []).filter(({ id }) => wanted.has(id));
    this.objects.lose(new Set(instances.map(({ id }) => id)));
    await this.#hooks.startAgain(this.#restartContext(reason, checkpoint), instances);
    // What another host sent of them is of no matter to this one.
    for (const { reference } of this.objects.held()) reference.sends = 1;
  }

  #restartContext(reason: Reason, checkpoint: Checkpoint | null): HookContext {
    const state = checkpoint === null ? undefined : this.#host.session.open(checkpoint.state);
    const memory = (): never => assert.fail('the host asks for itself');
    const schema = this.#loaded?.hooks.schema ?? 1;
    return { reason, state, from: { version: this.id, schema }, memory };
  }

  /** It could not be started again. */
  crashAgain(cause: unknown): void {
    const { exitCode = null, signal = null, stderr = '' } = this.#host.session.end ?? {};
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
    const count = this.isAlive ? [...this.objects.held()].length : 0;
    return count === 0 ? [] : [{ kind: 'wrapped-object', count, bytes: 0 }];
  }

  onRelease(listener: () => void): void {
    this.#onRelease = listener;
  }

  /** Waits for calls that were sent. */
  drain(timeoutMs: number): Promise<void> {
    return this.#host.drain(timeoutMs);
  }

  /** Ends its host. Objects and functions of it are of no use any more. */
  async end(drainTimeoutMs: number): Promise<Retired> {
    const isGone = this.#isGone;
    this.#serves = false;
    this.#state = 'ended';
    this.objects.lose(undefined, () => this.#unloaded());
    this.calls.end();
    return this.#host.end(drainTimeoutMs, isGone);
  }

  #unloaded(): Error {
    const message = `Version ${this.id} of ${JSON.stringify(this.#options.source)} was unloaded`;
    return Object.assign(new Error(message), { code: 'ERR_VERSION_UNLOADED' });
  }
}
