/**
 * Every refusal of napi-reload: one class, one closed union of codes, one factory for each code, sorted.
 * Messages say what was attempted, what was found and what to do, with strings quoted and no full stop.
 */
import type { Diagnostic } from './diagnostic.ts';

interface Stated {
  /** Path of the addon that the handle serves. */
  readonly addon?: string;
}

/** What each code carries in `details`. */
export interface ErrorDetails {
  /** The signal fired during `open`, or the handle was closed while a reload ran. */
  ERR_ABORTED: Stated & {
    /** The stage that was under way, such as `build`; `open` before there was any. */
    readonly during: string;
  };
  /** A build ended badly, took too long, could not start, or wrote no addon. */
  ERR_BUILD_FAILED: Stated & {
    /** The command line. */
    readonly command: string;
    /** `exit`: an exit code that is not 0; `timeout`: longer than `buildTimeoutMs`; `missing`: ended well, but wrote no addon. */
    readonly reason: 'exit' | 'signal' | 'timeout' | 'spawn' | 'missing';
    /** Null where it has none. */
    readonly exitCode: number | null;
    /** The signal that ended it, such as `SIGSEGV`; null where none did. */
    readonly signal: string | null;
    /** Errors, warnings and notes of compilers and linkers, in the order in which they were printed. */
    readonly diagnostics: readonly Diagnostic[];
    /** Last lines of what the build printed. */
    readonly output: string;
    /** What to do about it, where that is known, such as which program to install. */
    readonly advice?: string;
  };
  /** It cannot be replaced, or shared, now. */
  ERR_BUSY: Stated & {
    /**
     * `threads`: other threads run the image, too, and did not come along in time; `shared`: others run it, and what would
     * replace it cannot be shared; `replacing`: another thread is replacing it; `in-call`: a native call of the old version
     * did not end, and its instance cannot move; `waiting`: too many calls wait for the reload that runs.
     */
    readonly reason: 'threads' | 'shared' | 'replacing' | 'in-call' | 'waiting';
    /** Of `threads`: how many did not come. */
    readonly threads?: number;
    /** How many other handles of this process run it; null but for `shared`. */
    readonly sharedWith: number | null;
  };
  /** The handle is closed. */
  ERR_CLOSED: Stated & {
    /** What was asked of it, such as `reload` or `call an export`. */
    readonly attempted: string;
  };
  /** A configuration that cannot be used. */
  ERR_CONFIG_INVALID: {
    /** The file; of two in one folder, that folder. */
    readonly file: string;
    /** Such as `addons["build/Release/kernel.node"].hookTimeoutMs`; null where the file cannot be used at all. */
    readonly option: string | null;
    /** What is there, in words. */
    readonly found: string;
    /** What should be there, in words. */
    readonly wanted: string;
  };
  /** An export that the live version does not have was used. */
  ERR_EXPORT_REMOVED: Stated & {
    /** Its dotted name. */
    readonly name: string;
    /** The version that serves. */
    readonly version: number;
  };
  /** `module.exports` became another kind of thing, or what would have to change is frozen. */
  ERR_EXPORTS_INCOMPATIBLE: Stated & {
    /** What the new version has, in words. */
    readonly found: string;
    /** What fits the exports that are in use, in words. */
    readonly wanted: string;
  };
  /** Members of a group are to come after each other. */
  ERR_GROUP_CYCLE: {
    /** Names of members, each of which is to come after the next; the last is the first again. */
    readonly path: readonly string[];
  };
  /** A hook that must be synchronous returned a promise. */
  ERR_HOOK_ASYNC: Stated & {
    /** Such as `save`; of a class, such as `classes.Counter.save`. */
    readonly hook: string;
    /** The version that has it. */
    readonly version: number;
  };
  /** `napiReload`, or a part of it, is not what it should be. */
  ERR_HOOK_INVALID: Stated & {
    /** Such as `napiReload.schema`. */
    readonly path: string;
    /** The value that is there, and its type. */
    readonly found: string;
    /** What should be there, in words. */
    readonly wanted: string;
  };
  /** A hook threw, or its promise was rejected; `cause` is with what. */
  ERR_HOOK_THREW: Stated & {
    /** Such as `init`; of a class, such as `classes.Counter.restore`. */
    readonly hook: string;
    /** The version that has it. */
    readonly version: number;
    /** Of a hook of a class: the instance that it was called for. */
    readonly instance?: {
      /** Which one, from 0. */
      readonly index: number;
      /** How many there are. */
      readonly count: number;
    };
  };
  /** The promise of a hook did not settle in time. */
  ERR_HOOK_TIMEOUT: Stated & {
    /** `prepare` or `dispose`. */
    readonly hook: string;
    /** The version that has it. */
    readonly version: number;
    /** The bound, `hookTimeoutMs`. */
    readonly timeoutMs: number;
  };
  /** The Worker or process that ran a version ended without being asked to. */
  ERR_HOST_CRASHED: Stated & {
    /** The version that it ran. */
    readonly version: number;
    /** Null where a signal ended it. */
    readonly exitCode: number | null;
    /** Such as `SIGSEGV`; null where none ended it. */
    readonly signal: string | null;
    /** Last lines of what it wrote to its standard error. */
    readonly stderr: string;
    /**
     * `exit`: it ended by itself, or somebody ended it; `call-timeout`, `memory-limit`: it was ended for that;
     * `start-failed`: Node.js or the system did not start it, for the cause; `restart-failed`: the version did not come up
     * in it again, for the cause.
     */
    readonly reason: 'exit' | 'call-timeout' | 'memory-limit' | 'start-failed' | 'restart-failed';
  };
  /** The module's own initialiser threw; `cause` is what. */
  ERR_INIT_THREW: Stated & {
    /** The version that it is of. */
    readonly version: number;
  };
  /** The option `integrity` does not allow the bytes. */
  ERR_INTEGRITY: Stated & {
    /** The addon, or the private library, that was asked about. */
    readonly path: string;
    /** What is allowed, such as `sha384-…`. */
    readonly wanted: string;
    /** What the file has, such as another digest. */
    readonly found: string;
  };
  /** Something went wrong that must not. */
  ERR_INTERNAL: Stated & {
    /** What was under way. */
    readonly during: string;
  };
  /** An option, or an argument, cannot be used. */
  ERR_INVALID_OPTION: {
    /** Its dotted name. */
    readonly option: string;
    /** What was given, in words. */
    readonly found: string;
    /** What can be given, in words. */
    readonly wanted: string;
  };
  /** The system's loader refused a file. */
  ERR_LOAD_FAILED: Stated & {
    /** The file. */
    readonly path: string;
    /** What the loader said. */
    readonly found: string;
  };
  /** `ctx.memory` was called after `init` had returned. */
  ERR_MEMORY_LATE: Stated & {
    /** The name that was asked for. */
    readonly name: string;
    /** The version that asked. */
    readonly version: number;
  };
  /** Memory has another size than was asked for. */
  ERR_MEMORY_SIZE: Stated & {
    /** Its name. */
    readonly name: string;
    /** Of the version that asked. */
    readonly version: number;
    /** Bytes that it has. */
    readonly found: number;
    /** Bytes that were asked for. */
    readonly wanted: number;
  };
  /** The system does not give so much memory. */
  ERR_MEMORY_UNAVAILABLE: Stated & {
    /** Its name. */
    readonly name: string;
    /** Bytes that were asked for. */
    readonly wanted: number;
    /** The call that failed, such as `mmap`. */
    readonly operation: string;
    /** The name of its error, such as `ENOMEM`. */
    readonly errno: string;
  };
  /** The addon wants a newer Node-API than this Node.js has. */
  ERR_NAPI_VERSION: Stated & {
    /** The addon. */
    readonly path: string;
    /** The version that it asks for. */
    readonly wanted: number;
    /** The newest that there is here. */
    readonly supported: number;
  };
  /** A file is no Node-API addon. */
  ERR_NOT_AN_ADDON: Stated & {
    /** The file. */
    readonly path: string;
    /**
     * `foreign`: no ELF file; `malformed`: damaged; `not-shared`: a program or an object file; `no-entry`: it registers
     * nothing; `v8-abi`: it is bound to V8.
     */
    readonly reason: 'foreign' | 'malformed' | 'not-shared' | 'no-entry' | 'v8-abi';
    /** What it is, in words. */
    readonly found: string;
  };
  /** There is no file. */
  ERR_NOT_FOUND: Stated & {
    /** Where it was looked for. */
    readonly path: string;
  };
  /** A version cannot be gone back to. */
  ERR_NO_SUCH_VERSION: Stated & {
    /** The version that was to be gone back to; null where there was none before. */
    readonly id: number | null;
    /** Those that can be gone back to, oldest first. */
    readonly available: readonly number[];
  };
  /** A new version ended the process in which it was tried. */
  ERR_REHEARSAL_CRASHED: Stated & {
    /** The new version. */
    readonly version: number;
    /** Null where a signal ended it. */
    readonly exitCode: number | null;
    /** Such as `SIGSEGV`; null where none ended it. */
    readonly signal: string | null;
    /** Last lines of what it wrote to its standard error. */
    readonly stderr: string;
    /** `exit`: it ended by itself; `timeout`: it took longer than hookTimeoutMs. */
    readonly reason: 'exit' | 'timeout';
    /** What it was at. */
    readonly during: 'load' | 'prepare' | 'init' | 'save';
  };
  /** The native part of napi-reload does not load, and cannot be compiled. */
  ERR_SHIM_UNAVAILABLE: {
    /** The build of it that does not load, or the sources that cannot be compiled. */
    readonly path: string;
    /** Builds of it that are there, and why they do not load. */
    readonly tried: readonly { readonly path: string; readonly found: string }[];
    /** Why it could not be compiled for this system, or why that would not help. */
    readonly found: string;
    /** What to do about it. */
    readonly advice: string;
    /** Last lines of what the compilation printed. */
    readonly output: string;
  };
  /** A file is not whole, and waiting did not help. */
  ERR_STAGE_INCOMPLETE: Stated & {
    /** The addon, or a private library of it. */
    readonly path: string;
    /** What is wrong with it, in words. */
    readonly found: string;
    /** For how long it was waited, in milliseconds. */
    readonly waitedMs: number;
  };
  /** The copy cannot be made. */
  ERR_STAGE_IO: Stated & {
    /** The file or folder that it is about. */
    readonly path: string;
    /** What failed there, such as `copy`. */
    readonly operation: string;
    /** The name of the error, such as `ENOSPC`. */
    readonly errno: string;
  };
  /** A new version took the state, but cannot hand it on. */
  ERR_STATE_ROUNDTRIP: Stated & {
    /** The new version. */
    readonly version: number;
    /** Of `verify: 'deep'`: `differs` from what it was given, or `not-cloneable`, so that it cannot be compared. */
    readonly reason: 'save-failed' | 'save-empty' | 'differs' | 'not-cloneable';
    /** Of `differs`: where the first difference is, such as `state.rows[3]`; null for the other reasons. */
    readonly path: string | null;
  };
  /** The state cannot be carried from one schema to another. */
  ERR_STATE_SCHEMA: Stated & {
    /** The schema that the state has. */
    readonly from: number;
    /** The schema of the new version. */
    readonly to: number;
    /**
     * `step-lost`: a step returned nothing; `no-init`: the new version has none that would take the state; `instances`:
     * instances are to move from a schema that the new version does not accept.
     */
    readonly reason: 'missing-step' | 'step-threw' | 'step-async' | 'step-lost' | 'no-init' | 'instances';
    /** The step that is missing or failed: from schema, to schema. */
    readonly step: readonly [number, number] | null;
  };
  /** Nothing defines a function that the addon calls. */
  ERR_UNDEFINED_SYMBOL: Stated & {
    /** The addon. */
    readonly path: string;
    /** The name of the function, as the linker writes it. */
    readonly symbol: string;
  };
  /** Too many versions stay in memory. */
  ERR_VERSION_BUDGET: Stated & {
    /** Memory mappings that the process would have, roughly. */
    readonly mappings: number;
    /** The most that it may have. */
    readonly mappingsMax: number;
    /** Versions that were replaced, and stay in memory. */
    readonly keptVersions: number;
  };
  /** The addon is built for another processor. */
  ERR_WRONG_ARCH: Stated & {
    /** The addon. */
    readonly path: string;
    /** What it is built for, as in `process.arch`. */
    readonly found: string;
    /** The `process.arch` here. */
    readonly wanted: string;
  };
}

