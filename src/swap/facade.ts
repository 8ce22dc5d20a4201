/**
 * What stands in for one exported thing, for the life of the handle. A facade that the live version does not have stays
 * known, so that a name that comes back is the same object again: one for each name and kind there ever was.
 */
import type { VersionId } from '../brands.ts';
import { errors } from '../errors.ts';
import type { NativeEnter } from '../native.ts';
import { Accessor } from './accessor.ts';
import { ClassPrototype } from './class-prototype.ts';
import { type ClassSlot, forwardClass, forwardFunction, isNative, receiveRaw } from './forwarder.ts';
import { createNativeFacade, type NativeCode } from './native-code.ts';
import { type Edits, type Planning, pushParent } from './planning.ts';
import {
  type Callable,
  isCallable,
  isLabel,
  join,
  type Kind,
  labelsOf,
  type Node,
  type OwnShape,
  type ValueShape,
} from './shape.ts';
import { type Edit, Surface } from './surface.ts';
import type { Versions } from './versions.ts';

export class Facade {
  readonly kind: Kind;
  /** The first name it had. */
  readonly path: string;
  /** The object that the user holds. */
  readonly value: object;
  readonly prototype: ClassPrototype | null;
  /** Of a facade that is a native function. */
  readonly enter: NativeEnter | null = null;
  /** The facades that the properties of this one hold or held, by kind. */
  readonly children: Map<PropertyKey, Partial<Record<Kind, Facade>>> = new Map();
  readonly #versions: Versions;
  readonly #slot: ClassSlot;
  readonly #surface: Surface;
  /** Of the live version. */
  #own: ReadonlyMap<PropertyKey, OwnShape> = new Map();
  readonly #accessors = new Map<PropertyKey, Accessor>();

  /**
   * @param native what makes the facade a native function, where it stands for one; else null
   * @param adopted what a namespace is to be, in place of an object of its own
   */
  constructor(versions: Versions, node: Node, native: NativeCode | null, adopted: object | null = null) {
    this.kind = node.kind;
    this.path = node.path;
    this.#versions = versions;
    const slot: ClassSlot = {
      versions,
      target: this.#thrower(0),
      isNative: false,
      prototype: Object.prototype,
    };
    this.#slot = slot;
    if (node.kind === 'class') {
      const made = native && createNativeFacade(slot, nameOf(node), native);
      const value = made?.value ?? forwardClass(slot);
      this.enter = made?.enter ?? null;
      this.prototype = new ClassPrototype(versions, value, join(node.path, 'prototype'));
      slot.prototype = this.prototype.value;
      this.value = value;
    } else {
      this.prototype = null;
      this.value =
        node.kind === 'function'
          ? forwardFunction(slot)
          : (adopted ?? Object.create(Object.getPrototypeOf(node.raw)));
    }
    this.#surface = new Surface(this.value, ['name', 'length']);
  }

  /**
   * Plans to stand in for a node of the new version.
   *
   * @throws what `planning.refuse` throws, where the user froze what would have to change
   */
  plan(node: Node, planning: Planning, edits: Edits): void {
    const { raw } = node;
    edits.define.push(this.#planOwn(node.own, raw, planning));
    if (this.kind === 'namespace' || !isCallable(raw)) return;
    const parent = this.#surface.planParent(planning.parentOf(Object.getPrototypeOf(raw)), planning.refuse);
    pushParent(parent, edits);
    this.#point(planning.isNative(node) ? raw : null, edits);
    const { owner } = node;
    const target = owner ? receiveRaw(raw, planning.facadeOf(owner).value, owner.raw) : raw;
    edits.define.push(() => {
      this.#slot.target = target;
      this.#slot.isNative = isNative(raw);
    });
    if (node.prototype) this.prototype?.plan(node.prototype, planning, edits);
  }

  /** Plans for a version that has nothing for this facade: kept references throw. */
  planAbsence(planning: Planning, edits: Edits): void {
    edits.define.push(this.#planOwn(labelsOf(this.value), null, planning));
    this.#point(null, edits);
    edits.define.push(() => {
      this.#slot.target = this.#thrower(planning.record.version);
    });
    this.prototype?.planAbsence(planning, edits);
  }

  /** Makes every call throw, for good. */
  revoke(thrower: Callable): void {
    this.#slot.target = thrower;
    this.#own = new Map();
    for (const accessor of this.#accessors.values()) accessor.retire(thrower);
    this.prototype?.revoke(thrower);
  }

  #point(raw: object | null, edits: Edits): void {
    if (this.enter !== null) edits.point.push({ enter: this.enter, raw });
  }

  #planOwn(own: ReadonlyMap<PropertyKey, OwnShape>, raw: object | null, planning: Planning): Edit {
    if (this.#hasSameLabels(own)) return () => undefined;
    const wanted = new Map<PropertyKey, PropertyDescriptor>();
    const accessors = new Map<PropertyKey, Accessor>();
    for (const [key, shape] of own) {
      const { enumerable } = shape;
      if (shape.kind === 'node') {
        const { value } = planning.facadeOf(shape.node);
        wanted.set(key, { value, writable: true, enumerable, configurable: true });
      } else if (this.#isOwnLabel(key, shape)) {
        wanted.set(key, { value: shape.value, writable: false, enumerable, configurable: true });
      } else {
        const accessor = this.#accessors.get(key) ?? new Accessor(this.value, key);
        accessors.set(key, accessor);
        wanted.set(key, accessor.descriptor(shape));
      }
    }
    const define = this.#surface.plan(wanted, planning.refuse);
    return () => {
      for (const [key, accessor] of accessors) this.#accessors.set(key, accessor);
      this.#publishAccessors(own, raw, planning.record.version);
      this.#own = own;
      define();
    };
  }

  #publishAccessors(own: ReadonlyMap<PropertyKey, OwnShape>, raw: object | null, version: VersionId): void {
    for (const [key, accessor] of this.#accessors) {
      const shape = own.get(key);
      if (raw && shape && shape.kind !== 'node' && !this.#isOwnLabel(key, shape)) {
        accessor.publish(raw);
        continue;
      }
      accessor.retire(this.#thrower(version, join(this.path, key)));
      // A symbol that a version makes for itself never comes back, so symbols are not kept past their version.
      if (typeof key === 'symbol') this.#accessors.delete(key);
    }
  }

  /** Most exports are functions without properties, and of most of these only the code changes. */
  #hasSameLabels(own: ReadonlyMap<PropertyKey, OwnShape>): boolean {
    if (own.size !== this.#own.size || this.#accessors.size > 0) return false;
    for (const [key, shape] of own) {
      const before = this.#own.get(key);
      if (!this.#isOwnLabel(key, shape) || before?.kind !== 'value') return false;
      if (before.value !== shape.value || before.enumerable !== shape.enumerable) return false;
    }
    return own.size > 0;
  }

  #isOwnLabel(key: PropertyKey, shape: OwnShape): shape is ValueShape {
    return this.kind !== 'namespace' && shape.kind === 'value' && isLabel(key, shape.value);
  }

  #thrower(version: VersionId | 0, name: string = this.path): Callable {
    const { addon } = this.#versions;
    // Not an arrow function: `new` on a removed class must reach the error.
    return function removed(): never {
      throw errors.exportRemoved({ addon, name, version });
    };
  }
}

function nameOf({ own }: Node): string {
  const label = own.get('name');
  return label?.kind === 'value' && typeof label.value === 'string' ? label.value : '';
}
