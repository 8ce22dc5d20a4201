/** The real outside, made to fail at one point, and an account of what is still held of it. */
import type { ChildProcess } from 'node:child_process';
import type { FSWatcher } from 'chokidar';
import type { Native, NativeIoFailure } from '../../src/native.ts';
import { type Outside, realOutside } from '../../src/outside.ts';

/** `once`: the call alone fails. `for good`: every later one of the same name does too, as a full disk does. */
export type Manner = 'once' | 'for good';

/**
 * Every call that the world can refuse. A clock, a signal to a process and closing things do not fail; `mintBegin`,
 * `mintEnd`, `init`, `retire`, `pins` and `onRelease` touch only memory of this process, and are accounted for instead.
 */
export const CALLS = [
  'stageOpen',
  'stageCopy',
  'keptLibrary',
  'stageDiscard',
  'inspect',
  'rebind',
  'imageOpen',
  'hashFile',
  'memoryCreate',
  'memoryResize',
  'memoryBuffer',
  'probe',
  'readFile',
  'stat',
  'readdir',
  'spawn',
  'watch',
  'dlopen',
  'dlopenCopy',
] as const;
export type Call = (typeof CALLS)[number];

/** Reached only where the ledger refuses the version, which it then does: Node.js loads the copy itself. */
const WITHOUT_LEDGER: ReadonlySet<Call> = new Set(['probe', 'dlopenCopy']);

/** So that `inspect` and `rebind` are reached. */
const SEPARATELY = { examine: false, rebind: false, libraries: true };

export interface Faulty {
  readonly outside: Outside;
  /** Whether the call was reached. */
  hasStruck(): boolean;
  /** What nobody gave back: timers, watchers, processes, images of the ledger. */
  held(): readonly string[];
}

function ioError(syscall: string): Error {
  return Object.assign(new Error(`EIO: i/o error, ${syscall}`), { code: 'EIO', errno: -5, syscall });
}

function ioFailure(operation: string, path: string): NativeIoFailure {
  return { ok: false, kind: 'io', operation, path, errno: 'EIO', message: 'Input/output error' };
}