/** The closed union of reasons; match on this, never on a message. */
export type ErrorCode = keyof ErrorDetails;

/**
 * What `open()`, `reload()` and calls of a removed export reject or throw with.
 *
 * @example
 * ```ts
 * try {
 *   await kernel.reload();
 * } catch (error) {
 *   if (isReloadError(error, 'ERR_BUILD_FAILED')) console.error(error.details.diagnostics);
 *   else throw error;
 * }
 * ```
 */
export class ReloadError<C extends ErrorCode = ErrorCode> extends Error {
  /** Always `ReloadError`. */
  override readonly name: string = 'ReloadError';
  /** Why it was refused. */
  readonly code: C;
  /** What was found; which of it there is depends on the code. */
  readonly details: Readonly<ErrorDetails[C]>;

  /** @internal Made by napi-reload alone. */
  constructor(code: C, message: string, details: ErrorDetails[C], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }
}

/**
 * Whether a caught value is a {@link ReloadError}, and of this code where one is named.
 *
 * @example
 * ```ts
 * if (isReloadError(error, 'ERR_STAGE_IO')) console.error(error.details.path);
 * ```
 */
export function isReloadError<C extends ErrorCode>(value: unknown, code?: C): value is ReloadError<C> {
  return value instanceof ReloadError && (code === undefined || value.code === code);
}

