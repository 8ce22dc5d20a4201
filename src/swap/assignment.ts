/**
 * Decides which facade stands in for which raw thing of a new version: the one that the same name had. One raw thing under
 * two names is one facade under both.
 */
import type { Facade } from './facade.ts';
import type { Node, Shape } from './shape.ts';

export interface Assignment {
  readonly facades: ReadonlyMap<Node, Facade>;
  /**
   * Facades of names that were two things and are one now: out of sight, but a kept reference still runs the live code.
   */
  readonly twins: ReadonlyMap<Facade, Node>;
  /** Remembers at the publish which name had which facade. */
  remember(): void;
}

/** Each fits the one before it: the name under which a facade was made has the first claim on it. */
const claims = [
  (facade: Facade, path: string): boolean => facade.path === path,
  (): boolean => true,
] as const;

/**
 * @param make makes a facade for a node that has none
 * @returns the facades of a version; changes nothing
 */
export function assign(root: Facade, shape: Shape, make: (node: Node) => Facade): Assignment {
  const facades = new Map<Node, Facade>();
  const taken = new Set<Facade>();
  const take = (node: Node, facade: Facade): void => {
    facades.set(node, facade);
    taken.add(facade);
  };
  if (shape.root) take(shape.root, root);
  for (const container of shape.nodes) {
    const parent = facades.get(container);
    if (container.children.length === 0) continue;
    const children = container.children.filter(([, node]) => !facades.has(node));
    for (const fits of claims) {
      for (const [key, node] of children) {
        const known = parent?.children.get(key)?.[node.kind];
        if (known && !facades.has(node) && !taken.has(known) && fits(known, node.path)) take(node, known);
      }
    }
    for (const [, node] of children) if (!facades.has(node)) take(node, make(node));
  }
  const twins = findTwins(shape, facades, taken);
  return { facades, twins, remember: () => remember(shape, facades, twins) };
}

/** @returns every facade that a name leads or led to */
export function reachable(root: Facade): ReadonlySet<Facade> {
  const found = new Set([root]);
  // A Set's iterator also visits what is added meanwhile.
  for (const facade of found) {
    for (const kinds of facade.children.values()) {
      for (const child of Object.values(kinds)) found.add(child);
    }
  }
  return found;
}

function findTwins(shape: Shape, facades: ReadonlyMap<Node, Facade>, taken: Set<Facade>): Map<Facade, Node> {
  const twins = new Map<Facade, Node>();
  for (const container of shape.nodes) {
    for (const [key, node] of container.children) {
      const known = facades.get(container)?.children.get(key)?.[node.kind];
      if (!known || taken.has(known)) continue;
      taken.add(known);
      twins.set(known, node);
    }
  }
  return twins;
}

function remember(shape: Shape, facades: ReadonlyMap<Node, Facade>, twins: ReadonlyMap<Facade, Node>): void {
  for (const container of shape.nodes) {
    const parent = facades.get(container);
    if (!parent) continue;
    // A symbol that a version makes for itself never comes back, so symbols are not kept past their version.
    for (const key of parent.children.keys()) {
      if (typeof key === 'symbol' && container.own.get(key)?.kind !== 'node') parent.children.delete(key);
    }
    for (const [key, node] of container.children) {
      const kinds = parent.children.get(key) ?? {};
      const known = kinds[node.kind];
      if (!known || twins.get(known) !== node) kinds[node.kind] = facades.get(node) ?? parent;
      parent.children.set(key, kinds);
    }
  }
}
