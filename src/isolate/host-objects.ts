/**
 * Objects and functions that one version in a host and this side know of each other, by their numbers.
 *
 * Rules:
 * 1. What stands in for an object of the addon keeps its number wherever the object is made anew: in another host after
 *    a crash, or in another version, which owns it then.
 * 2. A function of the addon is of one host for good. No two hosts hand out the same numbers, so that one which went with
 *    its host is not taken for one of the next.
 * 3. Functions of this side that a host holds, its callbacks, go with that host.
 */
import type { Callable } from '../swap/shape.ts';
import type { HostCalls } from './host-calls.ts';
import { Held } from './objects.ts';
import type { Session } from './session.ts';
import type { Owner, Reference, StandIns } from './stand-ins.ts';
import { makeIterator, makeOpenObject, type StubClass } from './stubs.ts';
import type { Giver, Special, Taker } from './wire.ts';

export type Callback = (...args: unknown[]) => unknown;

/** Numbers of objects and functions that one host hands out. */
const IDS_PER_HOST = 2 ** 32;

/** Those of this thread that were given numbers. */
let hosts = 0;

/** The first of the numbers that a new host hands out, counting down. */
export function nextFirstId(): number {
  hosts += 1;
  return -hosts * IDS_PER_HOST;
}

export interface HostObjectsOptions {
  readonly version: number;
  readonly standIns: StandIns;
  /** What calls are refused with once the version has ended. */
  unloaded(): Error;
  /** Nobody on this side holds an object any more that was held. */
  onRelease(): void;
}

export class HostObjects implements Taker, Giver, Owner {
  readonly calls: HostCalls;
  readonly #options: HostObjectsOptions;
  #session: Session | null = null;
  #firstId = 0;
  #callbacks = new Held<Callback>();
  /** What is refused with it that went with a host. */
  #lost: () => Error;
  /** By their dotted names: objects of exported classes are instances of them. */
  classes: ReadonlyMap<string, StubClass> = new Map();

  /** @param calls what is done with the objects and functions goes there */
  constructor(calls: HostCalls, options: HostObjectsOptions) {
    this.calls = calls;
    this.#options = options;
    this.#lost = options.unloaded;
  }

  // Of the version.

  /** Its numbers are those of this host from now on. */
  connect(session: Session, firstId: number, callbacks: Held<Callback>): void {
    this.#session = session;
    this.#firstId = firstId;
    this.#callbacks = callbacks;
  }

  /** Its host has crashed. @param lost what is refused with it that a restart does not bring back */
  goDown(lost: () => Error): void {
    this.#lost = lost;
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

  // Of its calls.

  /** Names an object that is to be made, when the call for that no longer waits. */
  expect(standIn: object, name: string): Reference {
    return this.#add(standIn, { id: this.#options.standIns.nextId(), name, isMade: false, sends: 0 });
  }

  /** Its host has made the object, or was told to, by the number that it had before. */
  own(reference: Reference): void {
    reference.owner = this;
    reference.isMade = true;
    reference.sends = 1;
    // It may have been let go of meanwhile.
    if (this.#options.standIns.find(reference.id) === undefined) this.letGo(reference);
  }

  /** @throws what a function is refused with that went with its host */
  checkFunction(id: number): void {
    if (id > this.#firstId || id <= this.#firstId - IDS_PER_HOST) throw this.#lost();
  }

  // Taker

  take(value: object): Special | null {
    const reference = this.#options.standIns.referenceOf(value);
    if (reference !== undefined) return this.#takeObject(reference);
    return typeof value === 'function' ? this.#takeFunction(value as Callback) : null;
  }

  #takeObject({ owner, id, name, gone }: Reference): Special {
    if (gone !== null) throw gone();
    if (owner === this) return { kind: 'object', id, name };
    const { version } = this.#options;
    throw new TypeError(`An object of another version cannot be given to version ${version}`);
  }

  #takeFunction(value: Callback): Special {
    const theirs = this.#options.standIns.functionOf(value);
    if (theirs?.owner !== this) {
      return { kind: 'function', id: this.#callbacks.idOf(value), name: value.name };
    }
    this.checkFunction(theirs.id);
    return { kind: 'your-function', id: theirs.id };
  }

  cancel(special: Special): void {
    if (special.kind === 'function') this.#callbacks.release([special.id, 1]);
  }

  // Giver

  give(special: Exclude<Special, { kind: 'error' | 'same' }>): unknown {
    switch (special.kind) {
      case 'function':
        return this.#functionOf(special.id, special.name);
      case 'your-function':
        return this.#callbacks.get(special.id);
      case 'object':
        return this.#known(special.id) ?? this.#objectOf(special.id, special.name);
      case 'iterator':
        return this.#sent(makeIterator(this.calls), special.id, '');
      case 'array':
        return undefined;
    }
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
    const standIn = made ? (Object.create(made.prototype) as object) : makeOpenObject(this.calls);
    return this.#sent(standIn, id, name);
  }

  #sent(standIn: object, id: number, name: string): object {
    this.#add(standIn, { id, name, isMade: true, sends: 1 });
    return standIn;
  }

  #add(standIn: object, about: Pick<Reference, 'id' | 'name' | 'isMade' | 'sends'>): Reference {
    const reference: Reference = { owner: this, gone: null, ...about };
    this.#options.standIns.add(standIn, reference);
    return reference;
  }

  #functionOf(id: number, name: string): Callable {
    const invoke = (...args: unknown[]): Promise<unknown> => this.calls.invoke(id, args);
    Object.defineProperty(invoke, 'name', { value: name, configurable: true });
    this.#options.standIns.addFunction(invoke, this, id);
    return invoke;
  }

  // Owner

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
