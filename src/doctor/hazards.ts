/** What deserves a look in an addon that could be read. */
import type { NativeAnatomy, NativeImage } from '../native.ts';
import { isSupportedApiVersion } from '../load/api-version.ts';
import type { Hazard, HazardCode, Severity } from './diagnosis.ts';
import { listed, namesOf, type UseName, USES } from './uses.ts';

interface Seen {
  readonly image: NativeImage;
  readonly anatomy: NativeAnatomy;
  readonly apiVersion: number | null;
}

interface Rule {
  readonly code: HazardCode;
  readonly severity: Severity;
  /** What was found; null for nothing. */
  find(seen: Seen): string | null;
  readonly remedy: string;
}

/** @returns a finder of names that mean a use */
function imports(use: UseName): Rule['find'] {
  return ({ anatomy }) => importing(namesOf(USES[use], anatomy.imports));
}

function importing(names: readonly string[]): string | null {
  return names.length === 0 ? null : `it imports ${listed(names)}`;
}

function missing({ anatomy, image }: Seen): string | null {
  const { missingLibraries } = anatomy;
  if (missingLibraries.length === 0) return null;
  const names = missingLibraries.map(({ name }) => name);
  const musl = image.needed.some((name) => isOfMusl(name)) ? ', which is for musl and not for glibc' : '';
  return `the loader does not find ${listed(names)}${musl}`;
}

/** musl's own name for the C library, where glibc has `libc.so.6`. */
function isOfMusl(name: string): boolean {
  return name === 'libc.so' || name.startsWith('libc.musl-');
}

/** Those of V8 go with its version, and are told as such. */
function undefinedSymbols({ anatomy }: Seen): string | null {
  const past = new Set(anatomy.pastNodeApi);
  const names = anatomy.undefinedSymbols.filter((name) => !past.has(name));
  return names.length === 0 ? null : `nothing that it is linked to defines ${listed(names)}`;
}

/** Folders that are elsewhere on another machine, or that whoever starts the program chooses. */
function runPath({ anatomy: { rpath, runpath } }: Seen): string | null {
  const [tag, path] = runpath === null ? ['RPATH', rpath] : ['RUNPATH', runpath];
  const folders = path?.split(':').filter((folder) => !/^\$(?:ORIGIN|\{ORIGIN\})(?:\/|$)/.test(folder)) ?? [];
  return folders.length === 0 ? null : `its ${tag} leads to ${listed(folders.map((x) => `"${x}"`))}`;
}

/** Why it is never unloaded, where no other rule has it. */
function otherRefusal({ image, anatomy }: Seen): string | null {
  const isKnown =
    image.noDelete ||
    anatomy.looksUpNodeApi ||
    anatomy.pastNodeApi.length > 0 ||
    anatomy.unfollowed.length > 0;
  return isKnown ? null : anatomy.refusal;
}

const IN_A_PROCESS = 'open it with isolation "process", which ends with its memory';

