/**
 * What JavaScript on this side does with one version that runs in a host: calls of its exports, and objects and functions
 * that came from it.
 *
 * Calls wait, in their order, while the version is held by a switch, or is down because its host has crashed. Then they
 * go, each once, to whichever version serves by then. What was sent already is never sent again.
 */
import assert from 'node:assert/strict';
import { errors, isReloadError } from '../errors.ts';
import type { Callable } from '../swap/shape.ts';
import type { Ask } from './messages.ts';
import { Held } from './objects.ts';
import { parkArguments } from './parked-arguments.ts';
import type { Session } from './session.ts';
import type { Owner, Reference, StandIns } from './stand-ins.ts';
import type { Remote, StubClass } from './stubs.ts';
import { findExport } from './surface.ts';
import type { Giver, Special, Taker, Wire } from './wire.ts';

type Arguments = readonly unknown[];

export type Callback = (...args: unknown[]) => unknown;

/** Numbers of objects and functions that one host hands out. */
export const IDS_PER_HOST: number = 2 ** 32;

/** Calls that may wait for a switch or a restart. */
const PARKED_MAX = 1_000_000;

interface Parked {
  run(): void;
  reject(error: Error): void;
}

export interface HostCallsOptions {
  readonly addon: string;
  readonly version: number;
  readonly standIns: StandIns;
  /** Whether both sides see what is written to these bytes. */
  isShared(buffer: ArrayBuffer): boolean;
  /** What calls are refused with once the version has ended. */
  unloaded(): Error;
  /** Nobody on this side holds an object any more that was held. */
  onRelease(): void;
}

export class HostCalls implements Remote, Taker, Giver, Owner {
  readonly #options: HostCallsOptions;
  #session: Session | null = null;
  #firstId = 0;
  #callbacks = new Held<Callback>();
  #isHeld = false;
  #isDown = false;
  #isDirty = false;
  #parked: Parked[] = [];
  #successor: HostCalls | null = null;
  #givenBack: { readonly exports: unknown } | null = null;
  /** What every call is refused with, for good. */
  #refusal: (() => Error) | null = null;
  /** What objects and functions are refused with that went with a host. */
  #lost: () => Error;
  classes: ReadonlyMap<string, StubClass> = new Map();

  constructor(options: HostCallsOptions) {
    this.#options = options;
    this.#lost = options.unloaded;
  }

  // Of the version.

  /** Calls go there from now on, as far as they do not wait. */
  connect(session: Session, firstId: number, callbacks: Held<Callback>): void {
    this.#session = session;
    this.#firstId = firstId;
    this.#callbacks = callbacks;
  }

  /** Whether calls are sent at once. */
  get isOpen(): boolean {
    return !this.#isHeld && !this.#isDown && this.#refusal === null;
  }

  get isDown(): boolean {
    return this.#isDown;
  }

  /** Whether a call was sent since this was set to false. */
  get isDirty(): boolean {
    return this.#isDirty;
  }

  set isDirty(isDirty: boolean) {
    this.#isDirty = isDirty;
  }

  set isHeld(isHeld: boolean) {
    this.#isHeld = isHeld;
    this.#flush();
  }

  /** Its host has crashed. @param lost what its objects are refused with, where a restart does not bring them back */
  goDown(lost: () => Error): void {
    this.#isDown = true;
    this.#lost = lost;
  }

  comeUp(): void {
    this.#isDown = false;
    this.#flush();
  }

  /** Another version serves: what waits goes there, but for calls of objects that stayed. Does not fail. */
  forwardTo(next: HostCalls): void {
    this.#successor = next;
    this.#isHeld = false;
    this.#isDown = false;
    this.#flush();
  }

  /** The version in this thread that was to be replaced goes on: what waits, and comes, is its own. */
  giveBack(exports: unknown): void {
    this.#givenBack = { exports };
    this.#isHeld = false;
    this.#flush();
  }

  /** From now on every call is refused, also those that wait. */
  refuse(refusal: () => Error): void {
    this.#refusal = refusal;
    for (const { run } of this.#parked.splice(0)) run();
  }

  /** The version has ended. What waits still does so because the handle has been closed. */
  end(): void {
    const { addon, unloaded } = this.#options;
    this.#refusal = unloaded;
    this.lose(undefined, unloaded);
    for (const { reject } of this.#parked.splice(0))
      reject(errors.closed({ addon, attempted: 'call an export' }));
  }

  /** Stand-ins of objects that its host has made, or was told to make. */
  *held(): Generator<{ readonly standIn: object; readonly reference: Reference }> {
    for (const each of this.#options.standIns.of(this)) {
      if (each.reference.isMade && each.reference.gone === null) yield each;
    }
  }

  /** Objects that nobody had saved went with their host. */
  lose(kept: ReadonlySet<number> = new Set(), why: () => Error = this.#lost): void {
    for (const { reference } of this.held()) if (!kept.has(reference.id)) reference.gone = why;
  }

  // Remote

  call(path: readonly string[], args: readonly unknown[]): Promise<unknown> {
    return this.#onCurrent(
      args,
      (calls, given) => calls.#send({ kind: 'call', path, args: calls.#wire(given) }),
      (exports, given) => {
        const { holder, found } = findExport(exports, path);
        return Reflect.apply(found as Callable, holder, given);
      },
    );
  }

  get(path: readonly string[]): Promise<unknown> {
    return this.#onCurrent(
      [],
      (calls) => calls.#send({ kind: 'get', path }),
      (exports) => findExport(exports, path).found,
    );
  }

