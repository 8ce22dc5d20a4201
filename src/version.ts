/** A version's life: what it is in each state, and which state may follow which. */
import assert from 'node:assert/strict';
import type { ContentHash, SourcePath, StagedPath, VersionId } from './brands.ts';
import type { Hooks } from './state/hooks.ts';

/** What stays true of a version for its whole life. */
export interface VersionIdentity {
  readonly id: VersionId;
  readonly hash: ContentHash;
  readonly source: SourcePath;
  readonly path: StagedPath;
  /** Size of the file. */
  readonly bytes: number;
}

/** Code that can run: its exports and the hooks among them. */
export interface LoadedCode {
  readonly exports: unknown;
  readonly hooks: Hooks;
}

/** Why the image of a version that serves no more is still mapped. */
export type KeptReason = 'no-ledger';

export type VersionState =
  /** Loaded, or about to be; serves nobody yet. */
  | { readonly name: 'candidate' }
  | { readonly name: 'live'; readonly code: LoadedCode }
  | { readonly name: 'retiring'; readonly code: LoadedCode }
  /** Served, and serves no more. */
  | { readonly name: 'kept'; readonly reason: KeptReason }
  /** Loaded but refused before it ever served. */
  | { readonly name: 'discarded'; readonly reason: KeptReason };

const FOLLOWS: Readonly<Record<VersionState['name'], readonly VersionState['name'][]>> = {
  candidate: ['live', 'discarded'],
  live: ['retiring'],
  retiring: ['kept'],
  kept: [],
  discarded: [],
};

export interface Version extends VersionIdentity {
  /** Milliseconds since the Unix epoch. */
  readonly loadedAt: number;
  /** Null until its hooks have been read. */
  schema: number | null;
  state: VersionState;
}

/** The code of the version that serves. Asking any other version is an assertion error. */
export function liveCode(version: Version): LoadedCode {
  assert(version.state.name === 'live', `version ${version.id} is ${version.state.name}, not live`);
  return version.state.code;
}

/** Moves a version to its next state. A step that the table does not have is an assertion error. */
export function enter(version: Version, next: VersionState): void {
  assert(
    FOLLOWS[version.state.name].includes(next.name),
    `version ${version.id} cannot go from ${version.state.name} to ${next.name}`,
  );
  version.state = next;
}

/** What `addon.current` and `addon.versions()` show. */
export interface VersionInfo {
  readonly id: number;
  /** SHA-256 of the source bytes, in hexadecimal. */
  readonly hash: string;
  /** The file that the build writes. */
  readonly source: string;
  /** The copy that was loaded. */
  readonly path: string;
  readonly bytes: number;
  /** Schema of the state that its `save()` returns; null when it was refused before that was known. */
  readonly schema: number | null;
  readonly loadedAt: Date;
  readonly state: VersionState['name'];
  /** Why it is still in memory; null while it serves. */
  readonly reason: KeptReason | null;
}

export function describeVersion(version: Version): VersionInfo {
  const { id, hash, source, path, bytes, schema, state } = version;
  return {
    id,
    hash,
    source,
    path,
    bytes,
    schema,
    loadedAt: new Date(version.loadedAt),
    state: state.name,
    reason: 'reason' in state ? state.reason : null,
  };
}
