/** A getter and setter on an exported object or class; both run on the raw one that is live. */
import { type AccessorSlot, forwardAccessor } from './forwarder.ts';
import type { AccessorShape, Callable } from './shape.ts';

export class Accessor implements AccessorSlot {
  readonly #facade: object;
  readonly #halves: { readonly get: Callable; readonly set: Callable };
  #raw: object | null = null;
  #get: Callable | undefined;
  #set: Callable | undefined;

  constructor(facade: object) {
    this.#facade = facade;
    this.#halves = forwardAccessor(this);
  }

  /** The property that stands on the facade while the live version has this shape. */
  descriptor(shape: AccessorShape): PropertyDescriptor {
    return {
      ...(shape.get && { get: this.#halves.get }),
      ...(shape.set && { set: this.#halves.set }),
      enumerable: shape.enumerable,
      configurable: true,
    };
  }

  /** Takes the live version's halves and their holder. */
  publish(shape: AccessorShape, raw: object): void {
    this.#raw = raw;
    this.#get = shape.get;
    this.#set = shape.set;
  }

  /** The live version has no such accessor, or there is no live version any more. */
  retire(thrower: Callable): void {
    this.#raw = null;
    this.#get = thrower;
    this.#set = thrower;
  }

  get(receiver: unknown): unknown {
    return this.#get && Reflect.apply(this.#get, this.#holderFor(receiver), []);
  }

  set(receiver: unknown, value: unknown): void {
    if (this.#set) Reflect.apply(this.#set, this.#holderFor(receiver), [value]);
  }

  /** A static accessor may look for a private field, which only the raw class has. */
  #holderFor(receiver: unknown): unknown {
    return receiver === this.#facade && this.#raw ? this.#raw : receiver;
  }
}