/** Says of which addon an error is, where the stage that made it knew of none. */
export function nameAddon(error: unknown, addon: string): void {
  if (isReloadError(error) && !('addon' in error.details)) Object.assign(error.details, { addon });
}

type Details<C extends ErrorCode> = ErrorDetails[C];
const q = (text: string): string => JSON.stringify(text);

const notAnAddonAdvice: Record<Details<'ERR_NOT_AN_ADDON'>['reason'], string> = {
  foreign: 'give the path of a built .node file',
  malformed: 'rebuild it',
  'not-shared': 'build it as a shared object ("type": "loadable_module")',
  'no-entry': 'register it with NAPI_MODULE_INIT, NODE_API_MODULE or napi_register_module_v1',
  'v8-abi':
    "it is bound to V8's C++ ABI, which changes with every Node release and cannot be reloaded: port it to Node-API (node-addon-api)",
};

const schemaAdvice: Record<Details<'ERR_STATE_SCHEMA'>['reason'], string> = {
  'missing-step':
    'give open() a migrate step from that schema to the next, or have the addon name in napiReload.accepts what its init takes',
  'step-threw': 'see the cause; the state is as it was',
  'step-async': 'a migrate step runs in the switch and must return the new state itself, not a promise',
  'step-lost': 'a migrate step returned nothing, and the state would be lost: it must return the new state',
  instances:
    'its instances cannot be moved as long as the new version does not say that it knows their states: add that schema to napiReload.accepts, and have args and restore look at ctx.from.schema',
  'no-init': 'export napiReload.init to take the state, or reload with { discardState: true }',
};

