/** Hooks of a version that runs in a host. None is waited for longer than `hookTimeoutMs`: its host can be ended. */
import assert from 'node:assert/strict';
import { createDeadline, type Deadline } from '../deadline.ts';
import { errors, isReloadError } from '../errors.ts';
import { Later } from '../later.ts';
import type { Outside } from '../outside.ts';
import type { ClassHooks } from '../state/class-hooks.ts';
import type { HookContext, Hooks } from '../state/hooks.ts';
import type { Callable } from '../swap/shape.ts';
import type { HostCalls } from './host-calls.ts';
import type { Ask, Loaded, Saved, WireContext, WireInstance } from './messages.ts';
import type { Session } from './session.ts';
import type { StandIns } from './stand-ins.ts';
import type { CurrentHost } from './current-host.ts';
import type { Wire } from './wire.ts';

/** What a new host of a version begins with. */
export interface Checkpoint {
  readonly state: Wire;
  readonly instances: readonly WireInstance[];
}

const WARM_ASKS = 3;

export interface HostHooksOptions {
  readonly id: number;
  readonly hookTimeoutMs: number;
  readonly outside: Outside;
  readonly standIns: StandIns;
  readonly calls: HostCalls;
  readonly host: CurrentHost;
  /** Whether no host has the state of the version. */
  isGone(): boolean;
}

export class HostHooks {
  readonly #options: HostHooksOptions;
  readonly #host: CurrentHost;
  #loaded: Loaded | null = null;
  #saved: Checkpoint | null = null;

  constructor(options: HostHooksOptions) {
    this.#options = options;
    this.#host = options.host;
  }

  /** What was saved last, with the instances; null before anything was. */
  get saved(): Checkpoint | null {
    return this.#saved;
  }

  /** Runs those of a host that is started again. */
  async startAgain(context: HookContext, instances: readonly WireInstance[]): Promise<void> {
    const { hookTimeoutMs: timeoutMs, outside } = this.#options;
    const deadline = createDeadline({ timeoutMs, signal: null, during: 'prepare' }, outside);
    await this.callAsync('prepare', deadline, { ...context, state: undefined });
    if (this.#loaded?.hooks.has.includes('init')) await this.callSync('init', context);
    await this.adopt(context, instances);
  }

  /** Makes instances from what another version, or this one before a crash, saved of them. */
  async adopt(context: HookContext, instances: readonly WireInstance[]): Promise<void> {
    if (instances.length === 0) return;
    const wireContext = this.#wireContext(context);
    await this.#host.ask('init', { kind: 'adopt', context: wireContext, instances });
    const { standIns } = this.#options;
    for (const { id } of instances) if (standIns.find(id) === undefined) this.#session.release([[id, 1]]);
  }

  /** What the switch knows them by. */
  describe(loaded: Loaded): Hooks {
    this.#loaded = loaded;
    const { schema, accepts, has, classes } = loaded.hooks;
    return {
      version: this.#options.id,
      schema,
      accepts,
      classes: new Map(classes.flatMap((name) => this.#classHooks(name))),
      has: (hook) => has.includes(hook),
      callSync: (hook, context) => new Later(this.callSync(hook, context)),
      callAsync: (hook, deadline, context) => this.callAsync(hook, deadline, context),
    };
  }

  /** Their instances are saved and made by the host, all at once. */
  #classHooks(name: string): [string, ClassHooks][] {
    const stubs = this.#options.calls.objects.classes;
    const made = stubs.get(name) ?? stubs.get('');
    if (made === undefined) return [];
    const elsewhere = (): never => assert.fail('the host does that');
    return [
      [name, { name, made: made as unknown as Callable, save: elsewhere, args: elsewhere, restore: null }],
    ];
  }

  async callSync(hook: 'init' | 'save' | 'resume', context?: HookContext): Promise<unknown> {
    if (hook === 'save') return this.save();
    if (hook === 'resume') return this.#resume();
    if (!this.#loaded?.hooks.has.includes('init')) return undefined;
    return this.#host.ask(hook, { kind: 'hook', hook, context: this.#wireContext(context) });
  }

  /** A host that is started again has not saved anything that it could go on from. */
  async #resume(): Promise<void> {
    if (this.#options.isGone()) return;
    await this.#host.ask<void>('resume', { kind: 'hook', hook: 'resume' }).catch((error: unknown) => {
      if (!isReloadError(error, 'ERR_HOST_CRASHED')) throw error;
    });
  }

  /** What `save()` returned; of a version whose host is gone, what it was when it was saved last. */
  async save(): Promise<unknown> {
    if (!this.#options.isGone()) await this.#saveNow();
    return this.#saved === null ? undefined : this.#session.open(this.#saved.state);
  }

  async #saveNow(): Promise<void> {
    const { has = [], classes = [] } = this.#loaded?.hooks ?? {};
    if (!has.includes('save') && classes.length === 0) return;
    this.#options.calls.isDirty = false;
    this.#saved = await this.#host.ask<Saved>('save', { kind: 'save', classes });
  }

  /** The first messages find cold code on the other side. Calls are to wait for the hooks, not for that. */
  async #warm(context: HookContext | undefined): Promise<void> {
    const ask: Ask = { kind: 'warm', context: this.#wireContext(context) };
    for (let count = 0; count < WARM_ASKS; count += 1) await this.#host.ask('prepare', ask);
  }

  async callAsync(hook: 'prepare' | 'dispose', deadline: Deadline, context?: HookContext): Promise<void> {
    if (hook === 'prepare') await this.#warm(context);
    if (!this.#loaded?.hooks.has.includes(hook)) return;
    if (hook === 'dispose' && this.#options.isGone()) return;
    const call = hook === 'prepare' ? { hook, context: this.#wireContext(context) } : { hook };
    const work = this.#session.ask<void>({ kind: 'hook', ...call });
    const { timeoutMs } = deadline;
    await deadline.race(work, () =>
      hook === 'prepare'
        ? this.#host.giveUp(hook, timeoutMs)
        : errors.hookTimeout({ hook, version: this.#options.id, timeoutMs }),
    );
  }

  #wireContext(context: HookContext | undefined): WireContext {
    assert(context !== undefined, 'this hook is told why');
    const { reason, state, from } = context;
    return { reason, state: this.#session.copy(state), ...(from !== undefined && { from }) };
  }

  get #session(): Session {
    return this.#host.session;
  }
}
