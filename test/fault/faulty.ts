/** The real outside, made to fail at one point, and an account of what is still held of it. */
import type { ChildProcess } from 'node:child_process';
import type { FSWatcher } from 'chokidar';
import type { Native } from '../../src/native.ts';
import { type Outside, realOutside } from '../../src/outside.ts';
import { CALLS, type Call, REFUSALS } from './refusals.ts';

export { CALLS, type Call };

/** `once`: the call alone fails. `for good`: every later one of the same name does too, as a full disk does. */
export type Manner = 'once' | 'for good';
/** Which of its refusals a call gives, from 0. */
export type Kind = 0 | 1;

/** Reached only where the ledger refuses the version, which it then does: Node.js loads the copy itself. */
const WITHOUT_LEDGER: ReadonlySet<Call> = new Set(['probe', 'dlopenCopy']);
/** Reached only where the copy does not do it on its way. */
const AFTER_COPY: ReadonlySet<Call> = new Set(['inspect', 'rebind', ...WITHOUT_LEDGER]);
const SEPARATELY = { examine: false, rebind: false, libraries: true };

/** Made only of an addon that has a private library; of such, none may be loaded plainly here. */
export const OF_LIBRARIES: ReadonlySet<Call> = new Set(['keptLibrary', 'readNow']);

/** Made by open() alone, but that a watch may be started anew. */
export const OF_OPEN: ReadonlySet<Call> = new Set(['stageOpen', 'memoryCreate', 'watch']);

export interface Faulty {
  readonly outside: Outside;
  /** Counts from here on, where it did not from the beginning. */
  arm(): void;
  /** Whether the call was reached. */
  hasStruck(): boolean;
  /** What nobody gave back: timers, watchers, processes, images of the ledger. */
  held(): readonly string[];
  /** Copies that Node.js itself has loaded, which it never unmaps. */
  loaded(): readonly string[];
  /** Is in the name of all memory of this life, as `/proc` tells it. */
  readonly mark: string;
}

type Any = (...args: never[]) => unknown;
/** What is called instead of the real one, if it is. */
type Strike = (name: Call) => Any | null;

/** The kind that goes with a manner where not all kinds are tried. */
export function usualKind(manner: Manner): Kind {
  return manner === 'once' ? 0 : 1;
}

/** Whether a call has such a refusal. */
export function hasKind(call: Call, kind: Kind): boolean {
  return REFUSALS[call][kind] !== undefined;
}

let lives = 0;

/**
 * Makes the `nth` call of one name fail, from 1, as the real one does. A function is run just before the call instead.
 *
 * @param isArmed whether calls count from the beginning, or from `arm()` on
 */
export function failAt(
  call: Call,
  nth: number,
  manner: Manner | (() => void),
  kind: Kind = typeof manner === 'function' ? 0 : usualKind(manner),
  isArmed = true,
): Faulty {
  let [counts, count] = [isArmed, 0];
  const refusal = (REFUSALS[call][kind] ?? REFUSALS[call][0]) as Any;
  const strike: Strike = (name) => {
    if (name !== call || !counts) return null;
    count += 1;
    if (count < nth || (count > nth && manner !== 'for good')) return null;
    if (typeof manner !== 'function') return refusal;
    manner();
    return null;
  };
  const timers = new Set<number>();
  const watchers: FSWatcher[] = [];
  const children: ChildProcess[] = [];
  const images = new Map<object, string>();
  const memory = new Set<object>();
  const loaded = new Set<string>();
  const mark = `@${++lives}@`;
  const native = failing(realOutside.native, strike);
  const failed = failing(realOutside, strike);
  const outside: Outside = {
    ...failed,
    native: {
      ...native,
      ...trackImages(native, images),
      ...trackMemory(native, memory, mark),
      ...(WITHOUT_LEDGER.has(call)
        ? { rebind: () => ({ ok: false, kind: 'refused', reason: 'the test has it so' }) }
        : {}),
      ...(AFTER_COPY.has(call) ? { stageCopy: copyAlone(native) } : {}),
    },
    after: trackTimers(timers),
    spawn(command, args, options) {
      const child = failed.spawn(command, args, options);
      children.push(child);
      return child;
    },
    watch(paths, options) {
      const watcher = failed.watch(paths, options);
      watchers.push(watcher);
      return watcher;
    },
    dlopen(module, path) {
      const name = path === realOutside.native.shimPath ? 'dlopen' : 'dlopenCopy';
      ((strike(name) ?? realOutside.dlopen) as Outside['dlopen'])(module, path);
      if (name === 'dlopenCopy') loaded.add(path);
    },
  };
  return {
    outside,
    arm() {
      counts = true;
    },
    mark,
    loaded: () => [...loaded],
    hasStruck: () => count >= nth,
    held: () => [
      ...Array.from(timers, () => 'timer'),
      ...watchers.filter((watcher) => !watcher.closed).map(() => 'watcher'),
      ...children.filter(isAlive).map(({ spawnfile }) => spawnfile),
      ...images.values(),
      ...Array.from(memory, () => 'memory'),
    ],
  };
}

