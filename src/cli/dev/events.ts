/** What happens in `napi-reload dev`: what its faces show, and, a line of JSON each, what `--json` prints. */
import type { Diagnostic } from '../../diagnostic.ts';
import type { LinkEvent, LinkHandle } from '../../link/messages.ts';
import type { PhasesMs, ReloadedReport, Retirement } from '../../report.ts';

/** Addons that one command builds. */
export interface ProjectInfo {
  /** What other events call it: its folder, or, where that has several, its first addon. */
  readonly id: string;
  /** Absolute folder. */
  readonly root: string;
  /** How it is built, such as `node-gyp`; `somebody else` when it is not built here. */
  readonly builder: string;
  /** Absolute paths. */
  readonly addons: readonly string[];
}

/** Where in the app something happened. */
export interface Place {
  readonly pid: number;
  /** 0 for the main thread. */
  readonly threadId: number;
}

/** What became of one addon in all threads that run it. */
export interface Outcome {
  /** Absolute path. */
  readonly addon: string;
  readonly outcome: 'reloaded' | 'unchanged' | 'failed';
  /** The version that serves now, and the one before, in the thread that came first. */
  readonly serving: number | null;
  readonly from: number | null;
  /** Of a rollback: the version whose bytes serve again. */
  readonly restored: number | null;
  /** What became of the version before, and of its state; null where there is none. */
  readonly retired: Retirement | null;
  readonly state: ReloadedReport['state'] | null;
  /** Of `failed`: threads that have refused it. */
  readonly failedThreads: number;
  /** Threads that run it, and the processes that these are in. */
  readonly threads: number;
  readonly processes: number;
  /** Of the thread that took longest. */
  readonly phasesMs: PhasesMs;
  /** Of `failed`. */
  readonly failure: {
    readonly code: string;
    readonly message: string;
    readonly version: number | null;
  } | null;
  /** Why a restart of the app would help; null where it would not. */
  readonly restartBecause: string | null;
  /** Instances that still run old code, and those that moved. */
  readonly stayed: number;
  readonly moved: number;
  /** Versions besides the serving one that are in memory, over all threads. */
  readonly kept: Kept;
}

export interface Kept {
  readonly count: number;
  readonly bytes: number;
  /** Such as `pinned: thread ×2`, each once. */
  readonly because: readonly string[];
}

export interface Built {
  readonly project: string;
  readonly durationMs: number;
  /** Parts of the build that the builder told of, such as `compile`. */
  readonly phasesMs: Readonly<Record<string, number>>;
  /** Warnings and notes, or, of a failed build, errors too. */
  readonly diagnostics: readonly Diagnostic[];
}

export type BuildReason = 'start' | 'change' | 'key' | 'opened';

export type DevEvent =
  /** Again when all begins by another configuration. */
  | {
      readonly type: 'start';
      readonly version: string;
      readonly pid: number;
      /** The command of the app. */
      readonly command: readonly string[];
      readonly projects: readonly ProjectInfo[];
    }
  /** The app opened an addon of a project that was not known. */
  | ({ readonly type: 'project' } & ProjectInfo)
  /** Files changed; `detectMs` is from the last change to now, the silence that is waited for included. */
  | {
      readonly type: 'changed';
      readonly project: string;
      readonly files: readonly string[];
      readonly detectMs: number;
    }
  | {
      readonly type: 'building';
      readonly project: string;
      readonly reason: BuildReason;
      readonly clean: boolean;
    }
  | {
      readonly type: 'progress';
      readonly project: string;
      readonly step: string;
      readonly done: number | null;
      readonly total: number | null;
    }
  | ({ readonly type: 'built'; readonly configured: boolean; readonly skipped: boolean } & Built)
  | ({
      readonly type: 'build-failed';
      /** The first error, or how the build ended, in one line. */
      readonly summary: string;
      readonly code: string;
      readonly message: string;
      /** Last lines of what the build printed. */
      readonly output: string;
    } & Built)
  | { readonly type: 'app-started'; readonly pid: number; readonly command: readonly string[] }
  | {
      readonly type: 'app-ended';
      readonly pid: number;
      readonly exitCode: number | null;
      readonly signal: string | null;
      /** Whether this program ended it. */
      readonly asked: boolean;
    }
  /** It could not be started at all. */
  | { readonly type: 'app-failed'; readonly message: string }
  | ({ readonly type: 'connected' | 'disconnected' } & Place)
  | ({ readonly type: 'opened'; readonly handle: LinkHandle } & Place)
  | ({
      readonly type: 'addon';
      /** Whether it is part of a reload that this program asked for. */
      readonly asked: boolean;
      readonly addon: string;
      readonly handle: number;
      readonly event: LinkEvent;
    } & Place)
  | { readonly type: 'reloading'; readonly addons: readonly string[]; readonly verb: 'reload' | 'rollback' }
  /** A thread has not answered for a while. */
  | ({ readonly type: 'waiting' } & Place)
  | {
      readonly type: 'reloaded';
      readonly verb: 'reload' | 'rollback';
      /** Null for an addon that nothing here builds. */
      readonly project: string | null;
      readonly outcomes: readonly Outcome[];
      /** From the last change, the key, or the start. */
      readonly totalMs: number;
    }
  /** The app is ended and started; when the configuration was edited, everything is, and another `start` follows. */
  | { readonly type: 'restarting'; readonly because: string }
  | {
      readonly type: 'versions';
      readonly threads: readonly (Place & { readonly handles: readonly LinkHandle[] })[];
    }
  | { readonly type: 'paused' | 'resumed' }
  /** Something that deserves a look but stopped nothing. */
  | { readonly type: 'warning'; readonly code: string; readonly message: string }
  /** Nothing is left to do until something changes. */
  | { readonly type: 'idle'; readonly app: 'running' | 'ended' | 'crashed' | 'not-started' }
  /** The app and builds are told to end, and waited for; nothing is started any more. */
  | { readonly type: 'ending' }
  /** The last of all: nothing runs any more. */
  | { readonly type: 'end'; readonly exitCode: number };

export type DevEventOf<T extends DevEvent['type']> = Extract<DevEvent, { readonly type: T }>;
