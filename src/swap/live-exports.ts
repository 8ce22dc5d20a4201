/**
 * What `addon.exports` returns: one object, function or class for the life of the handle, which runs the live version's
 * code. Exports that are another kind of thing as a whole, such as an instance or an array, are the live version's own.
 *
 *     readShape (what the version exports) → assign (which facade stands for what) → plan (each facade's edits) → publish
 *
 * Everything that can be refused is refused by the plan; the publish only carries out edits that were checked.
 */
import assert from 'node:assert';
import type { VersionId } from '../brands.ts';
import { errors } from '../errors.ts';
import { type Assignment, assign, reachable } from './assignment.ts';
import { Facade } from './facade.ts';
import { findNativeCode, type NativeCode, point, type Pointing, sharePrototype } from './native-code.ts';
import type { Edits, Planning } from './planning.ts';
import type { Edit } from './surface.ts';
import { isObject, type Kind, type Node, readShape, type Shape, type Wraps } from './shape.ts';
import { canMove, linkClass, move, type VersionRecord, type Versions } from './versions.ts';

/** A version that was looked at and can be published. */
export interface SwapPlan {
  /** Dotted paths, such as `stats.mean` or `Counter.prototype.add`. A name that changes its kind is in neither list. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /**
   * Synchronous, and never half done; throws only when it is called out of turn, which is an assertion.
   *
   * @returns what code of the addon threw while its classes were linked. The version is live all the same, but
   *   `instanceof` does not know instances of such a class that native code made by itself.
   */
  publish(): readonly unknown[];
}

export interface LiveExports {
  /**
   * What `addon.exports` returns; undefined before the first publish. After `revoke` a facade stays what it is, and
   * everything else throws what `why` made, since nothing stops an instance from running old code.
   */
  readonly value: unknown;
  /**
   * Reads a version's exports and changes nothing.
   *
   * @param handle of a version of the ledger; null for one that was loaded plainly
   * @throws `ERR_EXPORTS_INCOMPATIBLE` where the root changes between object, function, class and value, or the user froze
   *   what would have to change
   */
  plan(raw: unknown, version: VersionId, handle: object | null): SwapPlan;
  /**
   * Whether an instance can become one of another version.
   *
   * @param made the class that made it, as its version exports it
   */
  canMove(instance: object, made: object): boolean;
  /**
   * Makes instances those of the version that was published last. Does not fail for what {@link canMove}.
   *
   * @param made the class that made them
   * @param next the class of the new version
   */
  move(instances: readonly object[], made: object, next: object): void;
  /** After `close()`: every function, method and property throws what `why` makes. */
  revoke(why: () => Error): void;
}

/** What live exports want of the shim: which objects hold native data, and functions that enter native code. */
export type Shim = Wraps & NativeCode;

/**
 * @param addon path of the addon, for messages
 * @param adopted what the root is to be where the addon exports a plain object: one that somebody holds already
 */
export function createLiveExports(addon: string, shim: Shim, adopted: object | null = null): LiveExports {
  return new Exports(addon, shim, adopted);
}

/** A plan in the making; null once it is published, so that it holds nothing of a version that may be retired. */
interface Pending {
  readonly raw: unknown;
  readonly shape: Shape;
  readonly record: VersionRecord;
  readonly root: Facade | null;
  readonly assignment: Assignment | null;
  readonly handle: object | null;
  readonly pointings: readonly Pointing[];
  readonly edits: readonly Edit[];
  /** Runs code of the addon where it has a Proxy among its prototypes, so these may throw. */
  readonly links: readonly Edit[];
}

class Exports implements LiveExports {
  readonly #versions: Versions;
  readonly #shim: Shim;
  readonly #adopted: object | null;
  #kind: Kind | 'value' | null = null;
  #root: Facade | null = null;
  #value: unknown;
  #names: ReadonlySet<string> = new Set();
  /** Counts publishes: a plan fits only the state that it was made for. */
  #generation = 0;

  constructor(addon: string, shim: Shim, adopted: object | null) {
    this.#shim = shim;
    this.#adopted = adopted;
    this.#versions = { addon, current: null, revoked: null };
  }