function isAlive({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null;
}

/** All of it is handed on as it is but for the call that is struck. */
function failing<T extends object>(real: T, strike: Strike): T {
  const failed = { ...real } as Record<string, unknown>;
  for (const name of CALLS) {
    const function_ = failed[name];
    if (typeof function_ !== 'function') continue;
    failed[name] = (...args: never[]) => (strike(name) ?? (function_ as Any))(...args);
  }
  return failed as T;
}

function copyAlone(native: Native): Native['stageCopy'] {
  return (handle, source, id, skip, _wanted, ...rest) =>
    native.stageCopy(handle, source, id, skip, SEPARATELY, ...rest);
}

/** What nobody closed is in `open`. */
function trackMemory(
  native: Native,
  open: Set<object>,
  mark: string,
): Pick<Native, 'memoryCreate' | 'memoryClose'> {
  return {
    memoryCreate(name, ...rest) {
      const created = native.memoryCreate(`${name}${mark}`, ...rest);
      if (created.ok) open.add(created.handle);
      return created;
    },
    memoryClose(handle) {
      open.delete(handle);
      native.memoryClose(handle);
    },
  };
}

/** What was opened and has not been seen to go is in `images`. */
function trackImages(
  native: Native,
  images: Map<object, string>,
): Pick<Native, 'imageOpen' | keyof ReturnType<typeof strictEnds>> {
  return {
    ...strictEnds(native, images),
    imageOpen(request) {
      const opened = native.imageOpen(request);
      if (opened.ok) images.set(opened.handle, `image ${request.id}`);
      return opened;
    },
  };
}

/** The calls that cannot fail: each comes in its turn, and none for an image that has gone. */
function strictEnds(
  native: Native,
  images: Map<object, string>,
): Pick<Native, 'mintBegin' | 'mintEnd' | 'init' | 'pins' | 'retire' | 'onRelease'> {
  const known = <A extends unknown[], R>(real: (handle: object, ...rest: A) => R) => {
    return (handle: object, ...rest: A): R => {
      if (!images.has(handle)) throw new Error('called for an image that has gone');
      return real(handle, ...rest);
    };
  };
  return {
    mintBegin: known(native.mintBegin),
    mintEnd: known((handle) => {
      const minted = native.mintEnd(handle);
      if (!minted) images.delete(handle);
      return minted;
    }),
    init: known(native.init),
    pins: known(native.pins),
    retire: known((handle, releaseObjects: boolean) => {
      const retirement = native.retire(handle, releaseObjects);
      if (retirement.outcome === 'unloaded') images.delete(handle);
      return retirement;
    }),
    onRelease: known(native.onRelease),
  };
}

function trackTimers(timers: Set<number>): Outside['after'] {
  let last = 0;
  return (delayMs, callback) => {
    const id = ++last;
    timers.add(id);
    const cancel = realOutside.after(delayMs, () => {
      timers.delete(id);
      callback();
    });
    return () => {
      timers.delete(id);
      cancel();
    };
  };
}
