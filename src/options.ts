/** What `open()` takes, and the full form that everything behind it works with. */
import path from 'node:path';
import {
  type BuildTool,
  type CommandBuild,
  type ResolvedBuild,
  resolveBuild,
  type ToolBuild,
} from './build-options.ts';
import {
  type CheckpointOptions,
  type HostOptions,
  type ResolvedHost,
  type ResolvedSupervise,
  resolveCallTimeout,
  resolveCheckpoint,
  resolveHost,
  resolveSupervise,
  type SuperviseOptions,
} from './host-options.ts';
import {
  asRecord,
  flag,
  invalid,
  milliseconds,
  onlyKeys,
  show,
  strings,
  text,
  wholeNumber,
} from './option-checks.ts';
import type { Phase } from './report.ts';
import { defaultStageDir } from './user-folder.ts';

/** Carries state from one schema to the next; returns the new state and leaves the one it was given as it was. */
export type MigrateStep = (state: never) => unknown;

/**
 * Steps by schema: the one under n leads `up` from n to n+1 and, where given, `down` from n+1 back to n. No step up may
 * be missing between two others. One down may be: a step that drops something has no way back.
 */
export type MigrateSteps = Readonly<
  Record<number, MigrateStep | { readonly up?: MigrateStep; readonly down?: MigrateStep }>
>;

/** What a watch looks at, and for how long it waits. */
export interface WatchOptions {
  /** Files and folders to watch instead of what the build is known to read. */
  readonly paths?: readonly string[];
  /** Paths to leave out. */
  readonly ignore?: readonly (string | RegExp)[];
  /** Silence after the last change before a build starts. @defaultValue 30 */
  readonly debounceMs?: number;
  /** Whether the watch alone keeps the process running. @defaultValue true */
  readonly persistent?: boolean;
}

/** The second argument of `open()`. All of it is optional. */
export interface OpenOptions {
  /**
   * Who builds the addon, at `open` and before each reload. `'auto'` takes node-gyp where the nearest folder above the addon
   * that tells has a binding.gyp; cmake-js where it has a CMakeLists.txt, or plain ninja or make where CMake alone has
   * configured the build folder; the CLI of napi-rs or cargo where it has a Cargo.toml.
   *
   * @defaultValue false: somebody else does
   */
  readonly build?: false | 'auto' | BuildTool | ToolBuild | CommandBuild;
  /** Reload by itself when a source (or, without `build`, the built file) changes. @defaultValue false */
  readonly watch?: boolean | WatchOptions;
  /** Where versions run: in this thread. See {@link HostedOpenOptions} for other places. @defaultValue 'inline' */
  readonly isolation?: 'inline';
  /**
   * Who shares the memory of a version: nobody, or all handles of the process, of main and of Workers, that opened the
   * same file with the same bytes and this scope. @defaultValue 'thread': nobody
   */
  readonly scope?: 'thread' | 'process';
  /**
   * Load each new version in a throw-away process first, and have it take a copy of the state there: one that crashes or
   * fails is refused. What it does to the world outside, such as files, it does twice. @defaultValue false
   */
  readonly rehearse?: boolean;
  /**
   * Where to go with a version that only a fresh process can load: the handle's exports are then {@link Remote}, and stay so.
   *
   * @defaultValue none: the reload is refused
   */
  readonly fallback?: 'process';
  /** Of Workers and processes that run versions, or try them. */
  readonly host?: HostOptions;
  /** What is done when one of them crashes. */
  readonly supervise?: SuperviseOptions;
  /** When the state is saved for a restart, besides after each reload. @defaultValue { everyMs: 1000 } */
  readonly checkpoint?: CheckpointOptions | false;
  /** How long a call may take before what runs it is ended as if it had crashed. @defaultValue none */
  readonly callTimeoutMs?: number;
  /** Steps that carry state from one schema to another. @defaultValue none */
  readonly migrate?: MigrateSteps;
  /**
   * What the new version's own `save()` must show before it goes live: with true that it can save, with 'deep' also that
   * what it saves equals the state that it was given. @defaultValue true
   */
  readonly verify?: true | 'deep';
  /**
   * How many versions that were live before can be gone back to: their files stay in the stage directory. @defaultValue 5
   */
  readonly history?: number;
  /** Unload replaced versions as soon as nothing needs them, or never. @defaultValue 'auto' */
  readonly reclaim?: 'auto' | 'never';
  /** How long a reload waits for work of the replaced version that will end by itself. @defaultValue 1000 */
  readonly drainTimeoutMs?: number;
  /** Bound on an asynchronous hook. A synchronous hook cannot be interrupted. @defaultValue 10000 */
  readonly hookTimeoutMs?: number;
  /** Bound on one build. @defaultValue 300000 */
  readonly buildTimeoutMs?: number;
  /** What may be loaded at all: a Subresource Integrity string, or a function that is asked about each file. */
  readonly integrity?: string | IntegrityFunction;
  /** The folder for copies; it must be this user's alone. @defaultValue `napi-reload` under the user's cache folder */
  readonly stageDir?: string;
  /** Stops `open()` while it runs, and closes the handle afterwards. */
  readonly signal?: AbortSignal;
  /** Told of each stage, and each step of a build, for the life of the handle and from before `open()` returns it. */
  readonly onProgress?: (progress: Progress) => void;
}

