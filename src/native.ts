/**
 * What the C++ shim offers, as TypeScript sees it. native/binding.cc is the other side of this file.
 *
 * Functions of the shim return a failure as a value and never throw one: the stage that called it knows what was
 * attempted and makes the ReloadError.
 */
import type { ContentHash, Fingerprint, ShimPath, StagedPath } from './brands.ts';
import { loadShim } from './shim/load.ts';

/** A system call that failed in the shim. */
export interface NativeIoFailure {
  readonly ok: false;
  readonly kind: 'io';
  /** The call, such as `open` or `copy_file_range`. */
  readonly operation: string;
  readonly path: string;
  /** Symbolic name such as `ENOSPC`. */
  readonly errno: string;
  readonly message: string;
}

/** Why a directory is not one to load code from. */
export interface NativeUnsafeDirectory {
  readonly ok: false;
  readonly kind: 'unsafe';
  readonly path: string;
  /** What was found, such as `is owned by uid 0, not 1000` or `is a symbolic link`. */
  readonly found: string;
}

/** A directory of ours, locked for the life of this object. */
export interface NativeStageDirectory {
  readonly ok: true;
  readonly path: string;
  /** Names of directories of dead processes that were removed while this one was made. */
  readonly swept: readonly string[];
  /** Opaque; given back to `stageCopy` and `stageClose`. */
  readonly handle: object;
}

/** A private library of an addon, as it was when the addon was staged. */
export interface NativeLibrary {
  /** The file, links resolved. */
  readonly source: string;
  readonly hash: ContentHash;
  /** Identity of the file: `device:inode`. */
  readonly file: string;
  readonly mtimeMs: number;
}

/** What a version is made of. */
export interface NativeContents {
  /** Of the addon itself. */
  readonly hash: ContentHash;
  readonly fingerprint: Fingerprint;
  /** Dependencies before those that need them. */
  readonly libraries: readonly NativeLibrary[];
  /** Every path that decides which libraries these are, whether or not there is a file. */
  readonly looked: readonly string[];
}

export interface NativeStaged extends NativeContents {
  readonly ok: true;
  readonly kind: 'staged';
  readonly path: StagedPath;
  readonly bytes: number;
  /** Identity of the source file: `device:inode`. */
  readonly file: string;
  /** When the source was last written to, in milliseconds since the Unix epoch. */
  readonly mtimeMs: number;
  /** How the bytes came over: `clone` shares blocks, `range` stays in the kernel, `read` passes through memory. */
  readonly method: 'clone' | 'range' | 'read';
  /** What `inspect` would say, where it was asked for on the way. */
  readonly image: NativeImage | NativeNotElf | null;
  /** What `rebind` would say; the copy is rebound already. */
  readonly binding: NativeRebound | NativeRefused | null;
}

/** The source has what was to be skipped: nothing was staged. */
export interface NativeSame extends NativeContents {
  readonly ok: true;
  readonly kind: 'same';
}

/** The source, or a private library, is not whole, or changed while it was copied: nothing was staged. */
export interface NativeIncomplete {
  readonly ok: false;
  readonly kind: 'incomplete';
  /** Which of them. */
  readonly path: string;
  /** What is missing, such as `segment 3 ends at byte 8192 of 4096`. */
  readonly found: string;
  readonly bytes: number;
  readonly mtimeMs: number;
}

/** The source, or a private library, is no regular ELF file at all; waiting will not help. */
export interface NativeForeign {
  readonly ok: false;
  readonly kind: 'foreign';
  /** Which of them. */
  readonly path: string;
  /** What it is, such as `a Mach-O file`, `a directory`, `text`. */
  readonly found: string;
}

export interface NativeStageWishes {
  /** Do for a small source, whose bytes are in memory then, what `inspect` does for any. */
  readonly examine: boolean;
  /** The same for `rebind`; nothing without `examine`. */
  readonly rebind: boolean;
  /** Look for private libraries. */
  readonly libraries: boolean;
}

export type NativeStageResult =
  | NativeStaged
  | NativeSame
  | NativeIncomplete
  | NativeForeign
  | NativeIoFailure;

