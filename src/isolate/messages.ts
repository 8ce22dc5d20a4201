/**
 * What is said between a handle and the host that runs a version of it. Plain data: a structured clone for a Worker, V8's
 * own serialization for a process.
 *
 * Rules:
 * 1. Messages are dealt with in the order in which they were sent, each in one turn, up to its first wait. So what was
 *    called before a `save` is in what it saves.
 * 2. Each request is answered once. What nobody waits for has no number.
 */
import type { ContentHash, SourcePath, StagedPath, VersionId } from '../brands.ts';
import type { Reason } from '../state/hooks.ts';
import type { NativePin } from '../native.ts';
import type { Released } from './objects.ts';
import type { Wire, WireError } from './wire.ts';

/** What a host loads. */
export interface LoadRequest {
  readonly id: VersionId;
  readonly source: SourcePath;
  /** The copy that the handle staged, as it was built. */
  readonly path: StagedPath;
  readonly hash: ContentHash;
  readonly libraryHashes: readonly ContentHash[];
  /** Where the host stages a copy of its own, which it binds to its own shim. */
  readonly stageDir: string;
  readonly reclaim: 'auto' | 'never';
  readonly hookTimeoutMs: number;
}

export interface LoadMessage extends LoadRequest {
  readonly kind: 'load';
  /** The first of the numbers for objects that this host hands out, counting down: no other host of the handle has them. */
  readonly firstId: number;
}

/** What hooks are told, but for what only the host can give. */
export interface WireContext {
  readonly reason: Reason;
  readonly state: Wire;
  readonly from?: { readonly version: number; readonly schema: number };
}

/** An object of the addon that the handle's side knows by its number. */
export interface WireInstance {
  readonly id: number;
  /** The dotted name of its class. */
  readonly name: string;
  readonly state: Wire;
}

export type HookCall =
  | { readonly hook: 'prepare' | 'init'; readonly context: WireContext }
  | { readonly hook: 'dispose' | 'resume' };

/** What is asked of a host, each with an answer of its own. */
export type Ask =
  | LoadMessage
  | ({ readonly kind: 'hook' } & HookCall)
  /** Nothing, by the way that hooks take. */
  | { readonly kind: 'warm'; readonly context: WireContext }
  /** The state, and that of each known instance of these classes. Answered by {@link Saved}. */
  | { readonly kind: 'save'; readonly classes: readonly string[] }
  /** New instances in place of others: all constructed, then all restored. */
  | { readonly kind: 'adopt'; readonly context: WireContext; readonly instances: readonly WireInstance[] }
  | { readonly kind: 'call'; readonly path: readonly string[]; readonly args: Wire }
  | { readonly kind: 'get'; readonly path: readonly string[] }
  | { readonly kind: 'set'; readonly path: readonly string[]; readonly value: Wire }
  | { readonly kind: 'construct'; readonly path: readonly string[]; readonly id: number; readonly args: Wire }
  /** Of a function that the host has sent. */
  | { readonly kind: 'invoke'; readonly id: number; readonly args: Wire }
  | { readonly kind: 'callOn'; readonly id: number; readonly key: string; readonly args: Wire }
  | { readonly kind: 'getOf'; readonly id: number; readonly key: string }
  | { readonly kind: 'setOf'; readonly id: number; readonly key: string; readonly value: Wire }
  /** Ends the version, as far as the ledger can. Answered by {@link Retired}. */
  | { readonly kind: 'retire'; readonly drainTimeoutMs: number };

/** From the handle to the host. */
export type ToHost =
  | { readonly n: number; readonly ask: Ask }
  /** Nobody holds these objects, or functions, any more. */
  | { readonly release: readonly Released[]; readonly functions: readonly Released[] }
  /** An answer to {@link FromHost} `call`. */
  | Answer
  | { readonly arrays: unknown }
  /** Its version has gone: it is to be as if it had just started. */
  | { readonly reset: true };

/** From the host to the handle. */
export type FromHost =
  | Answer
  /** The first word after a reset: what was said before is of no matter. */
  | { readonly fresh: true }
  /** A function that was an argument is called. */
  | { readonly call: { readonly n: number; readonly id: number; readonly args: Wire } }
  /** Nobody holds these functions any more. */
  | { readonly release: readonly Released[] }
  /** It has started, and waits for a version. */
  | { readonly ready: true }
  | { readonly arrays: unknown };

export type Answer =
  | { readonly n: number; readonly value: Wire }
  | { readonly n: number; readonly error: WireError };

/** What a version exports, as far as another thread can know. */
export type Surface =
  | {
      readonly kind: 'function';
      readonly name: string;
      readonly length: number;
      readonly own: SurfaceMembers;
    }
  | {
      readonly kind: 'class';
      readonly name: string;
      readonly length: number;
      readonly own: SurfaceMembers;
      readonly members: SurfaceMembers;
      /** Dotted name of the exported class that it inherits from. */
      readonly parent: string | null;
    }
  | { readonly kind: 'namespace'; readonly own: SurfaceMembers }
  /** The same thing as one that was described before, under that dotted name. */
  | { readonly kind: 'alias'; readonly of: string }
  | { readonly kind: 'value'; readonly value: Wire }
  | { readonly kind: 'method'; readonly length: number }
  | { readonly kind: 'accessor'; readonly get: boolean; readonly set: boolean };

export type SurfaceMembers = readonly {
  readonly key: string;
  readonly enumerable: boolean;
  readonly shape: Surface;
}[];

/** The answer to `load`. */
export interface Loaded {
  readonly surface: Surface;
  readonly hooks: {
    readonly schema: number;
    readonly accepts: readonly number[];
    readonly has: readonly string[];
    readonly classes: readonly string[];
  };
  /** The copy that is mapped in the host. */
  readonly image: StagedPath;
}

/** The answer to `save`. */
export interface Saved {
  readonly state: Wire;
  readonly instances: readonly WireInstance[];
}

/** The answer to `retire`. */
export interface Retired {
  readonly outcome: 'unloaded' | 'pinned' | 'kept';
  readonly pins: readonly NativePin[];
  readonly reason: string | null;
}

/** Asked while a hook runs, and waited for by the host's whole thread. */
export interface MemoryAsk {
  readonly name: string;
  readonly byteLength: number;
  readonly grow: boolean;
}

export type MemoryAnswer =
  | { readonly file: { readonly path: string; readonly bytes: number } }
  /** Where no array buffer may lie over foreign memory; a process cannot have it. */
  | { readonly view: Uint8Array }
  | { readonly error: WireError };