  set(path: readonly string[], value: unknown): void {
    this.#onCurrent([value], (calls, [given]) =>
      calls.#send({ kind: 'set', path, value: calls.#wire(given) }),
    ).catch(warnOfRejection);
  }

  construct(standIn: object, path: readonly string[], args: readonly unknown[]): void {
    const { standIns } = this.#options;
    const name = path.join('.');
    const made = { gone: null, isMade: false, sends: 0 };
    const reference: Reference = { owner: this, id: standIns.nextId(), name, ...made };
    standIns.add(standIn, reference);
    const making = this.#onCurrent(args, (calls, given) => {
      const { id } = reference;
      const sent = calls.#send({ kind: 'construct', path, id, args: calls.#wire(given) });
      reference.owner = calls;
      reference.isMade = true;
      reference.sends = 1;
      // It may have been let go of while it waited.
      if (standIns.find(id) === undefined) calls.letGo(reference);
      return sent;
    });
    making.catch((error: unknown) => {
      reference.gone ??= () => (error instanceof Error ? error : new Error(String(error)));
    });
  }

  callOn(standIn: object, key: string, args: readonly unknown[]): Promise<unknown> {
    return this.#onObject(standIn, args, (calls, id, given) =>
      calls.#send({ kind: 'callOn', id, key, args: calls.#wire(given) }),
    );
  }

  getOf(standIn: object, key: string): Promise<unknown> {
    return this.#onObject(standIn, [], (calls, id) => calls.#send({ kind: 'getOf', id, key }));
  }

  setOf(standIn: object, key: string, value: unknown): void {
    this.#onObject(standIn, [value], (calls, id, [given]) =>
      calls.#send({ kind: 'setOf', id, key, value: calls.#wire(given) }),
    ).catch(warnOfRejection);
  }

  dispose(standIn: object): void {
    const { standIns, addon } = this.#options;
    const reference = standIns.referenceOf(standIn);
    if (reference === undefined || reference.gone !== null) return;
    reference.gone = () => errors.closed({ addon, attempted: 'use an object that was disposed of' });
    standIns.dispose(reference);
  }

  /** @param here the same in this thread, for what waited in vain */
  #onCurrent<T>(
    args: Arguments,
    work: (calls: HostCalls, args: Arguments) => Promise<T>,
    here: (exports: unknown, args: Arguments) => unknown = () => {
      throw this.#options.unloaded();
    },
  ): Promise<T> {
    return this.#enter(
      () => this.#current,
      args,
      (calls, given) => {
        if (calls.#givenBack === null) return work(calls, given);
        return Promise.resolve(here(calls.#givenBack.exports, given) as T);
      },
    );
  }

  /** Of the version that serves. */
  get #current(): HostCalls {
    let current: HostCalls = this;
    while (current.#successor !== null) current = current.#successor;
    return current;
  }

  #onObject<T>(
    standIn: object,
    args: Arguments,
    work: (calls: HostCalls, id: number, args: Arguments) => Promise<T>,
  ): Promise<T> {
    const reference = this.#options.standIns.referenceOf(standIn);
    if (reference === undefined) {
      return Promise.reject(new TypeError('Illegal invocation: the receiver is no object of the addon'));
    }
    return this.#enter(
      () => reference.owner as HostCalls,
      args,
      (calls, given) =>
        reference.gone ? Promise.reject(reference.gone()) : work(calls, reference.id, given),
      () => reference.gone?.(),
    );
  }

  /**
   * @param find asked again for a call that had to wait
   * @param refuse why it is refused, where there is a better reason than that the version has ended
   */
  #enter<T>(
    find: () => HostCalls,
    args: Arguments,
    work: (calls: HostCalls, args: Arguments) => Promise<T>,
    refuse: () => Error | undefined = () => undefined,
  ): Promise<T> {
    const calls = find();
    if (calls.#refusal !== null) return Promise.reject(refuse() ?? calls.#refusal());
    if (!calls.#isWaiting()) return attempt(() => work(calls, args));
    if (calls.#parked.length >= PARKED_MAX) {
      const { addon } = this.#options;
      return Promise.reject(errors.busy({ addon, reason: 'waiting', sharedWith: null }));
    }
    return new Promise<T>((resolve, reject) => {
      const { standIns, isShared } = this.#options;
      const given = parkArguments(args, (value) => standIns.referenceOf(value) !== undefined, isShared);
      const run = (): void => void this.#enter(find, given(), work, refuse).then(resolve, reject);
      calls.#parked.push({ run, reject });
    });
  }

  #isWaiting(): boolean {
    return this.#isHeld || this.#isDown;
  }

  #flush(): void {
    if (this.#isWaiting()) return;
    for (const { run } of this.#parked.splice(0)) run();
  }

  #send<T = unknown>(ask: Ask): Promise<T> {
    this.#isDirty = true;
    if (this.#session === null) return Promise.reject(this.#options.unloaded());
    return this.#session.ask<T>(ask, true);
  }

  #wire(value: unknown): Wire {
    assert(this.#session !== null, 'it was started');
    return this.#session.wire(value);
  }

  // Taker, Giver

  take(value: object): Special | null {
    const { standIns, version } = this.#options;
    const reference = standIns.referenceOf(value);
    if (reference !== undefined) {
      if (reference.gone !== null) throw reference.gone();
      if (reference.owner === this) return { kind: 'object', id: reference.id, name: reference.name };
      throw new TypeError(`An object of another version cannot be given to version ${version}`);
    }
    if (typeof value !== 'function') return null;
    const theirs = standIns.functionOf(value);
    if (theirs?.owner !== this) {
      return { kind: 'function', id: this.#callbacks.idOf(value as Callback), name: value.name };
    }
    if (!this.#isOfThisHost(theirs.id)) throw this.#lost();
    return { kind: 'your-function', id: theirs.id };
  }

  give(special: Exclude<Special, { kind: 'error' | 'same' }>): unknown {
    switch (special.kind) {
      case 'function':
        return this.#functionOf(special.id, special.name);
      case 'your-function':
        return this.#callbacks.get(special.id);
      case 'object':
        return this.#known(special.id) ?? this.#objectOf(special.id, special.name);
      case 'iterator':
        return this.#iteratorOf(special.id);
      case 'array':
        return undefined;
    }
  }

  cancel(special: Special): void {
    if (special.kind === 'function') this.#callbacks.release([special.id, 1]);
  }

  #known(id: number): object | undefined {
    const { standIns } = this.#options;
    const standIn = standIns.find(id);
    const reference = standIn && standIns.referenceOf(standIn);
    // One that has moved is counted by whoever has it now.
    if (reference?.owner === this) reference.sends += 1;
    return standIn;
  }

  #objectOf(id: number, name: string): object {
    const made = this.classes.get(name);
    const standIn = made ? (Object.create(made.prototype) as object) : this.#openObject();
    this.#options.standIns.add(standIn, { owner: this, id, name, gone: null, isMade: true, sends: 1 });
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

  /** Of this version for good. One that went with a host is not what another host has under its number. */
  #functionOf(id: number, name: string): Callable {
    const run = (_: HostCalls, args: Arguments): Promise<unknown> => {
      if (!this.#isOfThisHost(id)) return Promise.reject(this.#lost());
      return this.#send({ kind: 'invoke', id, args: this.#wire(args) });
    };
    const { invoke } = { invoke: (...args: unknown[]) => this.#enter(() => this, args, run) };
    Object.defineProperty(invoke, 'name', { value: name, configurable: true });
    this.#options.standIns.addFunction(invoke, this, id);
    return invoke;
  }

  #iteratorOf(id: number): AsyncIterableIterator<unknown> {
    let isDone = false;
    const step = async (key: string, args: unknown[]): Promise<IteratorResult<unknown>> => {
      if (isDone) return { done: true, value: undefined };
      const result = (await this.callOn(iterator, key, args)) as IteratorResult<unknown>;
      if (result.done) {
        // It keeps its version from here on no more, whoever holds it.
        isDone = true;
        this.dispose(iterator);
      }
      return result;
    };
    const iterator: AsyncIterableIterator<unknown> = {
      next: (...args) => step('next', args),
      return: async (value) => {
        const last = await step('return', [await value]).catch(() => ({ done: true as const, value }));
        this.dispose(iterator);
        return last;
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    this.#options.standIns.add(iterator, { owner: this, id, name: '', gone: null, isMade: true, sends: 1 });
    return iterator;
  }

  #isOfThisHost(id: number): boolean {
    return id <= this.#firstId && id > this.#firstId - IDS_PER_HOST;
  }

  letGo(reference: Reference): void {
    const { id, sends } = reference;
    reference.sends = 0;
    if (sends > 0) this.#session?.release([[id, sends]]);
    this.#options.onRelease();
  }

  letGoOfFunction(id: number): void {
    this.#session?.release([], [[id, 1]]);
  }
}

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
