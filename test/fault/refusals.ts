/** Every call that the world can refuse, and the ways in which the real one does. */
import type { Native, NativeIoFailure } from '../../src/native.ts';
import { type Outside, realOutside } from '../../src/outside.ts';

const FACT = 'touches only memory of this process';
const ROUND = 'of a reload of several threads, of which a life here has one';
const BUILDERS = 'called by the builders of node-gyp and CMake; a life here builds with a command';
const HOSTS =
  'of memory that a host shares, of which a life here has none; test/unit/isolate has its refusals';

/** What is not made to fail, and why. A new member of either interface is here or in `REFUSALS`, or does not compile. */
const SPARED = {
  native: 'holds the others',
  shimPath: 'a value',
  nowMs: 'a clock that only goes forward; clocks.test.ts sets the other one',
  after: 'a timer does not fail; it is accounted for',
  turn: 'a turn does not fail',
  isThere: 'says no where it cannot look, which is an answer',
  mayExecute: 'says no where it cannot look, which is an answer',
  guardGroups: 'a build goes on without a guard; builds.test.ts kills who has one',
  killGroup: 'says no where nothing is there to signal, which is an answer',
  remove: BUILDERS,
  removeFolder: BUILDERS,
  makePrivateFolder: BUILDERS,
  writeFile: BUILDERS,
  rename: BUILDERS,
  setModified: BUILDERS,
  mintBegin: FACT,
  mintEnd: FACT,
  init: FACT,
  pins: FACT,
  retire: `${FACT}; what it unmaps is accounted for`,
  sharedWith: FACT,
  serve: FACT,
  isMapped: FACT,
  onRelease: FACT,
  onSummons: ROUND,
  roundBegin: ROUND,
  roundOffer: ROUND,
  roundCall: ROUND,
  roundStop: ROUND,
  roundDecide: ROUND,
  roundEnd: ROUND,
  roundOfferFor: ROUND,
  roundArriving: ROUND,
  roundReady: ROUND,
  roundFail: ROUND,
  roundTurn: ROUND,
  roundJoin: ROUND,
  makeFacade: FACT,
  findFunctions: FACT,
  pointFacades: FACT,
  findInstances: FACT,
  beginMove: FACT,
  endMove: FACT,
  memoryPath: HOSTS,
  memoryOpen: HOSTS,
  memoryWrite: HOSTS,
  memoryClose: 'closing does not fail; it is accounted for',
  addressOf: FACT,
  stageClose: 'closing does not fail; what stays in the folder is looked at',
  examine: 'of the command line alone: no handle calls it',
  probeRelease: 'closing does not fail',
  dieWithParent: 'called in hosts alone; hosts-parent.test.ts ends the parent first',
  countMappings: 'says 0 where it cannot look, which is an answer',
  holdsNative: FACT,
} as const satisfies Partial<Record<keyof Outside | keyof Native, string>>;

type Both = Omit<Outside, 'native'> & Native;
type Refusable = Exclude<keyof Both, keyof typeof SPARED>;
/** The loader is called for the shim, and for a copy that the ledger refuses. */
export type Call = Refusable | 'dlopenCopy';
type Real<C extends Call> = Both[C extends 'dlopenCopy' ? 'dlopen' : C & Refusable];
/** One, or two. */
type Refusals<F> = readonly [F, F?];

function ioError(syscall: string, code: string): Error {
  return Object.assign(new Error(`${code}: refused, ${syscall}`), { code, syscall });
}

const rejects = (syscall: string, code: string) => (): Promise<never> =>
  Promise.reject(ioError(syscall, code));

function ioFailure(operation: string, path: string, errno = 'EIO'): NativeIoFailure {
  return { ok: false, kind: 'io', operation, path, errno, message: 'refused by a test' };
}

function watchThatFails(code: string): Outside['watch'] {
  return (paths, options) => {
    const watcher = realOutside.watch(paths, options);
    const error = Object.assign(new Error('no'), { code });
    // As chokidar itself does not, once it is closed.
    setImmediate(() => watcher.closed || watcher.emit('error', error));
    return watcher;
  };
}

const cannotMap =
  (code: object): Outside['dlopen'] =>
  (_module, path) => {
    throw Object.assign(new Error(`${path}: cannot map`), code);
  };
const LOADS: Refusals<Outside['dlopen']> = [cannotMap({ code: 'ERR_DLOPEN_FAILED' }), cannotMap({})];

export const REFUSALS: { readonly [C in Call]: Refusals<Real<C>> } = {
  stageOpen: [
    (stageDir) => ioFailure('mkdir', stageDir),
    (stageDir) => ({ ok: false, kind: 'unsafe', path: stageDir, found: 'is not ours' }),
  ],
  stageCopy: [
    (_handle, path) => {
      const [found, bytes, mtimeMs] = ['half of it', 1, Date.now()];
      return { ok: false, kind: 'incomplete', path, found, bytes, mtimeMs };
    },
    (_handle, source) => ioFailure('copy_file_range', source),
  ],
  keptLibrary: [(kept) => ioFailure('read', kept.path)],
  stageDiscard: [(_handle, path) => ioFailure('unlink', path)],
  inspect: [
    (path) => ioFailure('mmap', path),
    () => ({ ok: false, kind: 'malformed', found: 'a broken header' }),
  ],
  rebind: [
    (path) => ioFailure('mmap', path),
    () => ({ ok: false, kind: 'refused', reason: 'its PLT is one of a kind' }),
  ],
  imageOpen: [
    ({ path }) => ({ ok: false, kind: 'load', message: `${path}: cannot map` }),
    ({ path }) => ioFailure('open', path, 'EMFILE'),
  ],
  hashFile: [(path) => ioFailure('read', path)],
  memoryCreate: [(name) => ioFailure('memfd_create', name), (name) => ioFailure('mmap', name, 'ENOMEM')],
  memoryResize: [() => ioFailure('ftruncate', 'memory')],
  // The one refusal that it has.
  memoryBuffer: [() => null],
  probe: [(path) => ({ ok: false, message: `${path}: cannot allocate memory in static TLS block` })],
  readFile: [rejects('read', 'EIO'), rejects('open', 'EMFILE')],
  readNow: [
    () => {
      throw ioError('open', 'EMFILE');
    },
  ],
  stat: [rejects('stat', 'EIO'), rejects('stat', 'EACCES')],
  readdir: [rejects('scandir', 'EIO'), rejects('scandir', 'EMFILE')],
  spawn: [
    () => {
      throw ioError('spawn', 'EIO');
    },
    // The real failure: what cannot be started is told of by an event.
    (_command, args, options) => realOutside.spawn('/nowhere/at all', args, options),
  ],
  watch: [watchThatFails('EIO'), watchThatFails('EMFILE')],
  dlopen: LOADS,
  dlopenCopy: LOADS,
};

export const CALLS: readonly Call[] = Object.keys(REFUSALS) as Call[];
