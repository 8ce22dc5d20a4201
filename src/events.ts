/** The handle's events, typed, and the promise that a listener's mistake stays the listener's. */
import { EventEmitter } from 'node:events';
import type { BuildOutcome } from './build/builder.ts';
import { describe, type ReloadError } from './errors.ts';
import type { Progress } from './options.ts';
import type { ReloadedReport, UnchangedReport } from './report.ts';

/** Something that deserves a look but stopped nothing. */
export interface Warning {
  readonly code:
    | 'discard-failed'
    | 'dispose-failed'
    | 'resume-failed'
    | 'unique-symbols'
    | 'version-budget'
    | 'watch';
  readonly message: string;
  readonly cause?: unknown;
}

export interface AddonEvents {
  /** Files changed on disk; a reload follows. */
  changed: [change: { readonly files: readonly string[] }];
  building: [];
  /** A stage began, or a build went a step on. */
  progress: [progress: Progress];
  built: [outcome: BuildOutcome & { readonly durationMs: number }];
  reloaded: [report: ReloadedReport];
  unchanged: [report: UnchangedReport];
  /** The version that served before goes on serving. */
  failed: [error: ReloadError];
  warning: [warning: Warning];
  closed: [];
}

export type Listener<K extends keyof AddonEvents> = (...args: AddonEvents[K]) => void;

/** An emitter whose listeners cannot break the caller: what one throws becomes a process warning. */
export class Events {
  readonly #emitter = new EventEmitter();

  on<K extends keyof AddonEvents>(event: K, listener: Listener<K>): void {
    this.#emitter.on(event, listener as (...args: unknown[]) => void);
  }

  once<K extends keyof AddonEvents>(event: K, listener: Listener<K>): void {
    this.#emitter.once(event, listener as (...args: unknown[]) => void);
  }

  off<K extends keyof AddonEvents>(event: K, listener: Listener<K>): void {
    this.#emitter.off(event, listener as (...args: unknown[]) => void);
  }

  emit<K extends keyof AddonEvents>(event: K, ...args: AddonEvents[K]): void {
    for (const listener of this.#emitter.rawListeners(event)) {
      try {
        Reflect.apply(listener, this.#emitter, args);
      } catch (cause) {
        process.emitWarning(`A listener of "${event}" threw: ${describe(cause)}`, {
          type: 'NapiReloadWarning',
          code: 'NAPI_RELOAD_LISTENER',
          ...(cause instanceof Error && cause.stack ? { detail: cause.stack } : {}),
        });
      }
    }
  }

  has(event: keyof AddonEvents): boolean {
    return this.#emitter.listenerCount(event) > 0;
  }
}
