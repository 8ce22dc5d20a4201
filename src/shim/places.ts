/** Where builds of the shim may be, and which of them can be meant for this system. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { defaultStageDir } from '../user-folder.ts';

/** The folder of this package. */
export const PACKAGE: string = path.resolve(import.meta.dirname, '../..');
/** What the shim is compiled from. */
export const SOURCES: string = path.join(PACKAGE, 'native');
/** `napi-reload/register` knows the shim by this name. */
export const SHIM_NAME = 'napi_reload.node';

/** Headers for addon authors: nothing of the shim is made from them. */
const NOT_COMPILED = 'include';
/** Digits of a hash that tell one state of the sources from another. */
const DIGITS = 16;
const OTHERS_MAY_WRITE = 0o022;

const require = createRequire(import.meta.url);

/**
 * Files that may be there, the one to try first ahead of all: what somebody built in a clone of the repository, what came
 * with the package, and what was compiled because that did not fit.
 */
export function* placesOfShim(): Generator<string> {
  yield path.join(PACKAGE, 'build/Release', SHIM_NAME);
  const prebuilt = path.join(PACKAGE, 'prebuilds', `${process.platform}-${process.arch}`, SHIM_NAME);
  // musl would load it, as it looks names up late, and crash.
  if (fs.existsSync(prebuilt) && libcFamily() === 'glibc') yield prebuilt;
  const folders = foldersForCompiled();
  if (folders === null) return;
  yield path.join(folders.ofPackage, SHIM_NAME);
  if (isPrivate(folders.ofUser)) yield path.join(folders.ofUser, SHIM_NAME);
}

/** Where a shim that is compiled goes: beside the package for all its users, or where only this user looks. */
export interface CompiledFolders {
  readonly ofPackage: string;
  readonly ofUser: string;
}

/** @returns folders for the sources as they are, and for no other system; null when the sources are missing */
export function foldersForCompiled(): CompiledFolders | null {
  const hash = hashOfSources();
  if (hash === null) return null;
  const name = `${systemName()}-${hash}`;
  return {
    ofPackage: path.join(PACKAGE, 'build', name),
    ofUser: path.join(`${defaultStageDir()}-native`, name),
  };
}

/** Such as `linux-arm64-musl`. */
export function systemName(): string {
  return [process.platform, process.arch, libcFamily()].filter((word) => word !== null).join('-');
}

/**
 * Whether a folder is this user's, and nobody else can put a file there. The one above it is asked about as well: whoever
 * may write there could put another folder in its place.
 */
export function isPrivate(folder: string): boolean {
  return [folder, path.dirname(folder)].every((one) => {
    const found = fs.lstatSync(one, { throwIfNoEntry: false });
    if (found === undefined || !found.isDirectory()) return false;
    return found.uid === process.getuid?.() && (found.mode & OTHERS_MAY_WRITE) === 0;
  });
}

/** Asked for late: most processes load what was built here, and hosts are waited for. */
function libcFamily(): string | null {
  const { familySync } = require('detect-libc') as typeof import('detect-libc');
  return familySync();
}

function hashOfSources(): string | null {
  if (!fs.existsSync(path.join(SOURCES, 'shim.gypi'))) return null;
  const names = fs.readdirSync(SOURCES, { recursive: true, withFileTypes: true });
  const files = names
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(SOURCES, path.join(entry.parentPath, entry.name)))
    .filter((name) => name.split(path.sep)[0] !== NOT_COMPILED)
    .sort();
  const hash = createHash('sha256');
  for (const name of files) {
    const bytes = fs.readFileSync(path.join(SOURCES, name));
    hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex').slice(0, DIGITS);
}