function buildFailedMessage(d: Details<'ERR_BUILD_FAILED'>): string {
  const first = d.diagnostics.find((x) => x.severity !== 'warning' && x.severity !== 'note');
  const where = first ? `: ${first.file}:${first.line}:${first.column}: ${first.text}` : '';
  const how: Record<typeof d.reason, string> = {
    exit: `ended with exit code ${d.exitCode}`,
    signal: `was ended by ${d.signal}`,
    timeout: 'did not end in time and was stopped; raise buildTimeoutMs or look for what it waits for',
    spawn: 'could not be started',
    missing: 'ended well but did not write the addon',
  };
  return `Build ${q(d.command)} ${how[d.reason]}${where}${d.advice === undefined ? '' : `: ${d.advice}`}`;
}

function busyMessage(d: Details<'ERR_BUSY'>): string {
  const addon = q(d.addon ?? '');
  if (d.reason === 'waiting') {
    return `Cannot reload ${addon}: too many calls that cannot be one wait for the reload that runs; wait for them to settle`;
  }
  if (d.reason === 'replacing') {
    return `Cannot load ${addon}: another thread of this process has been replacing the image that would be shared; try again`;
  }
  if (d.reason === 'in-call') {
    return `Cannot move the instances of ${addon}: a native call of the old version that began before the reload has not ended; reload when it has`;
  }
  if (d.reason === 'threads') {
    const threads =
      d.threads === 1 ? '1 other thread that runs it' : `${d.threads} other threads that run it`;
    return `Cannot reload ${addon}: ${threads} did not come to a turn of the event loop in time, and all go on with the old version; reload when their calls have ended, or raise drainTimeoutMs`;
  }
  const others = d.sharedWith === 1 ? '1 other handle runs' : `${d.sharedWith} other handles run`;
  return `Cannot replace ${addon}: ${others} the same image in this process, the new version cannot be shared, and the old version goes on serving; close them first, or open it with scope "thread"`;
}

