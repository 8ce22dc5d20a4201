/** A version's life: what it is in each state, and which state may follow which. */
import assert from 'node:assert/strict';
import type { ContentHash, Fingerprint, SourcePath, StagedPath, VersionId } from './brands.ts';
import type { HostedVersion } from './isolate/hosted-version.ts';
import type { NativeLibrary, NativePin, NativeRebound } from './native.ts';
import type { Hooks } from './state/hooks.ts';

/** What stays true of a version for its whole life. */
export interface VersionIdentity {
  readonly id: VersionId;
  readonly hash: ContentHash;
  readonly fingerprint: Fingerprint;
  readonly libraries: readonly NativeLibrary[];
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

/** How a version's image came into memory, which decides how it leaves. */
export type Hold =
  /** The shim owns it. */
  | {
      readonly kind: 'ledger';
      readonly handle: object;
      readonly rebound: NativeRebound;
      /** Path of the copy that is mapped. */
      readonly image: StagedPath;
      /** Whether other handles may run the same image: it was `joined` where it was there already. */
      readonly share: 'alone' | 'opened' | 'joined';
    }
  /** Node.js owns it, and never lets go. */
  | { readonly kind: 'plain'; readonly reason: string }
  /** A thread or process of its own has it. */
  | { readonly kind: 'hosted'; readonly host: HostedVersion };

export type VersionState =
  /** Loaded, or about to be; serves nobody yet. */
  | { readonly name: 'candidate' }
  | { readonly name: 'live'; readonly code: LoadedCode }
  | { readonly name: 'retiring' }
  /** Ends as soon as these are gone. */
  | { readonly name: 'pinned'; readonly pins: readonly NativePin[] }
  /** Ended here; its image goes with the last of those who run it still. */
  | { readonly name: 'shared'; readonly others: number }
  /** Serves no more, and stays in memory. */
  | { readonly name: 'kept'; readonly reason: string }
  /** Its mapping was seen to be gone. */
  | { readonly name: 'unloaded' };

const FOLLOWS: Readonly<Record<VersionState['name'], readonly VersionState['name'][]>> = {
  candidate: ['live', 'retiring'],
  live: ['retiring'],
  retiring: ['pinned', 'shared', 'kept', 'unloaded'],
  pinned: ['pinned', 'shared', 'kept', 'unloaded'],
  shared: ['unloaded'],
  kept: [],
  unloaded: [],
};

export interface Version extends Omit<VersionIdentity, 'path'> {
  /** Another copy where the first one was of no use to what runs it. */
  path: StagedPath;
  /** Milliseconds since the Unix epoch. */
  readonly loadedAt: number;
  /** Null until its hooks have been read. */
  schema: number | null;
  /** Null until it is loaded. */
  hold: Hold | null;
  /** Why it would be better off in a process of its own; null where it is not. */
  conflict: string | null;
  /** Memory mappings of its image. */
  mappings: number;
  /** SHA-256 of the copy, which differs from `hash` where the ledger follows it; null until somebody asks. */
  stagedHash: ContentHash | null;
  state: VersionState;
}

/** What runs a version in another thread or process; null for one in this thread. */
export function hostOf(version: Version | null): HostedVersion | null {
  return version?.hold?.kind === 'hosted' ? version.hold.host : null;
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

/** A library that the addon links to and that is its own. */
export interface LibraryInfo {
  /** The file that was copied, links resolved. */
  readonly source: string;
  /** SHA-256 of its bytes, in hexadecimal. */
  readonly hash: string;
}

/** What `addon.current` and `addon.versions()` show. */
export interface VersionInfo {
  /** 1, 2, 3 …; never used twice by a handle. */
  readonly id: number;
  /** SHA-256 of the source bytes, in hexadecimal. */
  readonly hash: string;
  /** Its private libraries as they were when it was staged, dependencies before those that need them. */
  readonly libraries: readonly LibraryInfo[];
  /** The file that the build writes. */
  readonly source: string;
  /** The copy that was loaded. */
  readonly path: string;
  /** Of the file that it was made of. */
  readonly bytes: number;
  /** Schema of the state that its `save()` returns; null when it was refused before that was known. */
  readonly schema: number | null;
  /** When it was loaded. */
  readonly loadedAt: Date;
  /**
   * `candidate`: it does not serve yet. `live`: it serves. `retiring`: it is about to end. `pinned`: it ends as soon as
   * `pins` are gone. `shared`: it ended here, and other handles run its image. `kept`: it stays for good.
   */
  readonly state: VersionState['name'];
  /** SHA-256 of the copy as it was loaded; null when nobody asked while it was on disk. */
  readonly stagedHash: string | null;
  /** Why it stays in memory for good; null otherwise. */
  readonly reason: string | null;
  /** What it waits for before it is unloaded; empty but for `pinned`. */
  readonly pins: readonly NativePin[];
  /** How many other handles, of any thread, run the same image: its memory is there once. 0 with `scope: 'thread'`. */
  readonly sharedWith: number;
  /** Of the process that runs it; null where that is this one. */
  readonly pid: number | null;
}

export function describeVersion(version: Version, sharedWith: number): VersionInfo {
  const { id, hash, source, bytes, schema, stagedHash, state, hold } = version;
  const path = hold?.kind === 'ledger' ? hold.image : version.path;
  return {
    id,
    hash,
    libraries: version.libraries.map(({ source: file, hash: bytesHash }) => ({
      source: file,
      hash: bytesHash,
    })),
    source,
    path,
    bytes,
    schema,
    loadedAt: new Date(version.loadedAt),
    state: state.name,
    stagedHash,
    reason: state.name === 'kept' ? state.reason : null,
    pins: state.name === 'pinned' ? state.pins : [],
    sharedWith,
    pid: hold?.kind === 'hosted' ? hold.host.pid : null,
  };
}
