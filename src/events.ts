/** The handle's events, typed, and the promise that a listener's mistake stays the listener's. */
import { EventEmitter } from 'node:events';
import type { BuildOutcome } from './build/builder.ts';
import { describe, type ReloadError } from './errors.ts';
import type { Progress } from './options.ts';
import type { GroupReport, ReloadedReport, UnchangedReport } from './report.ts';
import { isThenable } from './thenable.ts';

/** Something that deserves a look but stopped nothing. */
export interface Warning {
  /** What it is about; `docs/handle.md` has what each means. */
  readonly code:
    | 'checkpoint-failed'
    | 'class-link'
    | 'discard-failed'
    | 'dispose-failed'
    | 'fallback'
    | 'rehearsed-without-state'
    | 'resume-failed'
    | 'unique-symbols'
    | 'version-budget'
    | 'watch';
  /** For people; it may change, so match on `code`. */
  readonly message: string;
  /** What was caught, where something was. */
  readonly cause?: unknown;
}

/** What a handle tells of, by the name of the event. */
export interface AddonEvents {
  /** Files changed on disk; a reload follows. */
  changed: [change: { readonly files: readonly string[] }];
  /** A build starts, or is looked at: it may find nothing to do. */
  building: [];
  /** A stage began, or a build went a step on. */
  progress: [progress: Progress];
  /** A build ended well, after so many milliseconds. */
  built: [outcome: BuildOutcome & { readonly durationMs: number }];
  /** A new version is live, and the one that it replaced is about to end: what holds that one can be let go of now. */
  swapped: [change: { readonly from: number; readonly to: number }];
  /** A new version is live, and what became of the one before is known. Also told when `reload()` resolves with it. */
  reloaded: [report: ReloadedReport];
  /** A reload found nothing to make live. */
  unchanged: [report: UnchangedReport];
  /** The version that served before goes on serving. */
  failed: [error: ReloadError];
  /** A version that was pinned, or shared with other handles, has left the memory. */
  unloaded: [version: { readonly id: number }];
  /** A version that was pinned has ended, but stays in memory for good. */
  kept: [version: { readonly id: number; readonly reason: string }];
  /** What ran the live version has ended without being asked to. */
  crashed: [crash: HostCrash];
  /** It runs again, from the last checkpoint. */
  restarted: [version: { readonly id: number }];
  /** It has crashed too often, and nothing could be gone back to: every call is refused until a reload. */
  'gave-up': [version: { readonly id: number; readonly error: ReloadError; readonly cause: unknown }];
  /** Something deserves a look, but stopped nothing. Without a listener, it becomes a process warning. */
  warning: [warning: Warning];
  /** The handle is closed, and nothing more is told. */
  closed: [];
}

/** A crash of the thread or process that ran the live version. */
export interface HostCrash {
  /** The version that it ran. */
  readonly id: number;
  /** `ERR_HOST_CRASHED`, with what calls in flight were refused. */
  readonly error: ReloadError;
  /** What comes next: the same version is started again after `delayMs`, or the version before it is made live. */
  readonly next: 'restart' | 'rollback';
  /** Milliseconds until the restart; without meaning for `rollback`. */
  readonly delayMs: number;
}

/** What is called for one of {@link AddonEvents}. */
export type Listener<K extends keyof AddonEvents> = (...args: AddonEvents[K]) => void;

/** What a group tells of all its members, after each member has told of itself. */
export interface GroupEvents<M extends object = Record<string, unknown>> {
  /** Files of some members changed on disk; a reload follows. */
  changed: [change: { readonly files: readonly string[] }];
  /** Some members have new versions, the others had nothing new. */
  reloaded: [report: GroupReport<M>];
  /** No member had anything new. */
  unchanged: [report: GroupReport<M>];
  /** All versions that served before go on serving. */
  failed: [error: ReloadError];
  /** The group is closed, and nothing more is told. */
  closed: [];
}

/** What is called for one of {@link GroupEvents}. */
export type GroupListener<M extends object, K extends keyof GroupEvents<M>> = (
  ...args: GroupEvents<M>[K]
) => void;

/**
 * An emitter whose listeners cannot break the caller: what one throws, or rejects with, becomes a process warning. So
 * does a `warning` that nobody listens to, as in `open()`, where there is no handle yet to listen on.
 */
export class Events<Map extends Record<keyof Map, unknown[]> = AddonEvents> {
  readonly #emitter = new EventEmitter();
  readonly #told = new Set<Warning['code']>();

  on<K extends keyof Map & string>(event: K, listener: (...args: Map[K]) => void): void {
    this.#emitter.on(event, listener as (...args: unknown[]) => void);
  }

  once<K extends keyof Map & string>(event: K, listener: (...args: Map[K]) => void): void {
    this.#emitter.once(event, listener as (...args: unknown[]) => void);
  }

  off<K extends keyof Map & string>(event: K, listener: (...args: Map[K]) => void): void {
    this.#emitter.off(event, listener as (...args: unknown[]) => void);
  }

  emit<K extends keyof Map & string>(event: K, ...args: Map[K]): void {
    if (this.#emitter.listenerCount(event) === 0) {
      if (event === 'warning') this.#tellProcess(args[0] as Warning);
      return;
    }
    for (const listener of this.#emitter.rawListeners(event)) {
      try {
        const result: unknown = Reflect.apply(listener, this.#emitter, args);
        if (isThenable(result))
          Promise.resolve(result).catch((cause: unknown) => warnOfListener(event, cause));
      } catch (cause) {
        warnOfListener(event, cause);
      }
    }
  }

  /** Once for each code: a warning of every reload would drown the rest. */
  #tellProcess({ code, message, cause }: Warning): void {
    if (this.#told.has(code)) return;
    this.#told.add(code);
    emitProcessWarning(`NAPI_RELOAD_${code.toUpperCase().replaceAll('-', '_')}`, message, cause);
  }
}

function warnOfListener(event: string, cause: unknown): void {
  emitProcessWarning('NAPI_RELOAD_LISTENER', `A listener of "${event}" threw: ${describe(cause)}`, cause);
}

function emitProcessWarning(code: string, message: string, cause: unknown): void {
  const detail = cause instanceof Error && cause.stack ? { detail: cause.stack } : {};
  process.emitWarning(message, { type: 'NapiReloadWarning', code, ...detail });
}
