/** What the facades share while a plan is made: where they find each other, and where their edits go. */
import type { Pointing } from './native-code.ts';
import type { Node } from './shape.ts';
import type { Edit, Refuse, Surface } from './surface.ts';
import type { VersionRecord } from './versions.ts';

/** What a plan is made with. */
export interface Planning {
  readonly record: VersionRecord;
  readonly refuse: Refuse;
  /** The facade that a node of the new version gets. */
  facadeOf(node: Node): { readonly value: object };
  /** Whether a native facade can enter its native code without a detour. */
  isNative(node: Node): boolean;
  /** The facade, or its prototype object, for a raw class or raw prototype that has one; else what was given. */
  parentOf(raw: object | null): object | null;
}

/** Done at the publish, each list after the one before it. */
export interface Edits {
  readonly detach: Edit[];
  readonly attach: Edit[];
  readonly define: Edit[];
  /** Before all of them: what the facades entered until then is held by what the others replace. */
  readonly point: Pointing[];
}

/** Adds the two steps of a change of parent, if there is one. */
export function pushParent(parent: ReturnType<Surface['planParent']>, edits: Edits): void {
  if (parent === null) return;
  edits.detach.push(parent.detach);
  edits.attach.push(parent.attach);
}