/** What an ELF image says of itself without being loaded. */
export interface NativeImage {
  readonly ok: true;
  /** `x64`, `arm64`, …, as in `process.arch`; `machine-N` when it has no such name. */
  readonly arch: string;
  /** Whether it is a 64-bit little-endian shared object. */
  readonly sharedObject: boolean;
  /** How it registers: `symbol` (napi_register_module_v1), `constructor` (napi_module_register), `v8` (not Node-API). */
  readonly entry: 'symbol' | 'constructor' | 'v8' | 'none';
  readonly hasApiVersion: boolean;
  /** Symbols of binding STB_GNU_UNIQUE, which the loader shares between versions. */
  readonly uniqueSymbols: number;
  readonly noDelete: boolean;
  /** Bytes of thread-local storage, and whether it must come from the static block. */
  readonly tlsBytes: number;
  readonly staticTls: boolean;
  readonly needed: readonly string[];
  readonly soname: string | null;
  readonly runpath: string | null;
  /** Memory mappings that loading it will add. */
  readonly mappings: number;
}

export interface NativeNotElf {
  readonly ok: false;
  readonly kind: 'foreign' | 'malformed';
  readonly found: string;
}

/** What an image wants of others, and what else it tells of itself that a reload need not know. */
export interface NativeAnatomy {
  /** Names of all symbols that it does not define itself. */
  readonly imports: readonly string[];
  /** Of these, functions of V8 and of Node.js past Node-API, and starts of threads and the like that nothing follows. */
  readonly pastNodeApi: readonly string[];
  readonly unfollowed: readonly string[];
  /** Functions of libuv that are given a callback for later, without a handle. */
  readonly uvRequests: readonly string[];
  /** What `node_api_module_get_api_version_v1` returns, if its code shows that; else null. */
  readonly apiVersion: number | null;
  readonly executableStack: boolean;
  readonly rpath: string | null;
  readonly runpath: string | null;
  /** It looks Node-API functions up by name while it runs. */
  readonly looksUpNodeApi: boolean;
  /** Libraries that the loader does not find. Empty for another processor, as the next one. */
  readonly missingLibraries: readonly { readonly name: string; readonly neededBy: string }[];
  /** Symbols that nobody gives, such as `pow@GLIBC_2.29`. */
  readonly undefinedSymbols: readonly string[];
  /** Paths of its private libraries. */
  readonly privateLibraries: readonly string[];
  /** Why it could not be unloaded, as `NativeRefused` has it; null when it could. */
  readonly refusal: string | null;
}

export interface NativeExamined {
  readonly ok: true;
  readonly image: NativeImage;
  /** Null when it is no 64-bit little-endian shared object. */
  readonly anatomy: NativeAnatomy | null;
}

export type NativeExamination =
  | NativeExamined
  | NativeNotElf
  | NativeIncomplete
  | NativeForeign
  | NativeIoFailure;

export interface NativeProbe {
  readonly ok: true;
  /** Result of `node_api_module_get_api_version_v1`, or null where it is absent. */
  readonly apiVersion: number | null;
  /** Opaque hold on the image; given back to `probeRelease` once Node has opened it too. */
  readonly handle: object;
}

export interface NativeProbeFailure {
  readonly ok: false;
  /** The loader's own words (`dlerror`). */
  readonly message: string;
}

/** A staged copy that was rewritten so that the ledger sees every pointer that its code hands out. */
export interface NativeRebound {
  readonly ok: true;
  /** Staged copies of its private libraries, under names of this version alone. */
  readonly libraries: readonly StagedPath[];
  /** Symbols of binding STB_GNU_UNIQUE that are ordinary ones now. */
  readonly uniqueHealed: number;
  readonly usesUv: boolean;
  readonly usesUvRequests: boolean;
  /** Opaque: what leads back to the bytes before. */
  readonly origin: object;
}

/** A version whose staged files are still there: with them it can be staged once more, whatever its source holds by now. */
export interface NativeKept {
  readonly path: StagedPath;
  /** Of the addon before it was rebound. */
  readonly hash: ContentHash;
  readonly libraries: readonly StagedPath[];
  /** Of its `NativeRebound`; null where it was not rebound. */
  readonly origin: object | null;
}

/** The copy is as it was. */
export interface NativeRefused {
  readonly ok: false;
  readonly kind: 'refused';
  /** Completes "it is kept because". */
  readonly reason: string;
}

export type NativeRebindResult =
  | NativeRebound
  | NativeRefused
  | NativeIncomplete
  | NativeForeign
  | NativeIoFailure;

export interface NativeImageRequest extends Omit<NativeRebound, 'ok' | 'uniqueHealed' | 'origin'> {
  readonly id: number;
  readonly source: string;
  readonly path: StagedPath;
  /** What others may join by, together with the source's real path; null for an image of one handle alone. */
  readonly share: NativeShare | null;
}

