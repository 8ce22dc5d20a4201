/** The project that the tests of this folder live through: a build, a watch, an addon with state. */
import fs from 'node:fs';
import path from 'node:path';
import type { Addon } from '../../src/addon.ts';
import { isReloadError, type OpenOptions } from '../../src/index.ts';
import {
  compileAddon,
  createScratch,
  FIXTURES,
  install,
  type Scratch,
  scriptedAddon,
} from '../support/addons.ts';
import { leftIn } from './left.ts';
import { isFull } from './tally.ts';

export interface Counter {
  version(): number;
  increment(): number;
}

/** Needed by its path, as a library without a DT_SONAME is, which makes it a private one. */
const privateLibrary = (): string => compileAddon([path.join(FIXTURES, 'ledger/library.c')], ['-DVERSION=1']);

/** A version that hands on its count and its memory. */
export const counter = (version: number, hasLibrary: boolean): string =>
  scriptedAddon(
    `
    let count = 0;
    let bytes;
    exports.version = () => ${version};
    exports.increment = () => { bytes[0] += 1; return bytes[0] === ++count ? count : NaN; };
    exports.napiReload = {
      async prepare({ reason, memory }) { memory('growing', reason === 'first' ? 100 : 200, { grow: true }); },
      init({ state, memory }) { count = state ?? 0; bytes = memory('count', 1); },
      save: () => count,
    };
  `,
    hasLibrary ? ['-Wl,--no-as-needed', privateLibrary()] : [],
  );

/** Of few programs, as it runs some thousand times: a new file in place of the old one, as linkers do it. */
const BUILD =
  'read -r v < src/kernel.c; [ -d out ] || mkdir out; exec cp --remove-destination "built/v$v.node" out/kernel.node';

/** An edit that has not come by then is lost: a diagnosis. */
const ARRIVAL_MAX_MS = 60_000;

const VERSIONS = [1, 2, 3] as const;
export type Version = (typeof VERSIONS)[number];

export interface Project extends Disposable {
  readonly file: string;
  /** Reaches every part of the library: a build, a watch, a look at the bytes. */
  options(debounceMs: number): OpenOptions;
  /** The source says which version the build writes. */
  edit(version: Version): void;
  /** Whether the addon has a private library, from the next build on; one that is loaded plainly may have none here. */
  has(library: boolean): void;
  /** Directories that are left in the stage directory. */
  staged(): readonly string[];
  /**
   * Descriptors, mappings and processes that have to do with it, once all had time to go, each told of once. What was
   * `loaded` plainly stays mapped, and is not told of from then on.
   */
  left(loaded: readonly string[]): Promise<readonly string[]>;
  /** As before the first build, and with nothing staged. */
  clean(): void;
}

export function createProject(): Project {
  const scratch: Scratch = createScratch();
  const stageDir = scratch.file('stage');
  scratch.write('package.json', '{}');
  let hasLibrary: boolean | null = null;
  const has = (library: boolean): void => {
    if (hasLibrary === library) return;
    hasLibrary = library;
    for (const version of VERSIONS)
      install(counter(version, library), scratch.file(`built/v${version}.node`));
  };
  has(false);
  scratch.write('src/kernel.c', '1');
  // One byte in place of another: no build finds the file empty.
  const edit = (version: Version): void =>
    fs.writeFileSync(scratch.file('src/kernel.c'), `${version}`, { flag: 'r+' });
  const known: string[] = [];
  return {
    file: scratch.file('out/kernel.node'),
    options: (debounceMs) => ({
      build: { command: 'sh', args: ['-c', BUILD], cwd: scratch.path },
      watch: { debounceMs },
      integrity: () => true,
      // So that a rollback makes one leave.
      history: 1,
      stageDir,
    }),
    edit,
    has,
    staged() {
      return fs.existsSync(stageDir) ? fs.readdirSync(stageDir).filter((name) => name !== '.lock') : [];
    },
    async left(loaded) {
      known.push(...loaded);
      const left = await leftIn(scratch.path, known);
      known.push(...left);
      return left;
    },
    clean() {
      fs.rmSync(stageDir, { recursive: true, force: true });
      fs.rmSync(scratch.file('out'), { recursive: true, force: true });
      edit(1);
    },
    [Symbol.dispose]: () => scratch[Symbol.dispose](),
  };
}

/** Resolves once the version serves that an edit makes, by the watch alone, which nothing must refuse meanwhile. */
export async function arrive(addon: Addon<Counter>, version: Version, edit: () => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const deadline = setTimeout(() => end(new Error(`no reload for version ${version}`)), ARRIVAL_MAX_MS);
    const end = (error?: unknown): void => {
      clearTimeout(deadline);
      addon.off('reloaded', look).off('failed', end);
      if (error === undefined) resolve();
      else reject(error);
    };
    const look = (): void => {
      if (addon.exports.version() === version) end();
    };
    addon.on('reloaded', look).on('failed', end);
    edit();
  });
}

/** @returns false when it was refused; anything but a ReloadError has no code that a user could match on, and is thrown */
export async function isDone(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (!isReloadError(error)) throw error;
    return false;
  }
}

/**
 * So many calls in a row were not reached: all were. One life alone shows nothing, as a watch does not look equally often
 * in each. In the short form the first one ends it.
 */
const UNREACHED_ENOUGH = isFull ? 3 : 1;
/** In the short form all of the first calls of a name are struck, and of those that follow each fifth one. */
const FIRST_CALLS = isFull ? Number.POSITIVE_INFINITY : 6;
const LATER_STEP = 5;

/**
 * Lives with the first call struck, the second, and so on; in the short form a part of them.
 *
 * @param live resolves with whether the call was reached
 * @returns how many were reached
 */
export async function eachCall(callsMax: number, live: (nth: number) => Promise<boolean>): Promise<number> {
  let [reached, unreached] = [0, 0];
  for (let nth = 1; unreached < UNREACHED_ENOUGH; nth += nth < FIRST_CALLS ? 1 : LATER_STEP) {
    if (nth > callsMax) throw new Error(`more than ${callsMax} calls of one name`);
    const isReached = await live(nth);
    reached += Number(isReached);
    unreached = isReached ? 0 : unreached + 1;
  }
  return reached;
}
