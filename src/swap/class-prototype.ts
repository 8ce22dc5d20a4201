/**
 * The one prototype object that a class has for the life of the handle. Each version's raw prototype is linked to it, and
 * its methods run the code of the version that made the instance.
 *
 * A name that was ever on it stays, as what {@link Member.remainder} says, for the instances that had it: one for each
 * name there ever was. Values on it are the live version's. A parent class that the addon does not export has no facade:
 * it is inherited from as it is, by old instances too.
 */
import { type Edits, type Planning, pushParent } from './planning.ts';
import { Member } from './member.ts';
import { type Callable, join, type PrototypeShape } from './shape.ts';
import { Surface } from './surface.ts';
import type { Versions } from './versions.ts';

export class ClassPrototype {
  readonly value: object;
  readonly #versions: Versions;
  readonly #path: string;
  readonly #surface: Surface;
  readonly #members = new Map<PropertyKey, Member>();
  #hasMembers = false;

  constructor(versions: Versions, owner: Callable, path: string) {
    this.#versions = versions;
    this.#path = path;
    this.value = owner.prototype;
    Object.defineProperty(owner, 'prototype', { writable: false });
    this.#surface = new Surface(this.value);
  }

  /**
   * Plans to stand in for a raw prototype of the new version, which is linked at the publish.
   *
   * @throws what `planning.refuse` throws, where the user froze what would have to change
   */
  plan(shape: PrototypeShape, planning: Planning, edits: Edits): void {
    pushParent(this.#surface.planParent(planning.parentOf(shape.parent), planning.refuse), edits);
    this.#planMembers(shape.members, planning, edits);
  }

  /** Plans for a version that does not have the class: what its instances need stays. */
  planAbsence(planning: Planning, edits: Edits): void {
    this.#planMembers(new Map(), planning, edits);
  }

  revoke(thrower: Callable): void {
    for (const member of this.#members.values()) member.revoke(thrower);
  }

  #planMembers(shapes: PrototypeShape['members'], planning: Planning, edits: Edits): void {
    // Plain functions have a prototype too, and there are many of them.
    if (shapes.size === 0 && !this.#hasMembers) return;
    const wanted = new Map<PropertyKey, PropertyDescriptor>();
    const members = new Map(this.#members);
    for (const [key, shape] of shapes) {
      const member = members.get(key) ?? new Member(this.#versions, this.value, key, join(this.#path, key));
      if (shape.kind !== 'value') members.set(key, member);
      wanted.set(key, member.descriptor(shape));
    }
    for (const [key, member] of members) {
      if (!wanted.has(key)) wanted.set(key, member.remainder());
    }
    const define = this.#surface.plan(wanted, planning.refuse);
    edits.define.push(() => {
      this.#hasMembers = true;
      for (const [key, member] of members) {
        this.#members.set(key, member);
        member.publish(shapes.get(key) ?? null);
      }
      define();
    });
  }
}