export interface NativeShare {
  readonly fingerprint: Fingerprint;
  /** Join none that serves. */
  readonly fresh: boolean;
  /** Of which reload of all threads it is, whose others alone may join it until that is decided; null for a first load. */
  readonly round: object | null;
  /** Join what the leader of the round has opened, or nothing. */
  readonly follows: boolean;
}

/** One reload for all threads that run an image: native/thread_barrier.h has its rules. */
export interface NativeRound {
  readonly id: number;
  readonly handle: object;
}

/** What a thread is asked to do: load the new version, come to the barrier, or forget it. */
export type NativeSummons = 'follow' | 'stop' | 'end';

/** What replaces an image. */
export interface NativeOffer {
  readonly kept: NativeKept;
  /** As the leader gave it. */
  readonly note: string;
}

export interface NativeOutlook {
  /** Threads that have not heard of it within the bound. */
  readonly deaf: number;
  /** Threads that are not ready. */
  readonly unready: number;
  readonly over: boolean;
  /** What a thread said that ended it; empty when none did. */
  readonly failure: string;
}

export interface NativeStop {
  /**
   * `other`: another round is at its barrier, and `unready`: somebody has come; try again. `missing`: so many threads did
   * not come within the bound. `over`: a thread has ended it.
   */
  readonly outcome: 'stopped' | 'other' | 'unready' | 'missing' | 'over';
  readonly missing: number;
  readonly failure: string;
}

export interface NativeDecision {
  readonly committed: boolean;
  readonly missing: number;
  readonly failure: string;
}

export interface NativeImageOpened {
  readonly ok: true;
  readonly handle: object;
  /** Of the copy that is mapped: a shared one was moved to a directory of its own, which goes when it is unmapped. */
  readonly path: StagedPath;
  /** The image was there already; what the request names was not used. */
  readonly joined: boolean;
}

export interface NativeImageFailure {
  readonly ok: false;
  /** `busy`: another thread is opening the shared image, or a reload of all threads is about to change it; ask again. */
  readonly kind: 'load' | 'no-entry' | 'api-version' | 'busy';
  readonly message: string;
}

/** Why a version cannot be unloaded now. */
export interface NativePin {
  /** Such as `external-buffer`, `thread`, `wrapped-object`. */
  readonly kind: string;
  /** How many of that kind there are. */
  readonly count: number;
  /** Memory of the version that JavaScript can reach; 0 where that has no meaning. */
  readonly bytes: number;
}

export interface NativeRetirement {
  readonly outcome: 'unloaded' | 'shared' | 'still-mapped' | 'pinned';
  /** Empty but for `pinned`. */
  readonly pins: readonly NativePin[];
  /** Of `shared`: how many others held the image when this version left it. */
  readonly others: number;
}

/** What a facade calls where the ledger has no way in: a function of JavaScript, which gets `new.target` as an argument. */
export type NativeEnter = (
  this: unknown,
  newTarget: NativeFunction | undefined,
  ...args: unknown[]
) => unknown;

/** How a move of live instances ended that did not succeed. */
export interface NativeMoveEnd {
  readonly lost: number;
  readonly thrown: readonly unknown[];
}

/** Memory that no version owns. */
export interface NativeMemory {
  readonly ok: true;
  readonly handle: object;
}

/** Any function. */
export type NativeFunction = (this: unknown, ...args: unknown[]) => unknown;

export interface Native {
  /** Where the shim itself was loaded from. */
  readonly shimPath: ShimPath;
  /**
   * Rewrites a staged copy of `source`, and stages its private libraries beside it. They are read again: `incomplete`
   * when their hashes are not these any more. Those of a version that was kept come from there.
   */
  rebind(
    path: StagedPath,
    source: string,
    libraryHashes?: readonly ContentHash[],
    kept?: NativeKept | null,
  ): NativeRebindResult;
  /** SHA-256 of a file. */
  hashFile(path: StagedPath): ContentHash | NativeIoFailure;
  /** Maps a rebound copy and runs its constructors, or joins a shared image; nothing stays mapped when it fails. */
  imageOpen(request: NativeImageRequest): NativeImageOpened | NativeImageFailure | NativeIoFailure;
  /** From here to `mintEnd`, `process.dlopen` of `shimPath` makes an environment for this image. */
  mintBegin(handle: object): void;
  /** Whether it did. The image is gone when it did not. */
  mintEnd(handle: object): boolean;
  /** Runs the addon's init. Returns its exports, throws what it threw. */
  init(handle: object, exports: unknown): unknown;
  /** What forbids to unload it now. */
  pins(handle: object): readonly NativePin[];
  /**
   * Ends a version: cleanup hooks in reverse, finalizers, instance data; then unmaps it. Call it again after `pinned`,
   * and not after anything else. `releaseObjects` ends wrapped objects that JavaScript still holds.
   */
  retire(handle: object, releaseObjects: boolean): NativeRetirement;
  /** How many other handles, of any thread, hold the image of this version. */
  sharedWith(handle: object): number;
  /** It serves, and has to come along when its image is replaced. */
  serve(handle: object): void;
  /** Whether this copy is mapped now. */
  isMapped(path: StagedPath): boolean;
  /** Calls back from the event loop whenever a pin may have gone, until the version has ended. */
  onRelease(handle: object, notify: () => void): void;

