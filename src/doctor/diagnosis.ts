/** What `napi-reload doctor` says of an addon. */

/**
 * What can be found in an addon, in the order in which it is reported. Those up to `undefined-symbol` are errors: the file
 * cannot be loaded here.
 */
export const HAZARD_CODES = [
  'unreadable',
  'not-elf',
  'truncated',
  'malformed',
  'wrong-arch',
  'not-shared',
  'no-entry',
  'v8-abi',
  'napi-version',
  'missing-library',
  'undefined-symbol',
  'no-delete',
  'node-api-by-name',
  'past-node-api',
  'unfollowed',
  'not-followed',
  'static-tls',
  'executable-stack',
  'run-path',
  'unique-symbols',
  'private-libraries',
  'threads',
  'thread-locals',
  'pthread-keys',
  'uv-handles',
  'uv-requests',
  'signals',
] as const;

/** What a {@link Hazard} is called, such as `static-tls`. */
export type HazardCode = (typeof HAZARD_CODES)[number];

/** `error`: it cannot be loaded here. `warning`: something of a reload will not be as it could. `info`: good to know. */
export type Severity = 'error' | 'warning' | 'info';

/** Something of an addon that deserves a look. */
export interface Hazard {
  /** What it is; `docs/doctor.md` has all of them. */
  readonly code: HazardCode;
  /** How grave it is. */
  readonly severity: Severity;
  /** What was found. */
  readonly detail: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** Whether a version of the addon that was replaced will leave the memory. */
export interface Reclaim {
  /**
   * `full`: at once. `when idle`: as soon as nothing uses it any more. `never`: it stays until the process ends.
   */
  readonly level: 'full' | 'when idle' | 'never';
  /** Of `when idle`: the pins that it may have, and what they come from. Of `never`: why. Else empty. */
  readonly reasons: readonly string[];
}

/** What `napi-reload doctor --json` prints. */
export interface Diagnosis {
  /** Absolute path. */
  readonly file: string;
  /** As in `process.arch`; null when the file does not say. */
  readonly arch: string | null;
  /**
   * How it registers: `symbol` (`napi_register_module_v1`), `constructor` (`napi_module_register`), `v8` (not by Node-API),
   * `none`; null when that could not be read.
   */
  readonly entry: 'symbol' | 'constructor' | 'v8' | 'none' | null;
  /** The version of Node-API that it asks for, 8 where it asks for none; null when it can be known only by running it. */
  readonly apiVersion: number | null;
  /** Names of the libraries that it is linked to. */
  readonly needed: readonly string[];
  /** What was found, the gravest first. */
  readonly hazards: readonly Hazard[];
  /** Whether versions of it will unload. */
  readonly reclaim: Reclaim;
}

/** Whether it can be loaded here, as far as can be told without loading it. */
export function isLoadable({ hazards }: Diagnosis): boolean {
  return hazards.every(({ severity }) => severity !== 'error');
}
