/**
 * Reads what a version exports, without calling any of it: a graph of the things that get a facade, in breadth-first
 * order, so that the shortest name of an alias comes first.
 */
import { types } from 'node:util';
import { HOOKS_EXPORT } from '../contract.ts';
import type { Native } from '../native.ts';
import { parentOf, isOurs } from './versions.ts';

/** Any function, as seen from outside. */
export type Callable = (this: unknown, ...args: unknown[]) => unknown;

/** `class` is every function with a prototype object: native functions and native classes cannot be told apart. */
export type Kind = 'namespace' | 'function' | 'class';

export interface ValueShape {
  readonly kind: 'value';
  readonly value: unknown;
  readonly enumerable: boolean;
}
export interface AccessorShape {
  readonly kind: 'accessor';
  readonly get: Callable | undefined;
  readonly set: Callable | undefined;
  readonly enumerable: boolean;
}
export interface NodeShape {
  readonly kind: 'node';
  readonly node: Node;
  readonly enumerable: boolean;
}
export interface MethodShape {
  readonly kind: 'method';
  readonly method: Callable;
  readonly enumerable: boolean;
}
export type OwnShape = ValueShape | AccessorShape | NodeShape;
export type MemberShape = ValueShape | AccessorShape | MethodShape;

export interface PrototypeShape {
  readonly raw: object;
  /** What the addon made it inherit from, also after it was linked to a facade. */
  readonly parent: object | null;
  readonly members: ReadonlyMap<PropertyKey, MemberShape>;
}

/** One thing that gets a facade. */
export interface Node {
  readonly kind: Kind;
  readonly raw: object;
  /** Dotted; empty for the root. */
  readonly path: string;
  /** The class of JavaScript, or the root that holds native data, whose method this is: it is the receiver, not its facade. */
  readonly owner: Node | null;
  /** Own properties, but for `prototype`. */
  readonly own: ReadonlyMap<PropertyKey, OwnShape>;
  /** Those of them that hold a node. */
  readonly children: readonly (readonly [PropertyKey, Node])[];
  readonly prototype: PrototypeShape | null;
}

export interface Shape {
  /** Null where the whole of the exports is a value without a facade. */
  readonly root: Node | null;
  /** The root first; each one after the node whose property first names it. */
  readonly nodes: readonly Node[];
  /** The dotted path of every export. */
  readonly names: ReadonlySet<string>;
}

/** Functions of the language and of Node.js that an addon re-exports are not the addon's: a facade would hide them. */
const globals: ReadonlySet<unknown> = new Set(
  Object.values(Object.getOwnPropertyDescriptors(globalThis)).map((property) => property.value),
);

/** What the shim is asked. */
export type Wraps = Pick<Native, 'holdsNative'>;

/**
 * What facade a raw value gets; null for one that is handed on as it is. Nothing looks into a Proxy, whose traps are code
 * of the addon and could throw at the publish.
 */
function kindOf(raw: unknown): Kind | null {
  if (!isObject(raw) || globals.has(raw) || types.isProxy(raw) || types.isExternal(raw)) return null;
  if (isCallable(raw)) {
    const prototype: unknown = Object.getOwnPropertyDescriptor(raw, 'prototype')?.value;
    if (types.isProxy(prototype)) return null;
    return isObject(prototype) ? 'class' : 'function';
  }
  const parent = Object.getPrototypeOf(raw);
  return parent === Object.prototype || parent === null ? 'namespace' : null;
}

/**
 * @returns the shape of one version's exports; reads them, calls no getter and changes nothing
 *
 * A plain object that holds native data is a value, since native code would not know a facade for it. Only the root has
 * one all the same, so that it stays live; its functions are called with the raw root in place of the facade.
 */
export function readShape(raw: unknown, wraps: Wraps): Shape {
  const nodes = new Map<object, Draft>();
  const names = new Set<string>();
  const kind = kindOf(raw);
  const root = kind !== null && isObject(raw) ? draft(raw, kind, '', null) : null;
  if (root) nodes.set(root.raw, root);
  const isOwner = (node: Draft): boolean =>
    isDeclaredClass(node) || (node === root && node.kind === 'namespace' && wraps.holdsNative(node.raw));
  // A Map's iterator also visits what is added meanwhile: this is the queue of the breadth-first walk.
  for (const node of nodes.values()) {
    const owner = isOwner(node) ? node : null;
    for (const key of Reflect.ownKeys(node.raw)) {
      const property = isSkipped(node, key, root)
        ? undefined
        : Object.getOwnPropertyDescriptor(node.raw, key);
      if (property === undefined || isOurCheck(key, property)) continue;
      const path = join(node.path, key);
      const shape = ownShape(property, childOf(nodes, property.value, path, owner, wraps));
      node.own.set(key, shape);
      if (shape.kind === 'node') node.children.push([key, shape.node]);
      if (node.kind === 'namespace' || !isLabel(key, property.value)) names.add(path);
    }
    if (!node.prototype) continue;
    for (const key of node.prototype.members.keys()) names.add(join(join(node.path, 'prototype'), key));
  }
  return { root, nodes: [...nodes.values()], names };
}

