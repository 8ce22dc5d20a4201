/**
 * A data property, or a getter and setter, of an exported object or class, as it stands on the facade: it reads and writes
 * the raw one that is live. So what native code changes later is seen, and what the user writes reaches the addon.
 */
import { type AccessorSlot, forwardAccessor } from './forwarder.ts';
import type { AccessorShape, Callable, ValueShape } from './shape.ts';

export class Accessor implements AccessorSlot {
  readonly #facade: object;
  readonly #key: PropertyKey;
  readonly #halves: { readonly get: Callable; readonly set: Callable };
  #raw: object | null = null;
  #thrower: Callable | null = null;

  constructor(facade: object, key: PropertyKey) {
    this.#facade = facade;
    this.#key = key;
    this.#halves = forwardAccessor(this);
  }

  /** The property that stands on the facade while the live version has this shape. */
  descriptor(shape: AccessorShape | ValueShape): PropertyDescriptor {
    const { enumerable } = shape;
    if (shape.kind === 'value') return { ...this.#halves, enumerable, configurable: true };
    return {
      ...(shape.get && { get: this.#halves.get }),
      ...(shape.set && { set: this.#halves.set }),
      enumerable,
      configurable: true,
    };
  }

  /** Takes the live version's holder of the property. */
  publish(raw: object): void {
    this.#raw = raw;
    this.#thrower = null;
  }

  /** The live version has no such property, or there is no live version any more. */
  retire(thrower: Callable): void {
    this.#raw = null;
    this.#thrower = thrower;
  }

  get(receiver: unknown): unknown {
    this.#thrower?.();
    return this.#raw === null ? undefined : Reflect.get(this.#raw, this.#key, this.#holderFor(receiver));
  }

  set(receiver: unknown, value: unknown): void {
    this.#thrower?.();
    if (this.#raw === null || Reflect.set(this.#raw, this.#key, value, this.#holderFor(receiver))) return;
    // What the language throws: a setter can't say "refused" in another way.
    throw new TypeError(`Cannot assign to read only property '${String(this.#key)}'`);
  }

  /**
   * A static accessor may look for a private field, which only the raw class has. A subclass of the user stays itself:
   * an assignment to it makes a property of its own.
   */
  #holderFor(receiver: unknown): unknown {
    return receiver === this.#facade ? this.#raw : receiver;
  }
}