  get value(): unknown {
    if (this.#root) return this.#root.value;
    if (this.#versions.revoked) throw this.#versions.revoked();
    return this.#value;
  }

  plan(raw: unknown, version: VersionId, handle: object | null): SwapPlan {
    assert(this.#versions.revoked === null, 'plan after revoke');
    const shape = readShape(raw, this.#shim);
    const kind = shape.root?.kind ?? 'value';
    if (this.#kind !== null && this.#kind !== kind)
      this.#refuse(describeKind[kind], describeKind[this.#kind]);
    let pending: Pending | null = this.#prepare(raw, shape, version, handle);
    const generation = this.#generation;
    const publish = (): readonly unknown[] => {
      assert(this.#versions.revoked === null, 'publish after revoke');
      assert(pending !== null && generation === this.#generation, 'publish of a plan that is out of date');
      const failures = this.#publish(pending);
      pending = null;
      return failures;
    };
    return { added: without(shape.names, this.#names), removed: without(this.#names, shape.names), publish };
  }

  canMove(instance: object, made: object): boolean {
    const prototype = prototypeOf(made);
    return prototype !== null && canMove(this.#versions, instance, prototype);
  }

  move(instances: readonly object[], made: object, next: object): void {
    const { current } = this.#versions;
    const [from, to] = [prototypeOf(made), prototypeOf(next)];
    assert(current !== null && from !== null && to !== null, 'classes have prototypes');
    for (const instance of instances) move(instance, from, to, current);
  }

  revoke(why: () => Error): void {
    this.#versions.revoked ??= why;
    this.#versions.current = null;
    this.#value = undefined;
    const thrower = function revoked(): never {
      throw why();
    };
    if (this.#root === null) return;
    const facades = [...reachable(this.#root)];
    const native = facades.flatMap(({ enter }) => (enter === null ? [] : [{ enter, raw: null }]));
    point(native, null, this.#shim);
    for (const facade of facades) facade.revoke(thrower);
  }

  #prepare(raw: unknown, shape: Shape, version: VersionId, handle: object | null): Pending {
    const prototypes = new Map<object, object>();
    const record: VersionRecord = { owner: this.#versions, version, prototypes };
    const common = { raw, shape, record, handle };
    if (!shape.root) return { ...common, root: null, assignment: null, pointings: [], edits: [], links: [] };
    const native = findNativeCode(shape, handle, this.#shim);
    const make = (node: Node): Facade =>
      new Facade(this.#versions, node, native.has(node) ? this.#shim : null);
    const root = this.#root ?? this.#makeRoot(shape.root, make);
    const assignment = assign(root, shape, make);
    const standsFor = [...assignment.facades].map(([node, facade]) => [facade, node] as const);
    const live = new Map<Facade, Node>([...standsFor, ...assignment.twins]);
    const planning = this.#planning(record, assignment, native);
    const edits: Edits = { point: [], detach: [], attach: [], define: [] };
    for (const [facade, node] of live) {
      facade.plan(node, planning, edits);
      if (facade.prototype && node.prototype) prototypes.set(facade.prototype.value, node.prototype.raw);
    }
    for (const facade of reachable(root)) if (!live.has(facade)) facade.planAbsence(planning, edits);
    const links = standsFor.map(([facade, node]) => linking(facade, node, record, native));
    const all = [...edits.detach, ...edits.attach, ...edits.define];
    return { ...common, root, assignment, pointings: edits.point, edits: all, links };
  }

  #makeRoot(node: Node, make: (node: Node) => Facade): Facade {
    const adopted = this.#adopted;
    const fits =
      adopted !== null &&
      Object.getPrototypeOf(adopted) === Object.getPrototypeOf(node.raw) &&
      node.kind === 'namespace';
    return fits ? new Facade(this.#versions, node, null, adopted) : make(node);
  }

  #planning(record: VersionRecord, { facades }: Assignment, native: ReadonlySet<Node>): Planning {
    const parents = new Map<object, object>();
    for (const [node, facade] of facades) {
      parents.set(node.raw, facade.value);
      if (node.prototype && facade.prototype) parents.set(node.prototype.raw, facade.prototype.value);
    }
    return {
      record,
      refuse: (found) => this.#refuse(found, 'facades that are not frozen, or the same exports as before'),
      isNative: (node) => native.has(node),
      parentOf: (raw) => (raw === null ? null : (parents.get(raw) ?? raw)),
      facadeOf: (node) => {
        const facade = facades.get(node);
        assert(facade, 'every node has a facade');
        return facade;
      },
    };
  }

  #publish({ raw, shape, record, root, assignment, ...changes }: Pending): readonly unknown[] {
    const failures: unknown[] = [];
    const { handle, pointings, edits, links } = changes;
    point(pointings, handle, this.#shim);
    for (const edit of edits) edit();
    for (const link of links) attempt(link, failures);
    assignment?.remember();
    this.#kind = shape.root?.kind ?? 'value';
    this.#root = root;
    this.#value = root ? undefined : raw;
    this.#names = shape.names;
    this.#versions.current = record;
    this.#generation += 1;
    return failures;
  }

  #refuse(found: string, wanted: string): never {
    throw errors.exportsIncompatible({ addon: this.#versions.addon, found, wanted });
  }
}

const describeKind: Record<Kind | 'value', string> = {
  namespace: 'an object',
  function: 'a function that is not a constructor',
  class: 'a function or class',
  value: 'a value that is used as it is',
};

function linking(facade: Facade, node: Node, record: VersionRecord, native: ReadonlySet<Node>): Edit {
  return () => {
    if (!facade.prototype || !node.prototype) return;
    if (facade.enter !== null && native.has(node)) {
      sharePrototype(node.raw, facade.prototype.value);
      return;
    }
    linkClass({
      raw: node.raw,
      rawPrototype: node.prototype.raw,
      facade: facade.value,
      facadePrototype: facade.prototype.value,
      record,
    });
  };
}

function prototypeOf(made: object): object | null {
  const prototype: unknown = Object.getOwnPropertyDescriptor(made, 'prototype')?.value;
  return isObject(prototype) ? prototype : null;
}

function attempt(edit: Edit, failures: unknown[]): void {
  try {
    edit();
  } catch (error) {
    failures.push(error);
  }
}

function without(names: ReadonlySet<string>, others: ReadonlySet<string>): readonly string[] {
  return [...names].filter((name) => !others.has(name));
}
