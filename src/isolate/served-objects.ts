/**
 * The host's side of what both sides know by numbers: objects and functions of its version, which the handle's side
 * holds, and stand-ins for callbacks, which are functions of the handle's side. `host-objects.ts` is the other side.
 */
import type { Native } from '../native.ts';
import { Arrays } from './arrays.ts';
import type { Answer, FromHost, ToHost } from './messages.ts';
import { Held, type Released } from './objects.ts';
import type { Port } from './port.ts';
import {
  cancelWire,
  fromWire,
  fromWireError,
  type Giver,
  lending,
  type Special,
  type Taker,
  toWire,
  type Wire,
} from './wire.ts';

type Callback = (...args: unknown[]) => Promise<unknown>;

interface KnownCallback {
  readonly id: number;
  readonly weak: WeakRef<Callback>;
  /** How often it has come. */
  sends: number;
}

export interface ServedObjectsOptions {
  readonly port: Port<FromHost, ToHost>;
  readonly native: Native;
  /** The dotted name of the exported class that an object is of; null for another one, or while nothing is loaded. */
  classOf(object: object): string | null;
}

export class ServedObjects implements Taker, Giver {
  readonly #port: Port<FromHost, ToHost>;
  readonly #native: Native;
  readonly #classOf: (object: object) => string | null;
  readonly #arrays: Arrays;
  /** Values with large arrays lent. A state is never lent: it must stay what it was. */
  readonly lent: Taker & Giver;
  /** What is saved: that may never be looked at over there. */
  readonly saved: Taker = { take: (value) => this.#take(value, 0) };
  /** The handle's side has numbers above 0 for those that it had made, this side has numbers below. */
  readonly #objects = new Held<object>();
  readonly #functions = new Held<object>();
  /** What constructors threw. */
  readonly #broken = new Map<number, unknown>();
  readonly #callbacks = new Map<number, KnownCallback>();
  readonly #callbackIds = new WeakMap<object, number>();
  readonly #gone = new FinalizationRegistry<KnownCallback>((known) => this.#letGo(known));
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  #calls = 0;

  constructor({ port, native, classOf }: ServedObjectsOptions) {
    this.#port = port;
    this.#native = native;
    this.#classOf = classOf;
    this.#arrays = new Arrays('', native, (message) => port.post({ arrays: message }));
    this.lent = lending(this, this.#arrays);
  }

  /** Once the other side's messages are listened to. */
  start(): void {
    this.#arrays.start();
  }

  /** The other side has ended, or another version is to come. */
  end(): void {
    this.#arrays.end();
  }

  /** Numbers go down from there, so that they are none of the other side's, and of no other host. */
  countFrom(first: number): void {
    this.#objects.countFrom(first);
    this.#functions.countFrom(first);
  }

  // Objects and functions of the version.

  /** One that the other side knows by that number. */
  set(id: number, object: object): void {
    this.#objects.set(id, object);
  }

  /** There is none by that number: its constructor threw. */
  setBroken(id: number, thrown: unknown): void {
    this.#broken.set(id, thrown);
  }

  entries(): Iterable<readonly [id: number, object: object]> {
    return this.#objects.entries();
  }

  /** @throws what its constructor threw, or TypeError when there is none by that number any more */
  objectOf(id: number): object {
    const object = this.#objects.get(id);
    if (this.#broken.has(id)) throw this.#broken.get(id);
    if (object === undefined) throw new TypeError(`object ${id} is not there any more`);
    return object;
  }

  functionOf(id: number): object | undefined {
    return this.#functions.get(id);
  }

  /** Nobody over there holds these any more. */
  release(objects: readonly Released[], functions: readonly Released[]): void {
    for (const released of objects) {
      this.#objects.release(released);
      this.#broken.delete(released[0]);
    }
    for (const released of functions) this.#functions.release(released);
  }

  clear(): void {
    this.#objects.clear();
    this.#functions.clear();
  }

  // Values on their way.

  open(wire: Wire): unknown {
    return fromWire(wire, this);
  }

  take(value: object): Special | null {
    return this.#take(value, 1);
  }

  cancel(special: Special): void {
    if (special.kind === 'function') this.#functions.release([special.id, 1]);
    if (special.kind === 'object' || special.kind === 'iterator') this.#objects.release([special.id, 1]);
  }

  #take(value: object, sends: number): Special | null {
    if (typeof value === 'function') {
      const theirs = this.#callbackIds.get(value);
      if (theirs !== undefined) return { kind: 'your-function', id: theirs };
      return { kind: 'function', id: this.#functions.idOf(value, sends), name: value.name };
    }
    const iterator: unknown = Reflect.get(value, Symbol.asyncIterator);
    if (typeof iterator === 'function') {
      return {
        kind: 'iterator',
        id: this.#objects.idOf(Reflect.apply(iterator, value, []) as object, sends),
      };
    }
    const name = this.#classOf(value);
    if (name === null && !this.#native.holdsNative(value)) return null;
    return { kind: 'object', id: this.#objects.idOf(value, sends), name: name ?? '' };
  }

  give(special: Exclude<Special, { kind: 'error' | 'same' }>): unknown {
    switch (special.kind) {
      case 'array':
        return this.#arrays.borrow(special.loan);
      case 'function':
        return this.#callback(special.id, special.name);
      case 'your-function':
        return this.functionOf(special.id);
      case 'object':
      case 'iterator':
        return this.objectOf(special.id);
    }
  }

  /** What the other side says of the memory for large arrays. */
  receiveArrays(message: unknown): void {
    this.#arrays.receive(message);
  }

  // Callbacks.

  /** What the addon calls is run on the other side, which answers later. */
  #callback(id: number, name: string): Callback {
    const known = this.#callbacks.get(id);
    const before = known?.weak.deref();
    if (known !== undefined && before !== undefined) {
      known.sends += 1;
      return before;
    }
    const callback: Callback = (...args) =>
      new Promise((resolve, reject) => {
        this.#calls += 1;
        const n = this.#calls;
        const wire = toWire(args, this.lent);
        try {
          this.#port.post({ call: { n, id, args: wire } });
        } catch (error) {
          cancelWire(wire, this.lent);
          throw error;
        }
        this.#waiting.set(n, { resolve, reject });
      });
    Object.defineProperty(callback, 'name', { value: name });
    const made: KnownCallback = { id, weak: new WeakRef(callback), sends: 1 };
    this.#callbacks.set(id, made);
    this.#callbackIds.set(callback, id);
    this.#gone.register(callback, made);
    return callback;
  }

  #letGo(known: KnownCallback): void {
    const { id, sends } = known;
    // It may have come once more since.
    if (this.#callbacks.get(id) === known) this.#callbacks.delete(id);
    this.#port.post({ release: [[id, sends]] });
  }

  /** Of a callback that this side has called. */
  settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.n);
    this.#waiting.delete(answer.n);
    if ('error' in answer) waiting?.reject(fromWireError(answer.error, this));
    else waiting?.resolve(this.open(answer.value));
  }
}