/** Makes the `nth` call of one name fail, from 1, as the real one does. A function is run just before the call instead. */
export function failAt(call: Call, nth: number, manner: Manner | (() => void)): Faulty {
  let count = 0;
  const once = manner === 'once';
  const fails: Fails = (name) => {
    if (name !== call) return false;
    count += 1;
    if (manner === 'for good') return count >= nth;
    if (count !== nth) return false;
    if (typeof manner === 'function') manner();
    return once;
  };
  const timers = new Set<number>();
  const watchers: FSWatcher[] = [];
  const children: ChildProcess[] = [];
  const images = new Map<object, string>();
  const memory = new Set<object>();
  const isPlain = WITHOUT_LEDGER.has(call);
  const outside: Outside = {
    ...realOutside,
    native: {
      ...failingLedger(failingNative(realOutside.native, fails, once), fails, { once, isPlain, images }),
      ...failingMemory(realOutside.native, fails, memory),
    },
    ...failingFiles(fails),
    after: trackTimers(timers),
    spawn(command, args, options) {
      const isIt = fails('spawn');
      if (isIt && once) throw ioError('spawn');
      // The real failure: what cannot be started is told of by an event.
      const child = realOutside.spawn(isIt ? '/nowhere/at all' : command, args, options);
      children.push(child);
      return child;
    },
    watch(paths, options) {
      const watcher = realOutside.watch(paths, options);
      watchers.push(watcher);
      const error = Object.assign(new Error('no'), { code: once ? 'EIO' : 'EMFILE' });
      // As chokidar itself does not, once it is closed.
      if (fails('watch')) setImmediate(() => watcher.closed || watcher.emit('error', error));
      return watcher;
    },
    dlopen(module, path) {
      const code = once ? { code: 'ERR_DLOPEN_FAILED' } : {};
      if (fails(path === realOutside.native.shimPath ? 'dlopen' : 'dlopenCopy'))
        throw Object.assign(new Error(`${path}: cannot map`), code);
      realOutside.dlopen(module, path);
    },
  };
  return {
    outside,
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

type Fails = (name: Call) => boolean;

function failingFiles(fails: Fails): Pick<Outside, 'readFile' | 'readNow' | 'stat' | 'readdir'> {
  const or = <A, R>(name: Call, real: (argument: A) => Promise<R>): ((argument: A) => Promise<R>) => {
    return (argument) => (fails(name) ? Promise.reject(ioError(name)) : real(argument));
  };
  return {
    readFile: or('readFile', realOutside.readFile),
    readNow(path) {
      if (fails('readFile')) throw ioError('readFile');
      return realOutside.readNow(path);
    },
    stat: or('stat', realOutside.stat),
    readdir: or('readdir', realOutside.readdir),
  };
}

function failingNative(native: Native, fails: Fails, once: boolean): Native {
  return {
    ...native,
    stageOpen(stageDir, name) {
      if (!fails('stageOpen')) return native.stageOpen(stageDir, name);
      return once
        ? ioFailure('mkdir', stageDir)
        : { ok: false, kind: 'unsafe', path: stageDir, found: 'is not ours' };
    },
    async stageCopy(handle, source, id, skip, _wanted, kept) {
      if (!fails('stageCopy')) return native.stageCopy(handle, source, id, skip, SEPARATELY, kept);
      if (!once) return ioFailure('copy_file_range', source);
      return {
        ok: false,
        kind: 'incomplete',
        path: source,
        found: 'half of it',
        bytes: 1,
        mtimeMs: Date.now(),
      };
    },
    keptLibrary(kept, index) {
      return fails('keptLibrary') ? ioFailure('read', kept.path) : native.keptLibrary(kept, index);
    },
    stageDiscard(handle, path) {
      return fails('stageDiscard') ? ioFailure('unlink', path) : native.stageDiscard(handle, path);
    },
    inspect(path) {
      if (!fails('inspect')) return native.inspect(path);
      return once ? ioFailure('mmap', path) : { ok: false, kind: 'malformed', found: 'a broken header' };
    },
    probe(path) {
      return fails('probe')
        ? { ok: false, message: `${path}: cannot allocate memory in static TLS block` }
        : native.probe(path);
    },
  };
}

/** What nobody closed is in `open`. */
function failingMemory(
  native: Native,
  fails: Fails,
  open: Set<object>,
): Pick<Native, 'memoryCreate' | 'memoryResize' | 'memoryBuffer' | 'memoryClose'> {
  return {
    memoryCreate(name, ...rest) {
      if (fails('memoryCreate')) return ioFailure('memfd_create', name);
      const created = native.memoryCreate(name, ...rest);
      if (created.ok) open.add(created.handle);
      return created;
    },
    memoryResize: (handle, byteLength) =>
      fails('memoryResize') ? ioFailure('ftruncate', 'memory') : native.memoryResize(handle, byteLength),
    // The one refusal that it has.
    memoryBuffer: (handle, ...rest) => (fails('memoryBuffer') ? null : native.memoryBuffer(handle, ...rest)),
    memoryClose(handle) {
      open.delete(handle);
      native.memoryClose(handle);
    },
  };
}

interface Ledger {
  readonly once: boolean;
  /** Refuses every version. */
  readonly isPlain: boolean;
  /** What was opened and has not been seen to go. */
  readonly images: Map<object, string>;
}

function failingLedger(native: Native, fails: Fails, { once, isPlain, images }: Ledger): Native {
  return {
    ...native,
    ...strictEnds(native, images),
    rebind(path, source, libraryHashes, kept) {
      if (isPlain) return { ok: false, kind: 'refused', reason: 'the test has it so' };
      if (!fails('rebind')) return native.rebind(path, source, libraryHashes, kept);
      return once
        ? ioFailure('mmap', path)
        : { ok: false, kind: 'refused', reason: 'its PLT is one of a kind' };
    },
    imageOpen(request) {
      if (fails('imageOpen')) return { ok: false, kind: 'load', message: `${request.path}: cannot map` };
      const opened = native.imageOpen(request);
      if (opened.ok) images.set(opened.handle, `image ${request.id}`);
      return opened;
    },
    hashFile(path) {
      return fails('hashFile') ? ioFailure('read', path) : native.hashFile(path);
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
