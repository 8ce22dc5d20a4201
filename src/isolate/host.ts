/**
 * The host's side: runs one version of an addon for a handle in another thread or process.
 *
 * It is the handle's own machinery once more, from a staged copy to a retired version, for this one version alone.
 */
import assert from 'node:assert/strict';
import { createDeadline } from '../deadline.ts';
import { errors } from '../errors.ts';
import type { Here } from '../here.ts';
import { type RetireRequest, retire } from '../retire/retire.ts';
import type { HookContext } from '../state/hooks.ts';
import type { AskForMemory } from '../state/memory.ts';
import { isThenable } from '../thenable.ts';
import { type LoadedVersion, loadVersion } from './host-load.ts';
import type {
  Ask,
  FromHost,
  Loaded,
  LoadMessage,
  Retired,
  Saved,
  ToHost,
  WireContext,
  WireInstance,
} from './messages.ts';
import type { Port } from './port.ts';
import { ServedObjects } from './served-objects.ts';
import { cancelWire, type Taker, toWire, toWireError, type Wire } from './wire.ts';

/** What a host has once it has loaded. */
interface Running extends LoadedVersion {
  readonly hookTimeoutMs: number;
}

export interface HostOptions {
  readonly outside: Here;
  readonly memory: AskForMemory;
}

export class Host {
  readonly #port: Port<FromHost, ToHost>;
  readonly #outside: Here;
  readonly #memory: AskForMemory;
  readonly #objects: ServedObjects;
  #running: Running | null = null;
  #hasRetired = false;

