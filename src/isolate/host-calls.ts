/**
 * Calls of one version that runs in a host, and where they go.
 *
 * They wait, in their order, while the version is held by a switch, or is down because its host has crashed. Then they
 * go, each once, to whichever version serves by then; calls of objects and functions that stayed go to their own. What
 * was sent already is never sent again.
 */
import assert from 'node:assert/strict';
import { errors, isReloadError } from '../errors.ts';
import type { Callable } from '../swap/shape.ts';
import { HostObjects, type HostObjectsOptions } from './host-objects.ts';
import type { Ask } from './messages.ts';
import { parkArguments } from './parked-arguments.ts';
import type { Session } from './session.ts';
import type { Remote } from './stubs.ts';
import { findExport } from './surface.ts';
import type { Wire } from './wire.ts';

type Arguments = readonly unknown[];

/** Calls that may wait for a switch or a restart. */
const PARKED_MAX = 1_000_000;

interface Parked {
  run(): void;
  reject(error: Error): void;
}

export interface HostCallsOptions extends HostObjectsOptions {
  readonly addon: string;
  /** Whether both sides see what is written to these bytes. */
  isShared(buffer: ArrayBuffer): boolean;
}

export class HostCalls implements Remote {
  /** What its calls are given, return and are made on. */
  readonly objects: HostObjects;
  readonly #options: HostCallsOptions;
  #session: Session | null = null;
  #isHeld = false;
  #isDown = false;
  /** Whether a call was sent since this was set to false. */
  isDirty = false;
  #parked: Parked[] = [];
  #successor: HostCalls | null = null;
  #givenBack: { readonly exports: unknown } | null = null;
  /** What every call is refused with, for good. */
  #refusal: (() => Error) | null = null;

  constructor(options: HostCallsOptions) {
    this.#options = options;
    this.objects = new HostObjects(this, options);
  }

  // Of the version.

  /** Calls go there from now on, as far as they do not wait. */
  connect(session: Session): void {
    this.#session = session;
  }

  /** Whether calls are sent at once. */
  get isOpen(): boolean {
    return !this.#isWaiting && this.#refusal === null;
  }

  get isDown(): boolean {
    return this.#isDown;
  }

  set isHeld(isHeld: boolean) {
    this.#isHeld = isHeld;
    this.#flush();
  }

  /** Its host has crashed: calls wait from now on. */
  goDown(): void {
    this.#isDown = true;
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
    this.#flush();
  }

  /** The version has ended. What waits still does so because the handle has been closed. */
  end(): void {
    const { addon, unloaded } = this.#options;
    this.#refusal = unloaded;
    for (const { reject } of this.#parked.splice(0))
      reject(errors.closed({ addon, attempted: 'call an export' }));
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
    const reference = this.objects.expect(standIn, path.join('.'));
    const making = this.#onCurrent(args, (calls, given) => {
      const sent = calls.#send({ kind: 'construct', path, id: reference.id, args: calls.#wire(given) });
      calls.objects.own(reference);
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

  /** Of a function that came from its host. */
  invoke(id: number, args: Arguments): Promise<unknown> {
    const send = (_: HostCalls, given: Arguments): Promise<unknown> => {
      this.objects.checkFunction(id);
      return this.#send({ kind: 'invoke', id, args: this.#wire(given) });
    };
    return this.#enter(() => this, args, send);
  }

  // Where a call goes, and when.

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
      () => reference.owner.calls,
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
    if (!calls.#isWaiting) return attempt(() => work(calls, args));
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

  get #isWaiting(): boolean {
    return this.#isHeld || this.#isDown;
  }

  #flush(): void {
    if (this.#isWaiting && this.#refusal === null) return;
    for (const { run } of this.#parked.splice(0)) run();
  }

  #send<T = unknown>(ask: Ask): Promise<T> {
    this.isDirty = true;
    if (this.#session === null) return Promise.reject(this.#options.unloaded());
    return this.#session.ask<T>(ask, true);
  }

  #wire(value: unknown): Wire {
    assert(this.#session !== null, 'it was started');
    return this.#session.wire(value);
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
