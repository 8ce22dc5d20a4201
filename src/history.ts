/** The versions of one handle that it can go back to, and which of them comes next. */
import type { ContentHash, Fingerprint, VersionId } from './brands.ts';
import { errors } from './errors.ts';
import type { NativeKept, NativeRebound } from './native.ts';
import type { LibraryInfo, Version } from './version.ts';

/**
 * Where a version stands among the changes that led to it. One that was gone back to stands where it stood before, so
 * that the next rollback() goes further back.
 */
export interface Place {
  /** The version that this one replaced; null for the first. */
  readonly before: VersionId | null;
  /** Number of the change that brought it, one for all handles that changed together. */
  readonly change: number;
}

/** A version that was live, with all that it takes to stage it once more. */
export interface Entry {
  readonly id: VersionId;
  readonly fingerprint: Fingerprint;
  readonly place: Place;
  readonly kept: NativeKept;
  readonly binding: NativeRebound | null;
  readonly info: FormerVersion;
}

/** What `addon.history()` shows. */
export interface FormerVersion {
  /** What `reload({ to })` takes. */
  readonly id: number;
  /** SHA-256 of the file that it was made of, in hexadecimal. */
  readonly hash: string;
  /** Its private libraries as they were when it was staged. */
  readonly libraries: readonly LibraryInfo[];
  /** Of the file that it was made of. */
  readonly bytes: number;
  /** Schema of the state that its `save()` returns; null when that was never known. */
  readonly schema: number | null;
  /** When it was loaded. */
  readonly loadedAt: Date;
}

/**
 * Rules:
 * 1. No more than `max` former versions are held. Their staged files are theirs alone: who leaves takes them along.
 * 2. Who leaves first is the oldest that rollback() would not come to; then the one it would come to last.
 */
export class History {
  readonly #max: number;
  /** Oldest first. */
  readonly #former: Entry[] = [];
  #live: Entry | null = null;

  constructor(max: number) {
    this.#max = max;
  }

  /** Of the version that serves; null while there is none. */
  get live(): Entry | null {
    return this.#live;
  }

  get former(): readonly Entry[] {
    return this.#former;
  }

  /** The version that serves among them. */
  find(id: number): Entry | null {
    return [...this.#former, this.#live].find((entry) => entry?.id === id) ?? null;
  }

  enter(version: Version, place: Place): void {
    if (this.#live !== null) this.#former.push(this.#live);
    this.#live = entryOf(version, place);
  }

  /** @returns those for which there is no room any more */
  trim(): readonly Entry[] {
    const left: Entry[] = [];
    while (this.#former.length > this.#max) left.push(...this.#former.splice(this.#leastWanted(), 1));
    return left;
  }

  /** The place of what a rollback of another handle has made live again: the next one goes further back here, too. */
  placeOf(fingerprint: Fingerprint): Place | null {
    const before = this.#live?.place.before;
    const same = this.#former.filter((entry) => entry.fingerprint === fingerprint);
    return (same.find(({ id }) => id === before) ?? same.at(-1))?.place ?? null;
  }

  /** Forgets a version whose files are gone. */
  drop(id: VersionId): void {
    const index = this.#former.findIndex((entry) => entry.id === id);
    if (index !== -1) this.#former.splice(index, 1);
  }

  clear(): void {
    this.#former.length = 0;
    this.#live = null;
  }

  #leastWanted(): number {
    const ahead = new Set<number>();
    for (let at = this.#live; at !== null && at.place.before !== null; at = this.find(at.place.before)) {
      ahead.add(at.place.before);
    }
    return Math.max(
      0,
      this.#former.findIndex(({ id }) => !ahead.has(id)),
    );
  }
}

/** What a request wants to be live. */
export type Goal =
  /** What was built last. */
  | { readonly kind: 'built' }
  /** What was live before the last change, or before the one that brought `of`, if that serves still. */
  | { readonly kind: 'before'; readonly of?: { readonly addon: string; readonly id: number } }
  /** A version of one handle; the others stay as they are. */
  | { readonly kind: 'version'; readonly addon: string; readonly id: number };

/** What that means for one handle. */
export type Route =
  | { readonly kind: 'built' }
  | { readonly kind: 'stay' }
  | { readonly kind: 'back'; readonly to: Entry; readonly place: Place | null }
  /** What another handle has loaded in place of the image that both run. It may have gone back to it. */
  | {
      readonly kind: 'follow';
      readonly kept: NativeKept;
      readonly place: Place | null;
      readonly goesBack: boolean;
    };

interface Member {
  readonly source: string;
  readonly history: History;
}

/**
 * The last change may have been one of some members alone: only they go back, and the others stay.
 *
 * @throws `ERR_NO_SUCH_VERSION`
 */
export function routeOf({ source, history }: Member, together: readonly Member[], goal: Goal): Route {
  if (goal.kind === 'built') return goal;
  if (goal.kind === 'version') {
    if (goal.addon !== source) return { kind: 'stay' };
    const to = history.find(goal.id);
    if (to === null) throw noSuchVersion(source, history, goal.id);
    return { kind: 'back', to, place: null };
  }
  const place = history.live?.place;
  if (place?.change !== changeToUndo(together, goal)) return { kind: 'stay' };
  const to = place?.before == null ? null : history.find(place.before);
  if (to === null) throw noSuchVersion(source, history, place?.before ?? null);
  return { kind: 'back', to, place: to.place };
}

/** @returns null where there is nothing to undo any more */
function changeToUndo(together: readonly Member[], { of }: Extract<Goal, { kind: 'before' }>): number | null {
  if (of === undefined) return lastChange(together);
  const live = together.find(({ source }) => source === of.addon)?.history.live;
  return live?.id === of.id ? live.place.change : null;
}

/** Number of the last change that was not undone; 0 before the first. */
export function lastChange(together: readonly Member[]): number {
  return Math.max(...together.map(({ history }) => history.live?.place.change ?? 0));
}

export function noSuchVersion(addon: string, history: History, id: number | null, cause?: unknown): Error {
  const available = history.former.map((entry) => entry.id);
  return errors.noSuchVersion({ addon, id, available }, cause);
}

function entryOf(version: Version, place: Place): Entry {
  const { id, hash, fingerprint, libraries, bytes, schema, loadedAt, hold } = version;
  const binding = hold?.kind === 'ledger' ? hold.rebound : null;
  return {
    id,
    fingerprint,
    place,
    binding,
    kept: keptOf(version.path, hash, binding),
    info: {
      id,
      hash,
      libraries: libraries.map((library) => ({ source: library.source, hash: library.hash })),
      bytes,
      schema,
      loadedAt: new Date(loadedAt),
    },
  };
}

function keptOf(path: Version['path'], hash: ContentHash, binding: NativeRebound | null): NativeKept {
  return { path, hash, libraries: binding?.libraries ?? [], origin: binding?.origin ?? null };
}