/** @returns the path of a property, such as `stats.mean` or `list[Symbol.iterator]` */
export function join(path: string, key: PropertyKey): string {
  if (typeof key === 'symbol') return `${path}[${key.description ?? 'symbol'}]`;
  return path === '' ? String(key) : `${path}.${String(key)}`;
}

type Draft = Node & {
  readonly own: Map<PropertyKey, OwnShape>;
  readonly children: [PropertyKey, Node][];
};

/** @returns the node of what a property holds, made where there was none; null for what is handed on as it is */
function childOf(
  nodes: Map<object, Draft>,
  raw: unknown,
  path: string,
  owner: Node | null,
  wraps: Wraps,
): Draft | null {
  if (!isObject(raw)) return null;
  const known = nodes.get(raw);
  if (known) return known;
  const kind = kindOf(raw);
  if (kind === null || (kind === 'namespace' && wraps.holdsNative(raw))) return null;
  const node = draft(raw, kind, path, kind === 'namespace' ? null : owner);
  nodes.set(raw, node);
  return node;
}

function draft(raw: object, kind: Kind, path: string, owner: Node | null): Draft {
  const prototype = kind === 'class' ? prototypeShape(raw) : null;
  return { kind, raw, path, owner, own: new Map(), children: [], prototype };
}

/** Only `class` makes private fields, and only it makes a prototype read-only; native classes do not. */
function isDeclaredClass({ kind, raw }: Node): boolean {
  return kind === 'class' && Object.getOwnPropertyDescriptor(raw, 'prototype')?.writable === false;
}

function ownShape(property: PropertyDescriptor, node: Node | null): OwnShape {
  const enumerable = property.enumerable === true;
  if (isAccessor(property)) return { kind: 'accessor', get: property.get, set: property.set, enumerable };
  return node ? { kind: 'node', node, enumerable } : { kind: 'value', value: property.value, enumerable };
}

function prototypeShape(owner: object): PrototypeShape | null {
  const raw: unknown = Object.getOwnPropertyDescriptor(owner, 'prototype')?.value;
  if (!isObject(raw)) return null;
  const members = new Map<PropertyKey, MemberShape>();
  for (const key of Reflect.ownKeys(raw)) {
    const property = key === 'constructor' ? undefined : Object.getOwnPropertyDescriptor(raw, key);
    if (property) members.set(key, memberShape(property));
  }
  return { raw, parent: parentOf(raw), members };
}

function memberShape(property: PropertyDescriptor): MemberShape {
  const enumerable = property.enumerable === true;
  if (isAccessor(property)) return { kind: 'accessor', get: property.get, set: property.set, enumerable };
  const value: unknown = property.value;
  return isCallable(value)
    ? { kind: 'method', method: value, enumerable }
    : { kind: 'value', value, enumerable };
}

/** `arguments` and `caller` belong to every sloppy function; the facade has a `prototype` of its own. */
function isSkipped(node: Node, key: PropertyKey, root: Node | null): boolean {
  if (node === root && key === HOOKS_EXPORT) return true;
  return node.kind !== 'namespace' && (key === 'prototype' || key === 'arguments' || key === 'caller');
}

/** Left on a raw class that is published again. */
function isOurCheck(key: PropertyKey, property: PropertyDescriptor): boolean {
  return key === Symbol.hasInstance && isOurs(property.value);
}

/** Whether a function's property is the name or length that every function has, rather than an export. */
export function isLabel(key: PropertyKey, value: unknown): boolean {
  return (key === 'name' && typeof value === 'string') || (key === 'length' && typeof value === 'number');
}

/** @returns the name and length of a function; nothing for an object */
export function labelsOf(object: object): ReadonlyMap<PropertyKey, OwnShape> {
  const labels = new Map<PropertyKey, OwnShape>();
  if (!isCallable(object)) return labels;
  for (const key of ['length', 'name']) {
    const value: unknown = Object.getOwnPropertyDescriptor(object, key)?.value;
    if (isLabel(key, value)) labels.set(key, { kind: 'value', value, enumerable: false });
  }
  return labels;
}

function isAccessor(property: PropertyDescriptor): boolean {
  return property.get !== undefined || property.set !== undefined;
}

export function isCallable(value: unknown): value is Callable {
  return typeof value === 'function';
}

export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