/** What Node's permission model names in a refusal, and how it is allowed. */
const PERMISSIONS: ReadonlyMap<unknown, { readonly found: string; readonly flag: string }> = new Map([
  ['ChildProcess', { found: 'this process may start no processes', flag: '--allow-child-process' }],
  ['WorkerThreads', { found: 'this process may start no Workers', flag: '--allow-worker' }],
]);

function startFailedMessage(d: Details<'ERR_HOST_CRASHED'>, cause: unknown): string {
  const attempted = `Cannot start what is to run version ${d.version} of ${q(d.addon ?? '')}`;
  const missing = cause instanceof Error && 'permission' in cause && PERMISSIONS.get(cause.permission);
  return missing
    ? `${attempted}: ${missing.found}; start Node.js with ${missing.flag}`
    : `${attempted}: ${describe(cause)}; mend that, and see the cause`;
}

function hostCrashedMessage(d: Details<'ERR_HOST_CRASHED'>, cause: unknown): string {
  if (d.reason === 'start-failed') return startFailedMessage(d, cause);
  const how: Record<typeof d.reason, string> = {
    exit: d.signal === null ? `ended with exit code ${d.exitCode}` : `was ended by ${d.signal}`,
    'call-timeout': 'was ended because a call took longer than callTimeoutMs',
    'memory-limit': 'was ended because it had more memory than host.maxRssBytes',
    'restart-failed': `could not be started again: ${describe(cause)}`,
  };
  const last = d.stderr.split('\n').at(-1);
  const said = last ? `; it wrote ${q(last)} last` : '';
  return `What ran version ${d.version} of ${q(d.addon ?? '')} ${how[d.reason]}${said}; see details.stderr, and listen to "crashed"`;
}

function rehearsalCrashedMessage(d: Details<'ERR_REHEARSAL_CRASHED'>): string {
  const ended = d.signal === null ? `ended with exit code ${d.exitCode}` : `was ended by ${d.signal}`;
  const how = d.reason === 'timeout' ? 'took longer than hookTimeoutMs' : ended;
  const last = d.stderr.split('\n').at(-1);
  const said = last ? `; it wrote ${q(last)} last` : '';
  return `Refused version ${d.version} of ${q(d.addon ?? '')}: its rehearsal ${how} during ${d.during}${said}; mend it, and see details.stderr`;
}

function noSuchVersionMessage({ id, available }: Details<'ERR_NO_SUCH_VERSION'>): string {
  const found =
    id === null
      ? 'Cannot go back: nothing was live before'
      : `Cannot go back to version ${id}: it is unknown, or its bytes are not staged any more`;
  if (available.length > 0) return `${found}; there are ${available.join(', ')}`;
  return `${found}; there is no other version, and the option "history" says how many are held`;
}

/** Advice for what cannot be cured in this one. */
const IN_A_FRESH_PROCESS =
  'restart the process, or open() with fallback "process", by which such a version runs in a process of its own';

