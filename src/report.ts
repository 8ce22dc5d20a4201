/** What a reload says of itself. */
import type { NativePin } from './native.ts';

/** The stages in the order in which they run. */
export const PHASES = [
  'build',
  'stage',
  'inspect',
  'rehearse',
  'rebind',
  'load',
  'prepare',
  'save',
  'migrate',
  'init',
  'verify',
  'swap',
  'retire',
] as const;

/** A stage of a reload. */
export type Phase = (typeof PHASES)[number];

/** Milliseconds of each stage that ran. */
export type PhasesMs = Readonly<Partial<Record<Phase, number>>>;

/** What became of the version that was replaced. Observed, never assumed. */
export type Retirement = { readonly id: number } & Ending;

/** How a version ended. */
export type Ending =
  /** Its mapping is gone. */
  | { readonly outcome: 'unloaded' }
  /** It will be unloaded when these are gone. */
  | { readonly outcome: 'pinned'; readonly pins: readonly NativePin[] }
  /** It ended here; this many other handles still ran its image, which goes with the last of them. */
  | { readonly outcome: 'shared'; readonly others: number }
  /** It stays in memory for good. */
  | { readonly outcome: 'kept'; readonly reason: string };

/** By the names of their classes, where there are any. */
export interface InstanceCounts {
  /** They are the new version's now. */
  readonly moved: Readonly<Record<string, number>>;
  /** They run old code as long as they live: the new version describes no such class, or the object could not be changed. */
  readonly stayed: Readonly<Record<string, number>>;
}

/** What would be better in a process of its own. */
export interface Recommendation {
  /** What to give to `open()`. */
  readonly isolation: 'process';
  /** Completes "because". */
  readonly because: string;
}

interface ReportBase {
  /** Milliseconds of each stage that ran. */
  readonly phasesMs: PhasesMs;
  /** The version that served before; null at the first load. */
  readonly from: number | null;
  /** The version that serves now. */
  readonly to: number;
}

/** Of a reload that made a new version live. */
export interface ReloadedReport extends ReportBase {
  /** Tells it from {@link UnchangedReport}. */
  readonly status: 'reloaded';
  /**
   * `carried` from `save` to `init`; `stateless` when there was nothing to carry; `discarded` by request; `shared` when
   * another handle led the reload of an image that all of them share, and saw to its state.
   */
  readonly state: 'carried' | 'stateless' | 'discarded' | 'shared';
  /** Dotted names of exports, such as `Counter.add`. */
  readonly exports: {
    /** Those that the version before did not have. */
    readonly added: readonly string[];
    /** Those that only the version before had. */
    readonly removed: readonly string[];
  };
  /** Live instances of classes that the old version described. */
  readonly instances: InstanceCounts;
  /** What became of the version that was replaced; null at the first load. */
  readonly retired: Retirement | null;
  /** Where the new version would be better off, and why; null where that is here. */
  readonly recommended: Recommendation | null;
  /** The version whose bytes these are, where one was gone back to; null otherwise. */
  readonly restored: number | null;
}

/** Of a reload that found nothing to make live. */
export interface UnchangedReport extends ReportBase {
  /** Tells it from {@link ReloadedReport}. */
  readonly status: 'unchanged';
  /** The bytes are those of the live version, or, in watch mode, those that were refused or rolled back from last. */
  readonly reason: 'live' | 'rejected';
}

/** What a reload says of itself. */
export type ReloadReport = ReloadedReport | UnchangedReport;

/** What a reload of a group says of itself. `M` has the names of its members. */
export interface GroupReport<M extends object = Record<string, unknown>> {
  /** `reloaded` when at least one member has a new version. */
  readonly status: 'reloaded' | 'unchanged';
  /** In the order in which they reload. */
  readonly members: { readonly [K in keyof M]: ReloadReport };
}