  /** Calls the listener from the event loop for rounds that others lead, until the thread ends. The last one given counts. */
  onSummons(listener: (round: NativeRound, summons: NativeSummons) => void): void;
  /**
   * Begins a round that replaces the images of these versions; null when one of them has a round. Who waits for its
   * leader at the barrier gives up after `patienceMs`.
   */
  roundBegin(versions: readonly object[], patienceMs: number): NativeRound | null;
  /** Leader, before the first call: what replaces the image of a version. */
  roundOffer(round: object, from: object, to: object, kept: NativeKept, note: string): void;
  /** Leader: asks whom it has not asked yet, and looks how far they are. Nobody joins the images from the first call on. */
  roundCall(round: object, boundMs: number): NativeOutlook;
  /** Leader: blocks until all others have stopped at the barrier. */
  roundStop(round: object, boundMs: number): NativeStop;
  /** Leader: lets the others do their part, blocks until they have, and decides for all. */
  roundDecide(round: object, boundMs: number): NativeDecision;
  /** Leader: ends it, if it is not decided, for all. */
  roundEnd(round: object): void;
  /** Others: what replaces the image of a version; null where it stays. */
  roundOfferFor(round: object, version: object): NativeOffer | null;
  /** How many handles of this thread are about to serve one of its images. */
  roundArriving(round: object): number;
  /** Others: the new versions of this thread are loaded. */
  roundReady(round: object): void;
  /** Others: ends it for all. */
  roundFail(round: object, why: string): void;
  /** Others, at the barrier: blocks until it is their turn; false when it is over. */
  roundTurn(round: object): boolean;
  /** Others, when they have done their part: blocks until it is decided. */
  roundJoin(round: object): boolean;

  /**
   * A native function that no version owns. It calls `enter` until it is pointed elsewhere, and does not hold it: the
   * caller does, for as long as the function lives.
   */
  makeFacade(name: string, enter: NativeEnter): NativeFunction;
  /** For each, whether this version's native code made it, and not as a class. */
  findFunctions(handle: object, functions: readonly object[]): readonly boolean[];
  /**
   * From now on the facade of each `enter` runs the native code of the function beside it, or calls its `enter`: for null,
   * and for what `findFunctions` denies. Does not fail. Whoever points a facade at a function holds that function for as
   * long.
   */
  pointFacades(
    handle: object | null,
    enters: readonly NativeEnter[],
    functions: readonly (object | null)[],
  ): void;

  /**
   * For each of these classes of the version the live objects that its constructor wrapped, the oldest first; null for
   * what is no class of the version.
   */
  findInstances(handle: object, constructors: readonly object[]): readonly (readonly object[] | null)[];
  /**
   * From here to `endMove`, a constructor of `to` that is called without `new` on an object that `from` wrapped takes it
   * over, and believes that `new` called it.
   */
  beginMove(from: object, to: object): void;
  /**
   * Ends a move. Unless it succeeded, each object that was taken over is wrapped again as it was.
   *
   * @returns how many could not be, and what finalizers of `to` threw
   */
  endMove(from: object, to: object, succeeded: boolean): NativeMoveEnd;

