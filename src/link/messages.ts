/**
 * What `napi-reload dev` and the threads of the app say to each other: JSON, a message a line.
 *
 *     app → dev   hello, then opened, event, reply, invalidate
 *     dev → app   reload, rollback, versions; each is answered by one reply with its id
 */
import type { Phase, PhasesMs, ReloadedReport, Retirement } from '../report.ts';
import type { VersionInfo } from '../version.ts';

/** Raised when messages change so that older ends would misread them. */
export const LINK_PROTOCOL = 1;
/** In the environment of the app: path of the socket. */
export const LINK_VARIABLE = 'NAPI_RELOAD_DEV';

/** A failure, without what JSON cannot carry. */
export interface LinkFailure {
  readonly code: string;
  readonly message: string;
  /** The version that was refused; null where it has no number yet. */
  readonly version: number | null;
}

/** A version whose image is in memory. */
export interface LinkVersion {
  readonly id: number;
  readonly hash: string;
  readonly state: VersionInfo['state'];
  readonly bytes: number;
  /** Why it stays for good; null otherwise. */
  readonly reason: string | null;
  readonly pins: VersionInfo['pins'];
  readonly sharedWith: number;
}

/** What happened to a handle. The names are those of its own events. */
export type LinkEvent =
  | { readonly name: 'progress'; readonly phase: Phase; readonly step: string | null }
  | {
      readonly name: 'reloaded';
      readonly from: number | null;
      readonly to: number;
      readonly phasesMs: PhasesMs;
      readonly state: ReloadedReport['state'];
      readonly moved: number;
      readonly stayed: number;
      readonly retired: Retirement | null;
      /** Why it would be better off in a fresh process; null where it is not. */
      readonly recommended: string | null;
      readonly restored: number | null;
    }
  | { readonly name: 'unchanged'; readonly id: number; readonly reason: 'live' | 'rejected' }
  | { readonly name: 'failed'; readonly failure: LinkFailure }
  | { readonly name: 'warning'; readonly code: string; readonly message: string }
  | { readonly name: 'unloaded'; readonly id: number }
  | { readonly name: 'kept'; readonly id: number; readonly reason: string }
  | { readonly name: 'crashed'; readonly id: number; readonly message: string }
  | { readonly name: 'restarted'; readonly id: number }
  | { readonly name: 'gave-up'; readonly id: number; readonly message: string }
  | { readonly name: 'closed' };

export type LinkEventName = LinkEvent['name'];

/** The books of one handle. */
export interface LinkHandle {
  /** Number of the handle in its thread: an addon may be opened more than once. */
  readonly handle: number;
  /** Absolute path of the file that the build writes. */
  readonly addon: string;
  /** The version that serves; null when none has yet. */
  readonly serving: number | null;
  /** Oldest first. */
  readonly versions: readonly LinkVersion[];
  /** Private libraries of the version that serves. */
  readonly libraries: readonly string[];
}

export type FromApp =
  | {
      readonly type: 'hello';
      readonly protocol: number;
      readonly pid: number;
      /** 0 for the main thread. */
      readonly threadId: number;
      readonly argv: readonly string[];
    }
  | ({ readonly type: 'opened' } & LinkHandle)
  | { readonly type: 'event'; readonly handle: number; readonly event: LinkEvent }
  | {
      readonly type: 'reply';
      readonly id: number;
      /** What went wrong outside of the reloads themselves, which tell of it by `failed`; null when nothing did. */
      readonly failure: LinkFailure | null;
      readonly handles: readonly LinkHandle[];
    }
  /** The app asks to be started again. */
  | { readonly type: 'invalidate'; readonly message: string };

export type LinkVerb = 'reload' | 'rollback' | 'versions';

export type FromDev =
  | { readonly type: 'reload' | 'rollback'; readonly id: number; readonly addon: string }
  | { readonly type: 'versions'; readonly id: number };