const RULES: readonly Rule[] = [
  {
    code: 'wrong-arch',
    severity: 'error',
    find: ({ image }) =>
      image.arch === process.arch ? null : `it is built for ${image.arch}, this is ${process.arch}`,
    remedy: 'build it here, or install the package on this machine',
  },
  {
    code: 'no-entry',
    severity: 'error',
    find: ({ image }) => (image.entry === 'none' ? 'it has no entry point of Node-API' : null),
    remedy: 'add NAPI_MODULE_INIT() or NODE_API_MODULE(), and do not hide the symbol',
  },
  {
    code: 'v8-abi',
    severity: 'error',
    find: ({ image }) =>
      image.entry === 'v8' ? 'it registers by the C++ interface of V8, not by Node-API' : null,
    remedy: 'port it to Node-API, for which node-addon-api has classes of C++ like those of nan',
  },
  {
    code: 'napi-version',
    severity: 'error',
    find: ({ apiVersion }) =>
      apiVersion === null || isSupportedApiVersion(apiVersion)
        ? null
        : `it asks for version ${apiVersion} of Node-API, this Node.js has up to ${process.versions['napi']}`,
    remedy: 'build it with a lower NAPI_VERSION, or run a newer Node.js',
  },
  {
    code: 'missing-library',
    severity: 'error',
    find: missing,
    remedy:
      'install the library, ship it beside the addon with the RUNPATH $ORIGIN, or take the build for this system',
  },
  {
    code: 'undefined-symbol',
    severity: 'error',
    find: undefinedSymbols,
    remedy:
      'add the source or the library that does; for a version such as GLIBC_2.38, build on an older system',
  },
  {
    code: 'no-delete',
    severity: 'warning',
    find: ({ image }) =>
      image.noDelete ? 'its author linked it with -z nodelete, so that it is never unloaded' : null,
    remedy: `link it without, if it stops its threads; or ${IN_A_PROCESS}`,
  },
  {
    code: 'node-api-by-name',
    severity: 'warning',
    find: ({ anatomy }) =>
      anatomy.looksUpNodeApi ? 'it looks functions of Node-API up by name while it runs (dlsym)' : null,
    remedy: `link it to them, with napi-rs without its feature "dyn-symbols"; or ${IN_A_PROCESS}`,
  },
  {
    code: 'past-node-api',
    severity: 'warning',
    find: ({ image, anatomy }) => (image.entry === 'v8' ? null : importing(anatomy.pastNodeApi)),
    remedy: `use Node-API alone: what V8 and Node.js are given otherwise cannot be followed; or ${IN_A_PROCESS}`,
  },
  {
    code: 'unfollowed',
    severity: 'warning',
    find: ({ anatomy }) => importing(anatomy.unfollowed),
    remedy: 'use pthread_create, pthread_key_create or a cleanup hook of Node-API instead',
  },
  {
    code: 'not-followed',
    severity: 'warning',
    find: otherRefusal,
    remedy: `mend that; or ${IN_A_PROCESS}`,
  },
  {
    code: 'static-tls',
    severity: 'warning',
    find: ({ image: { staticTls, tlsBytes } }) =>
      staticTls
        ? `its ${tlsBytes} bytes of thread-local variables take room that a process has little of (initial-exec)`
        : null,
    remedy: 'build it with -ftls-model=global-dynamic, or open it with fallback "process"',
  },
  {
    code: 'executable-stack',
    severity: 'warning',
    find: ({ anatomy }) =>
      anatomy.executableStack ? 'it makes the stacks of the process executable (PT_GNU_STACK)' : null,
    remedy: 'link it with -z noexecstack, and give assembler sources a section .note.GNU-stack',
  },
  {
    code: 'run-path',
    severity: 'warning',
    find: runPath,
    remedy: 'use $ORIGIN, the folder of the addon: other folders may not be there, or not be yours',
  },
  {
    code: 'unique-symbols',
    severity: 'info',
    find: ({ image: { uniqueSymbols: count } }) =>
      count === 0 ? null : `it has ${count} of the kind STB_GNU_UNIQUE, which all versions would share`,
    remedy: 'nothing: a version that can be unloaded is healed of it; -fno-gnu-unique does it for others',
  },
  {
    code: 'private-libraries',
    severity: 'info',
    find: ({ anatomy: { privateLibraries } }) =>
      privateLibraries.length === 0 ? null : `it has libraries of its own: ${listed(privateLibraries)}`,
    remedy: 'nothing: they are staged, renamed and unloaded with each version',
  },
  {
    code: 'threads',
    severity: 'info',
    find: imports('threads'),
    remedy: 'stop what it starts in dispose or a cleanup hook: a thread that runs its code pins a version',
  },
  {
    code: 'thread-locals',
    severity: 'info',
    find: imports('threadLocals'),
    remedy: 'let threads end that have used it: destructors of their thread_local objects pin a version',
  },
  {
    code: 'pthread-keys',
    severity: 'info',
    find: imports('pthreadKeys'),
    remedy:
      'free what threads keep under a key before they end: at an unload other threads lose their values',
  },
  {
    code: 'uv-handles',
    severity: 'info',
    find: imports('uvHandles'),
    remedy: 'close them in dispose or a cleanup hook: a handle that is open pins a version',
  },
  {
    code: 'uv-requests',
    severity: 'info',
    find: ({ anatomy }) => importing(anatomy.uvRequests),
    remedy:
      'prefer uv_queue_work or async work: libuv does not tell whose a request is, so any one pins a version',
  },
  {
    code: 'signals',
    severity: 'info',
    find: imports('signals'),
    remedy: 'put the old handler back in dispose or a cleanup hook: a handler pins a version',
  },
];

/** @returns hazards in the order of {@link HAZARD_CODES} */
export function findHazards(seen: Seen): readonly Hazard[] {
  return RULES.flatMap(({ code, severity, find, remedy }) => {
    const detail = find(seen);
    return detail === null ? [] : [{ code, severity, detail, remedy }];
  });
}
