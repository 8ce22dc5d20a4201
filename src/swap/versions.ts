/**
 * Which version an instance belongs to. V8 checks receivers, so an old instance must run its own version's methods.
 *
 * 1. What is made through a facade is stamped with its version's record, in a private field: invisible, and collected
 *    with the instance.
 * 2. What native code makes by itself is known by the raw prototype in its chain, which is linked at the publish.
 * 3. A record is held by the stamps, by the links of its own prototypes, and while it is current; by nothing else. So
 *    a version's exports can be collected once none of its instances lives.
 */
import { types } from 'node:util';
import type { VersionId } from '../brands.ts';

/** One version of one handle, for as long as an instance of it lives. */
export interface VersionRecord {
  readonly owner: Versions;
  readonly version: VersionId;
  /** From a facade's prototype object to the raw prototype of this version. */
  readonly prototypes: ReadonlyMap<object, object>;
}

/** What is current in one handle. */
export interface Versions {
  readonly addon: string;
  current: VersionRecord | null;
  /** Set once the handle is closed. */
  revoked: (() => Error) | null;
}

interface Link {
  readonly record: VersionRecord;
  /** What the prototype inherited from before it was linked. */
  readonly parent: object | null;
}

const links = new WeakMap<object, Link>();
/** Private fields may be refused on objects that are not extensible (nonextensible-applies-to-private). */
const frozen = new WeakMap<object, VersionRecord>();
/** By raw class; what {@link isInstance} goes by. */
const classes = new WeakMap<object, ClassLink>();

class Identity {
  constructor(value: object) {
    // biome-ignore lint/correctness/noConstructorReturn: a subclass's private field then lands on the given object
    return value;
  }
}

class Stamp extends Identity {
  #record: VersionRecord;

  constructor(instance: object, record: VersionRecord) {
    super(instance);
    this.#record = record;
  }