  /**
   * Memory of so many bytes, all 0, at a multiple of a page's size. It takes no memory until it is written to. `name`, of
   * at most 237 bytes, is what a person reads in `/proc/self/maps`. Unless it `grows`, no addresses are kept free behind
   * it; by default they are.
   */
  memoryCreate(name: string, byteLength: number, grows?: boolean): NativeMemory | NativeIoFailure;
  /**
   * A path by which `memoryOpen` finds it, in this process and in others of the same user, until it is closed; null for
   * what was opened itself.
   */
  memoryPath(handle: object): string | null;
  /**
   * The same memory once more, in another thread or process: the first bytes of what `memoryPath` names. It stays when
   * whoever made it has ended. It cannot be resized; when it has grown where it was made, it is opened anew. Nobody
   * else sees what is written to one that `isPrivate`.
   */
  memoryOpen(path: string, byteLength: number, isPrivate?: boolean): NativeMemory | NativeIoFailure;
  /** Copies to its beginning. */
  memoryWrite(handle: object, bytes: Uint8Array): NativeIoFailure | null;
  /**
   * Makes it larger, by bytes that are 0, or smaller, which does not fail. Array buffers over it stay as they are. All is
   * as it was when it fails.
   */
  memoryResize(handle: object, byteLength: number): NativeIoFailure | null;
  /**
   * Its first bytes as an array buffer, which keeps them in memory; null where V8 allows no buffer over foreign memory.
   * `onEnd` is called from the event loop once that buffer, and any to which its bytes were transferred, was collected;
   * never when the thread ends before. It must not throw.
   */
  memoryBuffer(handle: object, byteLength: number, onEnd?: () => void): ArrayBuffer | null;
  /** Lets go of it; array buffers over it stay as they are. Safe to call twice. */
  memoryClose(handle: object): void;
  /** Where a view begins. */
  addressOf(view: Uint8Array): bigint;

  /**
   * Makes `<stageDir>/<name>-<pid>-<random>`, mode 0700, locked until `stageClose` or the end of the process, and
   * removes those of processes that have ended.
   */
  stageOpen(stageDir: string, name: string): NativeStageDirectory | NativeUnsafeDirectory | NativeIoFailure;
  /**
   * Removes the directory with all in it, and lets go of its lock. Safe to call twice. A copy in progress ends as an io
   * failure with `ECANCELED`.
   */
  stageClose(handle: object): void;
  /**
   * Copies `source` to `<directory>/<id>-<first 16 digits of its hash>.node`: a small one at once, one of more than a
   * mebibyte on a thread of the pool unless it is to be there `atOnce`. Not if it has the fingerprint, or the hash, that is to be skipped.
   *
   * With `kept`, it stages what that version was made of instead. An io failure of the operation `check` says that the
   * files of that are not what they were.
   */
  stageCopy(
    handle: object,
    source: string,
    id: number,
    skip: Fingerprint | ContentHash | null,
    wanted?: NativeStageWishes,
    kept?: NativeKept | null,
    atOnce?: boolean,
  ): NativeStageResult | Promise<NativeStageResult>;
  /** What a private library of a version was made of, by its place in the list. */
  keptLibrary(kept: NativeKept, index: number): Uint8Array | NativeIoFailure;
  /** Deletes a staged copy; null when it is gone. An image that is mapped from it stays as it is. */
  stageDiscard(handle: object, path: StagedPath): NativeIoFailure | null;
  /** Reads the facts of a staged file. */
  inspect(path: StagedPath): NativeImage | NativeNotElf | NativeIoFailure;
  /** Looks at any file, and at the libraries that it needs; loads nothing, and stages nothing. */
  examine(path: string): NativeExamination;
  /**
   * Opens the staged file, RTLD_NOW and local, and asks for its Node-API version. Runs its constructors: never call it
   * when `inspect` says that the entry is `constructor`, or the next `process.dlopen` aborts the process.
   */
  probe(path: StagedPath): NativeProbe | NativeProbeFailure;
  /** Lets go of what `probe` opened. Safe to call twice. */
  probeRelease(handle: object): void;
  /**
   * From now on the system kills this process with SIGKILL when its parent ends, or just the *thread* of the parent that
   * forked it, such as a Worker. False when that parent has ended already: then nobody will.
   */
  dieWithParent(parentPid: number): boolean;
  /** Memory mappings of this process, counted now; 0 where /proc can't be read. */
  countMappings(): number;
  /** Whether an addon, this one or any other, has tied native data to the object with `napi_wrap`. */
  holdsNative(value: object): boolean;
}

let loaded: Native | undefined;

/**
 * The shim, loaded once for each thread. Where no build of it fits this system it is compiled, which blocks meanwhile.
 *
 * @throws `ERR_SHIM_UNAVAILABLE` when that fails, too
 */
export function loadNative(): Native {
  loaded ??= loadShim().exports as Native;
  return loaded;
}
