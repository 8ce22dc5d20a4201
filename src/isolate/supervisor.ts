/** What becomes of a version whose host has crashed: it is started again, after a while, and not for ever. */
import type { ReloadError } from '../errors.ts';
import { describe } from '../errors.ts';
import type { Events } from '../events.ts';
import type { Outside } from '../outside.ts';
import type { HostedVersion, Supervision } from './hosted-version.ts';

export interface SuperviseOptions {
  /** Crashes of one version within `withinMs` after which it is given up. */
  readonly maxCrashes: number;
  readonly withinMs: number;
  /** Wait before the second start; twice as long before each one after it. */
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
}

export interface SupervisorOptions {
  readonly supervise: SuperviseOptions;
  /** How often what changed is saved; null for only after each reload. */
  readonly checkpointMs: number | null;
  readonly events: Events;
  readonly outside: Outside;
  /** Makes the version before this one live, where there is one and this one serves. Rejects otherwise. */
  goBack(from: number): Promise<unknown>;
}

export class Supervisor implements Supervision {
  readonly #options: SupervisorOptions;
  readonly #crashes = new WeakMap<HostedVersion, number[]>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #checkpoints: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Saves what this version has, from time to time. */
  watch(version: HostedVersion): void {
    this.#stopCheckpoints();
    const { checkpointMs, events } = this.#options;
    if (checkpointMs === null || this.#isClosed) return;
    let isSaving = false;
    this.#checkpoints = setInterval(() => {
      if (isSaving || !version.isDirty || !version.isOpen) return;
      isSaving = true;
      version
        .save()
        .catch((cause: unknown) => {
          // A crash is told of by itself.
          if (!version.isOpen) return;
          events.emit('warning', { code: 'checkpoint-failed', message: describe(cause), cause });
        })
        .finally(() => {
          isSaving = false;
        });
    }, checkpointMs);
    this.#checkpoints.unref();
  }

  crashed(version: HostedVersion, error: ReloadError): void {
    if (this.#isClosed) return;
    const { supervise, events, outside } = this.#options;
    const nowMs = outside.nowMs();
    const before = (this.#crashes.get(version) ?? []).filter((at) => nowMs - at < supervise.withinMs);
    const crashes = [...before, nowMs];
    this.#crashes.set(version, crashes);
    const isGivenUp = crashes.length >= supervise.maxCrashes;
    const delayMs = delayBefore(crashes.length, supervise);
    events.emit('crashed', { id: version.id, error, next: isGivenUp ? 'rollback' : 'restart', delayMs });
    if (isGivenUp) void this.#giveUp(version, error);
    else this.#after(delayMs, () => void this.#restart(version));
  }

  close(): void {
    this.#isClosed = true;
    this.#stopCheckpoints();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #restart(version: HostedVersion): Promise<void> {
    if (this.#isClosed || version.isReplaced) return;
    try {
      await version.restart('restart');
      if (!this.#isClosed) this.#options.events.emit('restarted', { id: version.id });
    } catch (cause) {
      if (!version.isReplaced) version.crashAgain(cause);
    }
  }

  async #giveUp(version: HostedVersion, error: ReloadError): Promise<void> {
    let cause: unknown;
    try {
      await this.#options.goBack(version.id);
    } catch (refusal) {
      cause = refusal;
    }
    if (this.#isClosed || version.isReplaced) return;
    version.fail(error);
    this.#options.events.emit('gave-up', { id: version.id, error, cause });
  }

  #after(delayMs: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, delayMs);
    this.#timers.add(timer);
  }

  #stopCheckpoints(): void {
    if (this.#checkpoints !== null) clearInterval(this.#checkpoints);
    this.#checkpoints = null;
  }
}

/** The first start is at once: most crashes are of one call. */
function delayBefore(crashes: number, { backoffMs, backoffMaxMs }: SuperviseOptions): number {
  return crashes <= 1 ? 0 : Math.min(backoffMaxMs, backoffMs * 2 ** (crashes - 2));
}