  static move(instance: object, record: VersionRecord): void {
    if (#record in instance) instance.#record = record;
  }

  static of(value: unknown): VersionRecord | undefined {
    // A function can be an instance too: a constructor may return one.
    if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return undefined;
    return #record in value ? value.#record : undefined;
  }
}

/** Marks what a constructor made; the first mark stays, as for a constructor that returns the same object again. */
export function stamp(instance: object, record: VersionRecord): void {
  if (Stamp.of(instance) !== undefined || frozen.has(instance)) return;
  if (Object.isExtensible(instance)) new Stamp(instance, record);
  else frozen.set(instance, record);
}

/**
 * Whether an instance can become one of another version.
 *
 * @param rawPrototype of the class that made it
 */
export function canMove(versions: Versions, instance: object, rawPrototype: object): boolean {
  // A trap is code of somebody's, and would run in the switch.
  if (types.isProxy(instance)) return false;
  if (Object.getPrototypeOf(instance) === rawPrototype) return Object.isExtensible(instance);
  return (Stamp.of(instance) ?? frozen.get(instance))?.owner === versions;
}

/** Makes an instance that {@link canMove} one of another version. Does not fail: the new version serves by now. */
export function move(instance: object, rawPrototype: object, next: object, record: VersionRecord): void {
  if (Object.getPrototypeOf(instance) === rawPrototype) Reflect.setPrototypeOf(instance, next);
  Stamp.move(instance, record);
  if (frozen.has(instance)) frozen.set(instance, record);
}

/** Whether a receiver is stamped as of the live version: the quick answer on the way of every method call. */
export function isCurrent(versions: Versions, receiver: unknown): boolean {
  return versions.current !== null && Stamp.of(receiver) === versions.current;
}

/** @returns the record of the version that made the receiver, null for an object that no version made */
export function versionOf(versions: Versions, receiver: unknown): VersionRecord | null {
  const stamped = Stamp.of(receiver);
  if (stamped?.owner === versions) return stamped;
  let object: object | null =
    typeof receiver === 'object' || typeof receiver === 'function' ? receiver : null;
  const kept = object === null ? undefined : frozen.get(object);
  if (kept?.owner === versions) return kept;
  for (; object !== null; object = Object.getPrototypeOf(object)) {
    const link = links.get(object);
    if (link?.record.owner === versions) return link.record;
  }
  return null;
}

/** @returns what the addon made this prototype inherit from, whether it is linked by now or not */
export function parentOf(prototype: object): object | null {
  const link = links.get(prototype);
  return link ? link.parent : Object.getPrototypeOf(prototype);
}

/** @returns what a version's own prototypes hold under a key */
export function lookup(
  record: VersionRecord,
  facade: object,
  key: PropertyKey,
): PropertyDescriptor | undefined {
  let prototype: object | null = record.prototypes.get(facade) ?? null;
  for (; prototype !== null; prototype = parentOf(prototype)) {
    const property = Object.getOwnPropertyDescriptor(prototype, key);
    if (property) return property;
  }
  return undefined;
}

/** The parts of a class that {@link linkClass} ties together. */
export interface ClassLink {
  readonly raw: object;
  readonly rawPrototype: object;
  readonly facade: object;
  readonly facadePrototype: object;
  readonly record: VersionRecord;
}

/**
 * Makes instances that native code creates by itself instances of the facade, and the other way round. Does what it
 * can on a raw class that is frozen.
 *
 * @throws what a trap throws, where the class inherits from a Proxy
 */
export function linkClass(link: ClassLink): void {
  const { raw, rawPrototype, facadePrototype, record } = link;
  const parent = parentOf(rawPrototype);
  Reflect.setPrototypeOf(rawPrototype, bridge(rawPrototype, parent, facadePrototype));
  links.set(rawPrototype, { record, parent });
  const made = Object.getOwnPropertyDescriptor(rawPrototype, 'constructor');
  if (made?.value === raw)
    Reflect.defineProperty(rawPrototype, 'constructor', { ...made, value: link.facade });
  const check = Object.getOwnPropertyDescriptor(raw, Symbol.hasInstance);
  if (check !== undefined && !isOurs(check.value)) return;
  classes.set(raw, link);
  if (check === undefined) Reflect.defineProperty(raw, Symbol.hasInstance, instanceCheck);
}

/** Whether a raw class's `Symbol.hasInstance` was put there by {@link linkClass}. */
export function isOurs(check: unknown): boolean {
  return check === isInstance;
}

/**
 * What a raw prototype inherits from once it is linked. `super.add()` in a raw method looks there: it must find what
 * it found before, not the facade's `add`, which would lead back to the method that asks.
 */
function bridge(rawPrototype: object, parent: object | null, facadePrototype: object): object {
  const hidden: [PropertyKey, PropertyDescriptor][] = [];
  for (const key of Reflect.ownKeys(rawPrototype)) {
    const inherited = key === 'constructor' ? undefined : inheritedProperty(parent, key);
    if (inherited) hidden.push([key, inherited]);
  }
  if (hidden.length === 0) return facadePrototype;
  const object: object = Object.create(facadePrototype);
  for (const [key, property] of hidden) Object.defineProperty(object, key, property);
  return object;
}

function inheritedProperty(parent: object | null, key: PropertyKey): PropertyDescriptor | undefined {
  for (let object = parent; object !== null; object = parentOf(object)) {
    const property = Object.getOwnPropertyDescriptor(object, key);
    if (property) return property;
  }
  return undefined;
}

/**
 * `napi_instanceof` and `InstanceOf()` with the raw class guard many an unwrap. Instances made through the facade do
 * not have the raw prototype in their chain, so the class is told; only of its own version, since another one's
 * memory has another layout.
 */
function isInstance(this: unknown, value: unknown): boolean {
  if (Reflect.apply(Function.prototype[Symbol.hasInstance], this, [value]) === true) return true;
  const link = classes.get(this as object);
  if (link === undefined || !inherits(value, link.facadePrototype)) return false;
  const { record, rawPrototype, facadePrototype } = link;
  return versionOf(record.owner, value)?.prototypes.get(facadePrototype) === rawPrototype;
}

const instanceCheck: PropertyDescriptor = { value: isInstance, configurable: true };

/** Whether a prototype is in the chain of a value. */
export function inherits(value: unknown, prototype: object): boolean {
  return Object.prototype.isPrototypeOf.call(prototype, value as object);
}