  constructor(port: Port<FromHost, ToHost>, { outside, memory }: HostOptions) {
    this.#port = port;
    this.#outside = outside;
    this.#memory = memory;
    this.#objects = new ServedObjects({
      port,
      native: outside.native,
      classOf: (object) => this.#running?.exported.classOf(object) ?? null,
    });
    port.onMessage((message) => {
      if (!('reset' in message)) this.#receive(message);
    });
    this.#objects.start();
    port.post({ ready: true });
  }

  /** Its version has gone, and another one is to come. */
  end(): void {
    this.#objects.end();
  }

  #receive(message: Exclude<ToHost, { readonly reset: true }>): void {
    if ('ask' in message) {
      this.#answer(message.n, message.ask);
    } else if ('release' in message) {
      this.#objects.release(message.release, message.functions);
    } else if ('arrays' in message) {
      this.#objects.receiveArrays(message.arrays);
    } else {
      this.#objects.settle(message);
    }
  }

  /** Runs it at once, up to its first wait. */
  #answer(n: number, ask: Ask): void {
    let result: unknown;
    try {
      result = this.#dealWith(ask);
    } catch (error) {
      this.#refuse(n, error);
      return;
    }
    const taker = ask.kind === 'save' ? this.#objects : this.#objects.lent;
    if (!isThenable(result)) {
      this.#reply(n, result, taker);
      return;
    }
    Promise.resolve(result).then(
      (value) => this.#reply(n, value, taker),
      (error: unknown) => this.#refuse(n, error),
    );
  }

  /** What is returned may have getters and traps that throw. */
  #reply(n: number, value: unknown, taker: Taker): void {
    let wire: Wire | null = null;
    try {
      wire = toWire(value, taker);
      this.#port.post({ n, value: wire });
    } catch (error) {
      if (wire !== null) cancelWire(wire, taker);
      this.#refuse(n, error);
    }
  }

  /** What is thrown may have something on it that does not go to another process. */
  #refuse(n: number, thrown: unknown): void {
    const error = toWireError(thrown, this.#objects);
    try {
      this.#port.post({ n, error });
    } catch {
      const { name, message, stack } = error;
      this.#port.post({ n, error: { name, message, ...(stack !== undefined && { stack }) } });
    }
  }

  #dealWith(ask: Ask): unknown {
    switch (ask.kind) {
      case 'load':
        return this.#load(ask);
      case 'hook':
        return this.#hook(ask);
      case 'warm':
        this.#context(ask.context);
        return undefined;
      case 'save':
        return this.#save(ask.classes);
      case 'adopt':
        return this.#adopt(ask.context, ask.instances);
      case 'call': {
        const { holder, found } = this.#live.exported.find(ask.path);
        return this.#apply(found, holder, ask.args, ask.path.join('.'));
      }
      case 'get':
        return this.#live.exported.find(ask.path).found;
      case 'set':
        this.#live.exported.set(ask.path, this.#objects.open(ask.value));
        return undefined;
      case 'construct':
        return this.#construct(ask.path, ask.id, ask.args);
      case 'invoke':
        return this.#apply(this.#objects.functionOf(ask.id), undefined, ask.args, 'the function');
      case 'callOn': {
        const object = this.#objects.objectOf(ask.id);
        return this.#apply(Reflect.get(object, ask.key), object, ask.args, ask.key);
      }
      case 'getOf':
        return Reflect.get(this.#objects.objectOf(ask.id), ask.key);
      case 'setOf':
        Reflect.set(this.#objects.objectOf(ask.id), ask.key, this.#objects.open(ask.value));
        return undefined;
      case 'retire':
        return this.#retire(ask.drainTimeoutMs);
    }
  }

  get #live(): Running {
    assert(this.#running !== null, 'nothing is loaded');
    return this.#running;
  }

  async #load(request: LoadMessage): Promise<Loaded> {
    this.#objects.countFrom(request.firstId);
    const { version, exported, hooks } = await loadVersion(request, this.#outside);
    this.#running = { version, exported, hooks, hookTimeoutMs: request.hookTimeoutMs };
    return {
      surface: exported.surface,
      hooks: {
        schema: hooks.schema,
        accepts: hooks.accepts,
        has: (['prepare', 'init', 'save', 'dispose', 'resume'] as const).filter((hook) => hooks.has(hook)),
        classes: [...hooks.classes.keys()],
      },
      image: version.path,
    };
  }

  async #hook(call: Extract<Ask, { kind: 'hook' }>): Promise<void> {
    const { hooks, hookTimeoutMs: timeoutMs } = this.#live;
    const deadline = createDeadline({ timeoutMs, signal: null, during: call.hook }, this.#outside);
    switch (call.hook) {
      case 'prepare':
        return hooks.callAsync('prepare', deadline, this.#context(call.context));
      case 'init':
        hooks.callSync('init', this.#context(call.context));
        return;
      case 'dispose':
        return hooks.callAsync('dispose', deadline);
      case 'resume':
        hooks.callSync('resume');
    }
  }

  #context({ reason, state, from }: WireContext): HookContext {
    const common = { reason, state: this.#objects.open(state), memory: this.#askForMemory };
    return from === undefined ? common : { ...common, from };
  }

  /** It may outlive its version, and the handle would take it for the way of the next one in this host. */
  readonly #askForMemory: AskForMemory = (name, byteLength, options) => {
    if (!this.#hasRetired) return this.#memory(name, byteLength, options);
    const { source: addon, id: version } = this.#live.version;
    throw errors.memoryLate({ addon, name, version });
  };

  #save(classes: readonly string[]): Saved {
    const { hooks, exported } = this.#live;
    const { saved } = this.#objects;
    const state = toWire(hooks.callSync('save'), saved);
    const instances: WireInstance[] = [];
    for (const [id, object] of this.#objects.entries()) {
      const name = exported.classOf(object);
      const described = name === null || !classes.includes(name) ? undefined : hooks.classes.get(name);
      if (name === null || described === undefined) continue;
      instances.push({
        id,
        name,
        state: toWire(
          this.#ofInstance('save', name, () => described.save(object)),
          saved,
        ),
      });
    }
    return { state, instances };
  }

  #adopt(wireContext: WireContext, instances: readonly WireInstance[]): void {
    const { hooks } = this.#live;
    const context = this.#context(wireContext);
    const made: { readonly object: object; readonly state: unknown; readonly name: string }[] = [];
    // The state of one may name another one that comes before it.
    for (const { id, name, state: wire } of instances) {
      const described = hooks.classes.get(name);
      if (described === undefined) continue;
      const state = this.#objects.open(wire);
      const args = this.#ofInstance('constructor', name, () => described.args(state, context));
      const object = this.#ofInstance('constructor', name, () =>
        Reflect.construct(described.made, Array.isArray(args) ? args : [args]),
      );
      this.#objects.set(id, object as object);
      made.push({ object: object as object, state, name });
    }
    for (const { object, state, name } of made) {
      const restore = hooks.classes.get(name)?.restore;
      if (restore) this.#ofInstance('restore', name, () => restore(object, state, context));
    }
  }

  #ofInstance<T>(hook: string, name: string, work: () => T): T {
    const { version } = this.#live.hooks;
    const full = `classes.${name}.${hook}`;
    let result: T;
    try {
      result = work();
    } catch (cause) {
      throw errors.hookThrew({ hook: full, version }, cause);
    }
    if (isThenable(result)) throw errors.hookAsync({ hook: full, version });
    return result;
  }

  #construct(path: readonly string[], id: number, args: Wire): void {
    try {
      this.#objects.set(id, this.#make(path, args));
    } catch (error) {
      // What is called on it meanwhile is on its way by now.
      this.#objects.setBroken(id, error);
      throw error;
    }
  }

  #make(path: readonly string[], args: Wire): object {
    const { found } = this.#live.exported.find(path);
    if (typeof found !== 'function') throw new TypeError(`${path.join('.')} is not a constructor`);
    return Reflect.construct(found, this.#objects.open(args) as unknown[]) as object;
  }

  #apply(target: unknown, receiver: unknown, args: Wire, name: string): unknown {
    if (typeof target !== 'function') throw new TypeError(`${name} is not a function`);
    return Reflect.apply(target, receiver, this.#objects.open(args) as unknown[]);
  }

  async #retire(drainTimeoutMs: number): Promise<Retired> {
    const { version } = this.#live;
    this.#hasRetired = true;
    this.#objects.clear();
    // Frames and promises of the last calls hold what they returned until then.
    await this.#outside.turn();
    const request: RetireRequest = { releaseObjects: true, drainTimeoutMs, onEnded: () => undefined };
    const ending = await retire(version, () => Promise.resolve(), request, this.#outside);
    switch (ending.outcome) {
      case 'pinned':
        return { outcome: 'pinned', pins: ending.pins, reason: null };
      case 'kept':
        return { outcome: 'kept', pins: [], reason: ending.reason };
      default:
        return { outcome: 'unloaded', pins: [], reason: null };
    }
  }
}
