/** Objects and functions of the addon that JavaScript on this side holds, by what stands in for them. One for each handle. */
import type { HostCalls } from './host-calls.ts';

/** Who answers for an object. Changes when it moves to another version. */
export interface Reference {
  owner: Owner;
  readonly id: number;
  /** The dotted name of its class; empty for a class that is not exported. */
  readonly name: string;
  /** Why nothing can be asked of it any more. */
  gone: (() => Error) | null;
  /** Whether a host has it, or was told to make it; false while that waits. */
  isMade: boolean;
  /** How often its owner has sent its number, or was sent it: so much is let go of with it. */
  sends: number;
}

/** A version that has objects. */
export interface Owner {
  /** Where what is done with them goes. */
  readonly calls: HostCalls;
  /** Nobody on this side holds it any more. */
  letGo(reference: Reference): void;
  letGoOfFunction(id: number): void;
}

export class StandIns {
  readonly #references = new WeakMap<object, Reference>();
  readonly #byId = new Map<number, { readonly weak: WeakRef<object>; readonly reference: Reference }>();
  readonly #functions = new WeakMap<object, { readonly owner: Owner; readonly id: number }>();
  readonly #gone = new FinalizationRegistry<Reference>((reference) => this.#collected(reference));
  readonly #functionsGone = new FinalizationRegistry<{ owner: Owner; id: number }>(({ owner, id }) =>
    owner.letGoOfFunction(id),
  );
  #last = 0;

  nextId(): number {
    this.#last += 1;
    return this.#last;
  }

  add(standIn: object, reference: Reference): void {
    this.#references.set(standIn, reference);
    this.#byId.set(reference.id, { weak: new WeakRef(standIn), reference });
    this.#gone.register(standIn, reference, reference);
  }

  referenceOf(standIn: object): Reference | undefined {
    return this.#references.get(standIn);
  }

  find(id: number): object | undefined {
    return this.#byId.get(id)?.weak.deref();
  }

  /** Lets go of it now, not when it is collected. */
  dispose(reference: Reference): void {
    this.#gone.unregister(reference);
    this.#collected(reference);
  }

  addFunction(standIn: object, owner: Owner, id: number): void {
    this.#functions.set(standIn, { owner, id });
    this.#functionsGone.register(standIn, { owner, id });
  }

  functionOf(value: object): { readonly owner: Owner; readonly id: number } | undefined {
    return this.#functions.get(value);
  }

  /** Those that live and that this version answers for. */
  *of(owner: Owner): Generator<{ readonly standIn: object; readonly reference: Reference }> {
    for (const { weak, reference } of this.#byId.values()) {
      const standIn = reference.owner === owner ? weak.deref() : undefined;
      if (standIn !== undefined) yield { standIn, reference };
    }
  }

  #collected(reference: Reference): void {
    // Its number may have come once more since, for another one.
    if (this.#byId.get(reference.id)?.reference === reference) this.#byId.delete(reference.id);
    reference.owner.letGo(reference);
  }
}
