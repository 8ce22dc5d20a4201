/** What `open()` takes for versions that run in Workers or processes. */
import type { ResourceLimits } from 'node:worker_threads';
import {
  asRecord,
  flag,
  invalid,
  milliseconds,
  onlyKeys,
  show,
  stringRecord,
  strings,
  wholeNumber,
} from './option-checks.ts';

/** How a Worker or process that runs versions is made. */
export interface HostOptions {
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Options of Node.js for it. */
  readonly execArgv?: readonly string[];
  /** Resident memory above which a process is ended as if it had crashed. @defaultValue none */
  readonly maxRssBytes?: number;
  /** Bounds of a Worker's heap; what is native has none. */
  readonly resourceLimits?: ResourceLimits;
  /** Start one ahead, so that a reload or restart does not wait for Node.js. @defaultValue true */
  readonly spare?: boolean;
  /**
   * Whether a host whose version was unloaded entirely, as the ledger sees, runs the next one. It spares the start of a
   * Node.js for each reload; what a version broke or leaked is there for the next, up to 100 of them.
   *
   * @defaultValue false: each version has a host of its own
   */
  readonly reuse?: boolean;
}

/** A version that crashes `maxCrashes` times within `withinMs` is given up, and the one before it made live. */
export interface SuperviseOptions {
  /** How many crashes are too many. @defaultValue 5 */
  readonly maxCrashes?: number;
  /** Within how many milliseconds. @defaultValue 60000 */
  readonly withinMs?: number;
  /** Milliseconds of wait before the second restart; each later one waits twice as long. @defaultValue 100 */
  readonly backoffMs?: number;
  /** The longest wait before a restart, in milliseconds. @defaultValue 5000 */
  readonly backoffMaxMs?: number;
}

/** When the state is saved for a restart, besides after each reload. */
export interface CheckpointOptions {
  /** As often as that, where calls were made since. @defaultValue 1000 */
  readonly everyMs?: number;
}

export interface ResolvedHost {
  readonly env: Readonly<Record<string, string>>;
  readonly execArgv: readonly string[];
  readonly maxRssBytes: number | null;
  readonly resourceLimits: ResourceLimits;
  readonly spare: boolean;
  readonly reuse: boolean;
}

export interface ResolvedSupervise {
  readonly maxCrashes: number;
  readonly withinMs: number;
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
}

const DEFAULT_MAX_CRASHES = 5;
const DEFAULT_CRASHES_WITHIN_MS = 60_000;
const DEFAULT_BACKOFF_MS = 100;
const DEFAULT_BACKOFF_MAX_MS = 5_000;
const DEFAULT_CHECKPOINT_MS = 1_000;
const CALL_TIMEOUT_MIN_MS = 1;

/** Each throws `ERR_INVALID_OPTION` for what cannot be used. */
export function resolveHost(value: unknown): ResolvedHost {
  const host = asRecord(value ?? {}, 'host');
  onlyKeys('host', host, ['env', 'execArgv', 'maxRssBytes', 'resourceLimits', 'spare', 'reuse']);
  return {
    env: stringRecord('host.env', host['env']),
    execArgv: strings('host.execArgv', host['execArgv']),
    maxRssBytes: wholeNumber('host.maxRssBytes', host['maxRssBytes'], 1) ?? null,
    resourceLimits: asRecord(host['resourceLimits'] ?? {}, 'host.resourceLimits') as ResourceLimits,
    spare: flag('host.spare', host['spare'], true),
    reuse: flag('host.reuse', host['reuse']),
  };
}

export function resolveSupervise(value: unknown): ResolvedSupervise {
  const supervise = asRecord(value ?? {}, 'supervise');
  onlyKeys('supervise', supervise, ['maxCrashes', 'withinMs', 'backoffMs', 'backoffMaxMs']);
  return {
    maxCrashes: wholeNumber('supervise.maxCrashes', supervise['maxCrashes'], 1) ?? DEFAULT_MAX_CRASHES,
    withinMs: milliseconds('supervise.withinMs', supervise['withinMs'], DEFAULT_CRASHES_WITHIN_MS),
    backoffMs: milliseconds('supervise.backoffMs', supervise['backoffMs'], DEFAULT_BACKOFF_MS),
    backoffMaxMs: milliseconds('supervise.backoffMaxMs', supervise['backoffMaxMs'], DEFAULT_BACKOFF_MAX_MS),
  };
}

/** @returns null for only after each reload */
export function resolveCheckpoint(value: unknown): number | null {
  if (value === undefined) return DEFAULT_CHECKPOINT_MS;
  if (value === false) return null;
  const checkpoint = asRecord(value, 'checkpoint');
  onlyKeys('checkpoint', checkpoint, ['everyMs']);
  return milliseconds('checkpoint.everyMs', checkpoint['everyMs'], DEFAULT_CHECKPOINT_MS);
}

/** @returns null for no bound */
export function resolveCallTimeout(value: unknown): number | null {
  if (value === undefined) return null;
  const timeoutMs = milliseconds('callTimeoutMs', value, 0);
  return timeoutMs >= CALL_TIMEOUT_MIN_MS
    ? timeoutMs
    : invalid('callTimeoutMs', show(value), 'at least 1 millisecond');
}