/** One factory for each code, in alphabetical order. */
export const errors = {
  aborted: (d: Details<'ERR_ABORTED'>, cause?: unknown): ReloadError<'ERR_ABORTED'> =>
    new ReloadError(
      'ERR_ABORTED',
      `Stopped during ${d.during}: the signal given to open() fired, or the handle was closed`,
      d,
      cause,
    ),

  buildFailed: (d: Details<'ERR_BUILD_FAILED'>, cause?: unknown): ReloadError<'ERR_BUILD_FAILED'> =>
    new ReloadError('ERR_BUILD_FAILED', buildFailedMessage(d), d, cause),

  busy: (d: Details<'ERR_BUSY'>): ReloadError<'ERR_BUSY'> => new ReloadError('ERR_BUSY', busyMessage(d), d),

  closed: (d: Details<'ERR_CLOSED'>): ReloadError<'ERR_CLOSED'> =>
    new ReloadError('ERR_CLOSED', `Cannot ${d.attempted}: the handle is closed; open() the addon again`, d),

  configInvalid: (d: Details<'ERR_CONFIG_INVALID'>, cause?: unknown): ReloadError<'ERR_CONFIG_INVALID'> =>
    new ReloadError(
      'ERR_CONFIG_INVALID',
      `Cannot use the configuration ${q(d.file)}: ${d.option === null ? '' : `${d.option}: `}found ${d.found}, wanted ${d.wanted}`,
      d,
      cause,
    ),

  exportRemoved: (d: Details<'ERR_EXPORT_REMOVED'>): ReloadError<'ERR_EXPORT_REMOVED'> =>
    new ReloadError(
      'ERR_EXPORT_REMOVED',
      `Cannot use ${q(d.name)}: version ${d.version} of the addon does not have it`,
      d,
    ),

  exportsIncompatible: (
    d: Details<'ERR_EXPORTS_INCOMPATIBLE'>,
    cause?: unknown,
  ): ReloadError<'ERR_EXPORTS_INCOMPATIBLE'> =>
    new ReloadError(
      'ERR_EXPORTS_INCOMPATIBLE',
      `Cannot publish the new exports: found ${d.found}, wanted ${d.wanted}`,
      d,
      cause,
    ),

  groupCycle: (d: Details<'ERR_GROUP_CYCLE'>): ReloadError<'ERR_GROUP_CYCLE'> =>
    new ReloadError(
      'ERR_GROUP_CYCLE',
      `Cannot put the group in order: ${d.path.map(q).join(' -> ')}, each of which is to come after the next; take one of them out of "after"`,
      d,
    ),

  hookAsync: (d: Details<'ERR_HOOK_ASYNC'>): ReloadError<'ERR_HOOK_ASYNC'> =>
    new ReloadError(
      'ERR_HOOK_ASYNC',
      `Hook ${q(d.hook)} of version ${d.version} returned a promise: it runs in the switch and must be synchronous; do slow work in "prepare"`,
      d,
    ),

  hookInvalid: (d: Details<'ERR_HOOK_INVALID'>): ReloadError<'ERR_HOOK_INVALID'> =>
    new ReloadError('ERR_HOOK_INVALID', `Cannot use ${q(d.path)}: found ${d.found}, wanted ${d.wanted}`, d),

  hookThrew: (d: Details<'ERR_HOOK_THREW'>, cause: unknown): ReloadError<'ERR_HOOK_THREW'> =>
    new ReloadError(
      'ERR_HOOK_THREW',
      `Hook ${q(d.hook)} of version ${d.version} threw${
        d.instance ? ` for instance ${d.instance.index + 1} of ${d.instance.count}` : ''
      }: ${describe(cause)}`,
      d,
      cause,
    ),

  hookTimeout: (d: Details<'ERR_HOOK_TIMEOUT'>): ReloadError<'ERR_HOOK_TIMEOUT'> =>
    new ReloadError(
      'ERR_HOOK_TIMEOUT',
      `Hook ${q(d.hook)} of version ${d.version} did not settle within ${d.timeoutMs} ms: make it quicker or raise hookTimeoutMs`,
      d,
    ),

  hostCrashed: (d: Details<'ERR_HOST_CRASHED'>, cause?: unknown): ReloadError<'ERR_HOST_CRASHED'> =>
    new ReloadError('ERR_HOST_CRASHED', hostCrashedMessage(d, cause), d, cause),

  initThrew: (d: Details<'ERR_INIT_THREW'>, cause: unknown): ReloadError<'ERR_INIT_THREW'> =>
    new ReloadError(
      'ERR_INIT_THREW',
      `The module initialiser of version ${d.version} threw: ${describe(cause)}`,
      d,
      cause,
    ),

  integrity: (d: Details<'ERR_INTEGRITY'>, cause?: unknown): ReloadError<'ERR_INTEGRITY'> =>
    new ReloadError(
      'ERR_INTEGRITY',
      `Refused to load ${q(d.path)}: integrity found ${d.found}, wanted ${d.wanted}`,
      d,
      cause,
    ),

  internal: (d: Details<'ERR_INTERNAL'>, cause: unknown): ReloadError<'ERR_INTERNAL'> =>
    new ReloadError(
      'ERR_INTERNAL',
      `Something that must not happen did, during ${d.during}: ${describe(cause)}; please report it with the cause`,
      d,
      cause,
    ),

  invalidOption: (d: Details<'ERR_INVALID_OPTION'>): ReloadError<'ERR_INVALID_OPTION'> =>
    new ReloadError(
      'ERR_INVALID_OPTION',
      `Cannot use option ${q(d.option)}: found ${d.found}, wanted ${d.wanted}`,
      d,
    ),

  loadFailed: (d: Details<'ERR_LOAD_FAILED'>, cause?: unknown): ReloadError<'ERR_LOAD_FAILED'> =>
    new ReloadError(
      'ERR_LOAD_FAILED',
      `Cannot load ${q(d.path)}: ${d.found}${/static TLS/.test(d.found) ? `; ${IN_A_FRESH_PROCESS}` : ''}`,
      d,
      cause,
    ),

  memoryLate: (d: Details<'ERR_MEMORY_LATE'>): ReloadError<'ERR_MEMORY_LATE'> =>
    new ReloadError(
      'ERR_MEMORY_LATE',
      `Cannot get memory ${q(d.name)}: version ${d.version} can ask for it until its "init" returns; keep the view that it gets there`,
      d,
    ),

  memorySize: (d: Details<'ERR_MEMORY_SIZE'>): ReloadError<'ERR_MEMORY_SIZE'> =>
    new ReloadError(
      'ERR_MEMORY_SIZE',
      `Cannot get memory ${q(d.name)} with ${d.wanted} bytes: it has ${d.found}; ${
        d.wanted > d.found
          ? 'ask for as many, or let it grow with { grow: true }'
          : 'it does not shrink, so ask for as many, or reload with { discardState: true }'
      }`,
      d,
    ),

  memoryUnavailable: (
    d: Details<'ERR_MEMORY_UNAVAILABLE'>,
    cause?: unknown,
  ): ReloadError<'ERR_MEMORY_UNAVAILABLE'> =>
    new ReloadError(
      'ERR_MEMORY_UNAVAILABLE',
      `Cannot get memory ${q(d.name)} with ${d.wanted} bytes: ${d.operation} found ${d.errno}; ${memoryAdvice(d.errno)}`,
      d,
      cause,
    ),

  napiVersion: (d: Details<'ERR_NAPI_VERSION'>): ReloadError<'ERR_NAPI_VERSION'> =>
    new ReloadError(
      'ERR_NAPI_VERSION',
      `Cannot load ${q(d.path)}: it asks for Node-API version ${d.wanted}, this Node.js offers up to ${d.supported}; build it with NAPI_VERSION=${d.supported} or run a newer Node.js`,
      d,
    ),

  notAnAddon: (d: Details<'ERR_NOT_AN_ADDON'>): ReloadError<'ERR_NOT_AN_ADDON'> =>
    new ReloadError(
      'ERR_NOT_AN_ADDON',
      `${q(d.path)} is not a Node-API addon: found ${d.found}; ${notAnAddonAdvice[d.reason]}`,
      d,
    ),

  notFound: (d: Details<'ERR_NOT_FOUND'>, cause?: unknown): ReloadError<'ERR_NOT_FOUND'> =>
    new ReloadError(
      'ERR_NOT_FOUND',
      `No addon at ${q(d.path)}: build it first, or give open() a build option`,
      d,
      cause,
    ),

  noSuchVersion: (d: Details<'ERR_NO_SUCH_VERSION'>, cause?: unknown): ReloadError<'ERR_NO_SUCH_VERSION'> =>
    new ReloadError('ERR_NO_SUCH_VERSION', noSuchVersionMessage(d), d, cause),

  rehearsalCrashed: (d: Details<'ERR_REHEARSAL_CRASHED'>): ReloadError<'ERR_REHEARSAL_CRASHED'> =>
    new ReloadError('ERR_REHEARSAL_CRASHED', rehearsalCrashedMessage(d), d),

  shimUnavailable: (
    d: Details<'ERR_SHIM_UNAVAILABLE'>,
    cause: unknown,
  ): ReloadError<'ERR_SHIM_UNAVAILABLE'> =>
    new ReloadError(
      'ERR_SHIM_UNAVAILABLE',
      `Cannot load napi-reload's own native part: ${d.found}; ${d.advice}`,
      d,
      cause,
    ),

  stageIncomplete: (d: Details<'ERR_STAGE_INCOMPLETE'>): ReloadError<'ERR_STAGE_INCOMPLETE'> =>
    new ReloadError(
      'ERR_STAGE_INCOMPLETE',
      `${q(d.path)} is not whole: ${d.found}, after ${d.waitedMs} ms of waiting; let the build finish, or build it again`,
      d,
    ),

  stageIo: (d: Details<'ERR_STAGE_IO'>, cause?: unknown): ReloadError<'ERR_STAGE_IO'> =>
    new ReloadError(
      'ERR_STAGE_IO',
      `Cannot stage: ${d.operation} of ${q(d.path)} found ${d.errno}; ${stageAdvice(d.errno)}`,
      d,
      cause,
    ),

  stateRoundtrip: (d: Details<'ERR_STATE_ROUNDTRIP'>, cause?: unknown): ReloadError<'ERR_STATE_ROUNDTRIP'> =>
    new ReloadError(
      'ERR_STATE_ROUNDTRIP',
      `Version ${d.version} took the state but cannot hand it on: ${roundtripFault(d, cause)}`,
      d,
      cause,
    ),

  stateSchema: (d: Details<'ERR_STATE_SCHEMA'>, cause?: unknown): ReloadError<'ERR_STATE_SCHEMA'> =>
    new ReloadError(
      'ERR_STATE_SCHEMA',
      `Cannot carry the state from schema ${d.from} to ${d.to}${schemaStep(d)}: ${schemaAdvice[d.reason]}`,
      d,
      cause,
    ),

  undefinedSymbol: (d: Details<'ERR_UNDEFINED_SYMBOL'>): ReloadError<'ERR_UNDEFINED_SYMBOL'> =>
    new ReloadError(
      'ERR_UNDEFINED_SYMBOL',
      `Cannot load ${q(d.path)}: nothing defines ${q(d.symbol)}; add the source or library that does, or build against this Node.js`,
      d,
    ),

  versionBudget: (d: Details<'ERR_VERSION_BUDGET'>): ReloadError<'ERR_VERSION_BUDGET'> =>
    new ReloadError(
      'ERR_VERSION_BUDGET',
      `Refused to load one more version: ${d.keptVersions} kept versions, ${d.mappings} memory mappings of at most ${d.mappingsMax}; ${IN_A_FRESH_PROCESS}`,
      d,
    ),

  wrongArch: (d: Details<'ERR_WRONG_ARCH'>): ReloadError<'ERR_WRONG_ARCH'> =>
    new ReloadError(
      'ERR_WRONG_ARCH',
      `Cannot load ${q(d.path)}: it is built for ${d.found}, this process is ${d.wanted}; build it here`,
      d,
    ),
} as const;