/** The second argument of `open()` for versions that run in Workers or in processes. */
export interface HostedOpenOptions extends Omit<OpenOptions, 'isolation' | 'scope' | 'fallback'> {
  /** Where versions run: each in a Worker, or each in a process of its own. The exports are {@link Remote}. */
  readonly isolation: 'worker' | 'process';
}

/**
 * Whether a file may be loaded. Asked about the addon, and about each private library of it.
 *
 * @param path of the file that was staged
 */
export type IntegrityFunction = (bytes: Uint8Array, path: string) => boolean;

/** Where a reload stands. */
export interface Progress {
  /** The stage. */
  readonly phase: Phase;
  /** What a builder is at, such as `CXX kernel.cc`. */
  readonly step?: string;
  /** Of a build that tells: which of its `total` steps this is, from 1; Makefiles of CMake tell percent. */
  readonly done?: number;
  /** Of a build that tells: how many steps it has. */
  readonly total?: number;
}

export interface ResolvedWatch {
  readonly paths: readonly string[] | null;
  readonly ignore: readonly (string | RegExp)[];
  readonly debounceMs: number;
  readonly persistent: boolean;
}

/** One step with both ways, whichever of them exist. */
export interface ResolvedStep {
  readonly up: ((state: unknown) => unknown) | null;
  readonly down: ((state: unknown) => unknown) | null;
}

export interface Options {
  readonly isolation: 'inline' | 'worker' | 'process';
  readonly host: ResolvedHost;
  readonly supervise: ResolvedSupervise;
  /** Null for only after each reload. */
  readonly checkpointMs: number | null;
  readonly callTimeoutMs: number | null;
  readonly scope: 'thread' | 'process';
  readonly build: ResolvedBuild;
  readonly watch: ResolvedWatch | null;
  readonly migrate: ReadonlyMap<number, ResolvedStep>;
  readonly rehearse: boolean;
  readonly fallback: 'process' | null;
  readonly verify: true | 'deep';
  readonly history: number;
  readonly reclaim: 'auto' | 'never';
  readonly drainTimeoutMs: number;
  readonly hookTimeoutMs: number;
  readonly buildTimeoutMs: number;
  readonly integrity: string | IntegrityFunction | null;
  readonly stageDir: string;
  readonly signal: AbortSignal | null;
  readonly onProgress: ((progress: Progress) => void) | null;
}

const DEFAULT_HOOK_TIMEOUT_MS = 10_000;
const DEFAULT_BUILD_TIMEOUT_MS = 300_000;
const DEFAULT_DRAIN_TIMEOUT_MS = 1_000;
const DEFAULT_DEBOUNCE_MS = 30;
const DEFAULT_HISTORY = 5;

const KNOWN = [
  'build',
  'watch',
  'isolation',
  'host',
  'supervise',
  'checkpoint',
  'callTimeoutMs',
  'scope',
  'rehearse',
  'fallback',
  'reclaim',
  'drainTimeoutMs',
  'migrate',
  'verify',
  'history',
  'hookTimeoutMs',
  'buildTimeoutMs',
  'integrity',
  'stageDir',
  'signal',
  'onProgress',
] as const satisfies readonly (keyof OpenOptions)[];

/**
 * Checks what a user gave and fills in the rest.
 *
 * @throws `ERR_INVALID_OPTION` at the first option that cannot be used
 */
export function resolveOptions(given: unknown = {}): Options {
  const options = asRecord(given, 'options');
  onlyKeys('', options, KNOWN);
  const isolation = options['isolation'] ?? 'inline';
  if (isolation !== 'inline' && isolation !== 'worker' && isolation !== 'process')
    return invalid('isolation', show(isolation), "'inline', 'worker' or 'process'");
  const reclaim = options['reclaim'] ?? 'auto';
  if (reclaim !== 'auto' && reclaim !== 'never')
    return invalid('reclaim', show(reclaim), "'auto' or 'never'");
  const scope = options['scope'] ?? 'thread';
  if (scope !== 'thread' && scope !== 'process')
    return invalid('scope', show(scope), "'thread' or 'process'");
  const fallback = options['fallback'] ?? null;
  if (fallback !== null && fallback !== 'process') return invalid('fallback', show(fallback), "'process'");
  if (scope === 'process' && fallback !== null)
    return invalid('fallback', show(fallback), "nothing where versions are shared (scope 'process')");
  const verify = options['verify'] ?? true;
  if (verify !== true && verify !== 'deep') return invalid('verify', show(verify), "true or 'deep'");
  if (scope === 'process' && isolation !== 'inline')
    return invalid('scope', show(scope), "'thread' for versions that do not run in this thread");
  return {
    isolation,
    host: resolveHost(options['host']),
    supervise: resolveSupervise(options['supervise']),
    checkpointMs: resolveCheckpoint(options['checkpoint']),
    callTimeoutMs: resolveCallTimeout(options['callTimeoutMs']),
    scope,
    verify,
    fallback,
    rehearse: flag('rehearse', options['rehearse']),
    history: wholeNumber('history', options['history'], 0) ?? DEFAULT_HISTORY,
    reclaim,
    drainTimeoutMs: milliseconds('drainTimeoutMs', options['drainTimeoutMs'], DEFAULT_DRAIN_TIMEOUT_MS),
    build: resolveBuild(options['build']),
    watch: resolveWatch(options['watch']),
    migrate: resolveMigrate(options['migrate']),
    hookTimeoutMs: milliseconds('hookTimeoutMs', options['hookTimeoutMs'], DEFAULT_HOOK_TIMEOUT_MS),
    buildTimeoutMs: milliseconds('buildTimeoutMs', options['buildTimeoutMs'], DEFAULT_BUILD_TIMEOUT_MS),
    integrity: resolveIntegrity(options['integrity']),
    stageDir: path.resolve(text('stageDir', options['stageDir']) ?? defaultStageDir()),
    signal: resolveSignal(options['signal']),
    onProgress: resolveOnProgress(options['onProgress']),
  };
}

