/** What a version exports, told to another thread or process, and found again by its dotted name. */
import { types } from 'node:util';
import { HOOKS_EXPORT } from '../contract.ts';
import {
  type Callable,
  isCallable,
  isObject,
  type MemberShape,
  type Node,
  type OwnShape,
  readShape,
  type Wraps,
} from '../swap/shape.ts';
import type { Surface } from './messages.ts';
import { isCloneable } from './wire.ts';

/** The exports of one version, in the host. */
export class Exported {
  readonly #exports: unknown;
  readonly surface: Surface;
  /** Classes by their dotted names; `''` is the exports themselves. */
  readonly classes: ReadonlyMap<string, Callable>;

  constructor(exports: unknown, wraps: Wraps) {
    this.#exports = exports;
    const { root, nodes } = readShape(exports, wraps);
    const classes = new Map<string, Callable>();
    for (const { kind, raw, path } of nodes) if (kind === 'class') classes.set(path, raw as Callable);
    this.classes = classes;
    this.surface =
      root === null ? { kind: 'value', value: { value: cloned(exports) } } : describe(root, new Map(), nodes);
  }

  find(path: readonly string[]): { readonly holder: unknown; readonly found: unknown } {
    return findExport(this.#exports, path);
  }

  /** Sets a property of what the exports hold. */
  set(path: readonly string[], value: unknown): void {
    const { found } = this.find(path.slice(0, -1));
    const key = path.at(-1);
    if (key !== undefined && isObject(found)) Reflect.set(found, key, value);
  }

  /** The dotted name of the exported class that made an object; null where none did. */
  classOf(object: object): string | null {
    if (types.isProxy(object)) return null;
    for (let prototype: object | null = Object.getPrototypeOf(object); prototype !== null; ) {
      for (const [name, made] of this.classes) if (made.prototype === prototype) return name;
      prototype = Object.getPrototypeOf(prototype);
    }
    return null;
  }
}

/** What is exported under a dotted name, and what holds it; undefined where nothing is. */
export function findExport(
  exports: unknown,
  path: readonly string[],
): { readonly holder: unknown; readonly found: unknown } {
  let holder: unknown;
  let found = exports;
  for (const key of path) {
    holder = found;
    found = isObject(found) ? Reflect.get(found, key) : undefined;
  }
  return { holder, found };
}

function describe(node: Node, told: Map<Node, string>, nodes: readonly Node[]): Surface {
  const before = told.get(node);
  if (before !== undefined) return { kind: 'alias', of: before };
  told.set(node, node.path);
  const own: { key: string; enumerable: boolean; shape: Surface }[] = [];
  for (const [key, shape] of node.own) {
    // A symbol of one thread is no symbol of another one.
    if (typeof key !== 'string' || key === HOOKS_EXPORT || isLabelOf(node, key)) continue;
    const described = shape.kind === 'node' ? describe(shape.node, told, nodes) : describeOwn(shape);
    if (described !== null) own.push({ key, enumerable: shape.enumerable, shape: described });
  }
  if (node.kind === 'namespace') return { kind: 'namespace', own };
  const { name, length } = node.raw as Callable;
  const labels = { name: String(name), length: Number(length) };
  if (node.kind === 'function' || node.prototype === null) return { kind: 'function', ...labels, own };
  const { prototype } = node;
  const parent = nodes.find((each) => each !== node && each.prototype?.raw === prototype.parent);
  const members = [...prototype.members].flatMap(([key, shape]) => {
    const member = typeof key === 'string' ? describeMember(shape) : null;
    return member === null ? [] : [{ key: key as string, enumerable: shape.enumerable, shape: member }];
  });
  return { kind: 'class', ...labels, own, members, parent: parent?.path ?? null };
}

function isLabelOf(node: Node, key: string): boolean {
  return node.kind !== 'namespace' && (key === 'name' || key === 'length');
}

function describeOwn(shape: Exclude<OwnShape, { kind: 'node' }>): Surface | null {
  if (shape.kind === 'accessor') return accessor(shape);
  return isCallable(shape.value) || !isCloneable(shape.value)
    ? null
    : { kind: 'value', value: { value: shape.value } };
}

function describeMember(shape: MemberShape): Surface | null {
  if (shape.kind === 'accessor') return accessor(shape);
  if (shape.kind === 'method') return { kind: 'method', length: shape.method.length };
  return isCloneable(shape.value) ? { kind: 'value', value: { value: shape.value } } : null;
}

function accessor({ get, set }: { readonly get: unknown; readonly set: unknown }): Surface {
  return { kind: 'accessor', get: get !== undefined, set: set !== undefined };
}

function cloned(value: unknown): unknown {
  return isCloneable(value) ? value : undefined;
}