function stageAdvice(errno: string): string {
  switch (errno) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'free some space, or set stageDir to a file system that has it';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'set stageDir to a directory that this user may write';
    case 'EMFILE':
    case 'ENFILE':
      return 'close files, or raise the limit of open files';
    case 'ENOEXEC':
      return 'its file system is mounted noexec: set stageDir to one that may hold code';
    default:
      return 'mend that, or set stageDir to another directory';
  }
}

function memoryAdvice(errno: string): string {
  switch (errno) {
    case 'EMFILE':
    case 'ENFILE':
      return 'close files, or raise the limit of open files';
    case 'ENOMEM':
    case 'EFBIG':
      return 'ask for less, or raise the limits of the process';
    default:
      return 'see what the system allows this process';
  }
}

function roundtripFault(d: Details<'ERR_STATE_ROUNDTRIP'>, cause: unknown): string {
  switch (d.reason) {
    case 'save-failed':
      return `its save() failed: ${describe(cause)}`;
    case 'save-empty':
      return 'it exports no napiReload.save, or save() returned nothing';
    case 'differs':
      return `its save() differs from what it was given, first at ${d.path}; mend it, or open() without verify "deep"`;
    case 'not-cloneable':
      return `verify "deep" compares plain data, and this is none: ${describe(cause)}`;
  }
}

function schemaStep(d: Details<'ERR_STATE_SCHEMA'>): string {
  return d.step === null ? '' : `, step ${d.step[0]} to ${d.step[1]}`;
}

/** A caught value in one line, whatever it is. Never throws itself. */
export function describe(value: unknown): string {
  try {
    return String(value instanceof Error ? value.message : value);
  } catch {
    return 'a value that cannot be printed';
  }
}