function resolveWatch(value: unknown): ResolvedWatch | null {
  if (value === undefined || value === false) return null;
  if (value === true) return { paths: null, ignore: [], debounceMs: DEFAULT_DEBOUNCE_MS, persistent: true };
  if (typeof value !== 'object' || value === null) {
    return invalid('watch', show(value), 'true, false or { paths, ignore, debounceMs, persistent }');
  }
  const watch = asRecord(value, 'watch');
  onlyKeys('watch', watch, ['paths', 'ignore', 'debounceMs', 'persistent']);
  const ignore = watch['ignore'] ?? [];
  if (!Array.isArray(ignore) || !ignore.every((x) => typeof x === 'string' || x instanceof RegExp)) {
    invalid('watch.ignore', show(ignore), 'an array of strings and regular expressions');
  }
  return {
    paths: watch['paths'] === undefined ? null : strings('watch.paths', watch['paths']),
    ignore: ignore as (string | RegExp)[],
    debounceMs: milliseconds('watch.debounceMs', watch['debounceMs'], DEFAULT_DEBOUNCE_MS),
    persistent: flag('watch.persistent', watch['persistent'], true),
  };
}

function resolveMigrate(value: unknown): ReadonlyMap<number, ResolvedStep> {
  const steps = new Map<number, ResolvedStep>();
  if (value === undefined) return steps;
  for (const [key, step] of Object.entries(asRecord(value, 'migrate'))) {
    const from = Number(key);
    if (!Number.isSafeInteger(from) || from < 1) {
      invalid('migrate', `a step from ${show(key)}`, 'schemas as whole numbers from 1');
    }
    steps.set(from, resolveStep(`migrate.${key}`, step));
  }
  refuseGaps(steps);
  return steps;
}

/** A gap in the ways up is a mistake: no state gets past it. The ways down on both sides of one are of use alone. */
function refuseGaps(steps: ReadonlyMap<number, ResolvedStep>): void {
  const ups = [...steps].flatMap(([from, { up }]) => (up === null ? [] : from)).sort((a, b) => a - b);
  for (const [index, from] of ups.entries()) {
    const next = ups[index + 1];
    if (next === undefined || next === from + 1) continue;
    const found = `steps up from ${from} and from ${next}, and none from ${from + 1} to ${from + 2}`;
    invalid('migrate', found, 'a step up from each schema between the first and the last');
  }
}

function resolveStep(name: string, value: unknown): ResolvedStep {
  if (typeof value === 'function') return { up: value as ResolvedStep['up'], down: null };
  const step = asRecord(value, name);
  onlyKeys(name, step, ['up', 'down']);
  const { up = null, down = null } = step;
  for (const way of [up, down]) {
    if (way !== null && typeof way !== 'function') invalid(name, show(way), 'a function, or { up, down }');
  }
  if (up === null && down === null)
    invalid(name, 'neither a way up nor one down', 'a function, or { up, down }');
  return { up: up as ResolvedStep['up'], down: down as ResolvedStep['down'] };
}

function resolveIntegrity(value: unknown): Options['integrity'] {
  if (value === undefined) return null;
  if (typeof value === 'function') return value as IntegrityFunction;
  if (typeof value === 'string' && /^sha(256|384|512)-[A-Za-z0-9+/]+={0,2}$/.test(value)) return value;
  return invalid('integrity', show(value), "'sha256-…', 'sha384-…' or 'sha512-…' in base64, or a function");
}

function resolveSignal(value: unknown): AbortSignal | null {
  if (value === undefined) return null;
  if (value instanceof AbortSignal) return value;
  return invalid('signal', show(value), 'an AbortSignal');
}

function resolveOnProgress(value: unknown): Options['onProgress'] {
  if (value === undefined) return null;
  if (typeof value === 'function') return value as (progress: Progress) => void;
  return invalid('onProgress', show(value), 'a function');
}
