/**
 * One name on the prototype of a class, whatever it stands for in which version: a method in one, an accessor in another,
 * and missing in a third.
 */
import { errors } from '../errors.ts';
import { type AccessorSlot, forwardAccessor, forwardMethod, label, type MethodSlot } from './forwarder.ts';
import { type Callable, isCallable, isObject, type MemberShape } from './shape.ts';
import { lookup, type VersionRecord, type Versions, versionOf } from './versions.ts';

export class Member implements MethodSlot, AccessorSlot {
  readonly versions: Versions;
  readonly #prototype: object;
  readonly #key: PropertyKey;
  readonly #path: string;
  readonly #method: Callable;
  readonly #accessor: { readonly get: Callable; readonly set: Callable };
  #shape: MemberShape | null = null;
  target: Callable;

  constructor(versions: Versions, prototype: object, key: PropertyKey, path: string) {
    this.versions = versions;
    this.#prototype = prototype;
    this.#key = key;
    this.#path = path;
    this.target = () => this.#absent(versions.current);
    this.#method = forwardMethod(this);
    this.#accessor = forwardAccessor(this);
  }

  /** The property that stands on the facade's prototype while the live version has this shape. */
  descriptor(shape: MemberShape): PropertyDescriptor {
    const { enumerable } = shape;
    if (shape.kind === 'value') return { value: shape.value, writable: true, enumerable, configurable: true };
    if (shape.kind === 'method')
      return { value: this.#method, writable: true, enumerable, configurable: true };
    return {
      ...(shape.get && { get: this.#accessor.get }),
      ...(shape.set && { set: this.#accessor.set }),
      enumerable,
      configurable: true,
    };
  }

  /**
   * The property that stays when the live version no longer has it: instances of a version that had it still find it,
   * and for all others it reads as undefined.
   */
  remainder(): PropertyDescriptor {
    return { ...this.#accessor, enumerable: false, configurable: true };
  }

  /** Takes the live version's shape, or null when it has none. */
  publish(shape: MemberShape | null): void {
    this.#shape = shape?.kind === 'value' ? null : shape;
    this.target = shape?.kind === 'method' ? shape.method : () => this.#absent(this.versions.current);
    if (shape?.kind === 'method') label(this.#method, shape.method);
  }

  revoke(thrower: Callable): void {
    this.#shape = null;
    this.target = thrower;
  }

  targetOf(receiver: unknown): Callable {
    const record = this.#oldVersionOf(receiver);
    if (record === null) return this.target;
    const found = lookup(record, this.#prototype, this.#key);
    const method: unknown = found?.get ? Reflect.apply(found.get, receiver, []) : found?.value;
    return isCallable(method) ? method : this.#absent(record);
  }

  get(receiver: unknown): unknown {
    const record = this.#oldVersionOf(receiver);
    if (record === null) {
      return this.#shape?.kind === 'accessor' && this.#shape.get
        ? Reflect.apply(this.#shape.get, receiver, [])
        : undefined;
    }
    const found = lookup(record, this.#prototype, this.#key);
    if (!found) return this.#shape === null ? undefined : this.#absent(record);
    if (found.get) return Reflect.apply(found.get, receiver, []);
    return isCallable(found.value) ? this.#method : found.value;
  }

  set(receiver: unknown, value: unknown): void {
    const record = this.#oldVersionOf(receiver);
    const found = record === null ? this.#shape : lookup(record, this.#prototype, this.#key);
    if (found && 'set' in found && found.set) {
      Reflect.apply(found.set, receiver, [value]);
      return;
    }
    if (found && 'get' in found) this.#absent(record ?? this.versions.current);
    // An ordinary property would be shadowed by the assignment.
    const property = { value, writable: true, enumerable: true, configurable: true };
    if (isObject(receiver)) Reflect.defineProperty(receiver, this.#key, property);
  }

  /** @returns null for the live version, and for objects that no version made */
  #oldVersionOf(receiver: unknown): VersionRecord | null {
    if (this.versions.revoked) throw this.versions.revoked();
    const record = versionOf(this.versions, receiver);
    return record === this.versions.current ? null : record;
  }

  #absent(record: VersionRecord | null): never {
    throw errors.exportRemoved({
      addon: this.versions.addon,
      name: this.#path,
      version: record?.version ?? 0,
    });
  }
}
