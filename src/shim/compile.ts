/**
 * Compiles the shim for this system. It is made in a folder of its own, which is thrown away: the package may be shared, or
 * may not be written to, and a build that is broken off leaves nothing that could be taken for one.
 */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { threadId } from 'node:worker_threads';
import { describe, errors, isReloadError } from '../errors.ts';
import { explainFailure } from './compile-failure.ts';
import {
  type CompiledFolders,
  foldersForCompiled,
  isPrivate,
  SHIM_NAME,
  SOURCES,
  systemName,
} from './places.ts';

/** A build that is there and does not load. */
export interface TriedShim {
  readonly path: string;
  readonly found: string;
}

/** Of the folder that it is compiled in. */
const WORK_PREFIX = 'napi-reload-compile-';
const OUTPUT_BYTES_MAX = 64 * 2 ** 20;
const OUTPUT_LINES_SHOWN = 30;
const OWNER_ONLY = 0o700;
/** For one core that is slow; what takes longer hangs. */
const COMPILE_MAX_MS = 30 * 60_000;

const require = createRequire(import.meta.url);

/**
 * Blocks until it is done: `require` of an addon may be what waits for it. Two processes that do it at once do it twice, and
 * the later result stands.
 *
 * @param tried for the error
 * @param say is told, in a line for people, that it begins
 * @returns absolute path of what was compiled
 * @throws `ERR_SHIM_UNAVAILABLE`
 */
export function compileShim(tried: readonly TriedShim[], say: (line: string) => void): string {
  const fail = (found: string, advice: string, output = '', cause: unknown = undefined): Error =>
    errors.shimUnavailable({ path: SOURCES, tried, found, advice, output }, cause);
  const folders = foldersForCompiled();
  if (folders === null) throw fail('its sources are not there', 'install napi-reload again');
  const target = path.join(chooseFolder(folders, fail), SHIM_NAME);
  say(
    `napi-reload: no build of its native part fits ${systemName()}, so it is compiled, once; this takes a while`,
  );
  let work = '';
  try {
    sweepFolders();
    work = fs.mkdtempSync(path.join(os.tmpdir(), WORK_PREFIX));
    copySources(work);
    const { status, signal, error, stdout, stderr } = runNodeGyp(work);
    if (status !== 0) {
      const ending =
        error === undefined ? `node-gyp ended with ${signal ?? `code ${status}`}` : describe(error);
      const output = `${stdout ?? ''}${stderr ?? ''}`;
      const { found, advice } = explainFailure(output, ending);
      throw fail(found, advice, lastLines(output), error);
    }
    publish(path.join(work, 'build/Release', SHIM_NAME), target);
    return target;
  } catch (error) {
    throw isReloadError(error)
      ? error
      : fail(describe(error), 'see to that, and run "npx napi-reload setup"', '', error);
  } finally {
    if (work !== '') removeFolder(work);
  }
}

/** Those of processes that were ended while they compiled, and so long ago that none is at work in them. */
function sweepFolders(): void {
  for (const name of fs.readdirSync(os.tmpdir())) {
    if (!name.startsWith(WORK_PREFIX)) continue;
    const folder = path.join(os.tmpdir(), name);
    const found = fs.lstatSync(folder, { throwIfNoEntry: false });
    const isOld = found !== undefined && Date.now() - found.mtimeMs > 2 * COMPILE_MAX_MS;
    if (isOld && found.uid === process.getuid?.()) removeFolder(folder);
  }
}

/** What a compiler that was left behind still writes to is for one that compiles later. */
function removeFolder(folder: string): void {
  try {
    fs.rmSync(folder, { recursive: true, force: true });
  } catch {}
}

/** The first folder that can be written to, made if it has to be. */
function chooseFolder(
  { ofPackage, ofUser }: CompiledFolders,
  fail: (found: string, advice: string) => Error,
): string {
  if (canWrite(ofPackage)) return ofPackage;
  if (canWrite(ofUser, OWNER_ONLY) && isPrivate(ofUser)) return ofUser;
  const found = `"${ofPackage}" cannot be written to, and "${ofUser}" is not this user's alone`;
  throw fail(
    found,
    'run "npx napi-reload setup" as a user who can write to the first, or make the second so',
  );
}

function canWrite(folder: string, mode?: number): boolean {
  try {
    fs.mkdirSync(folder, { recursive: true, mode });
    fs.accessSync(folder, fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** node-addon-api comes along, as gyp takes no path to it that has a space. */
function copySources(work: string): void {
  const addonApi = path.dirname(require.resolve('node-addon-api/package.json'));
  fs.cpSync(SOURCES, path.join(work, path.basename(SOURCES)), { recursive: true });
  fs.cpSync(addonApi, path.join(work, 'node_modules/node-addon-api'), { recursive: true, dereference: true });
  fs.writeFileSync(path.join(work, 'binding.gyp'), '{ "includes": ["native/shim.gypi"] }\n');
}

function runNodeGyp(cwd: string): SpawnSyncReturns<string> {
  const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js');
  const args = [nodeGyp, 'configure', 'build', '--release', '--jobs=max', ...headersOfNode()];
  // With CI in its environment, a warning of a compiler that is newer than ours would end it.
  const env = { ...process.env, CI: '' };
  const options = {
    cwd,
    env,
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES_MAX,
    timeout: COMPILE_MAX_MS,
  } as const;
  return spawnSync(process.execPath, args, options);
}

/** The headers that came with this Node.js, so that none are downloaded. */
function headersOfNode(): readonly string[] {
  const prefix = path.resolve(path.dirname(fs.realpathSync(process.execPath)), '..');
  return fs.existsSync(path.join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : [];
}

/** Under its name it is whole, whoever looks and whenever. */
function publish(built: string, target: string): void {
  const partial = `${target}.${process.pid}-${threadId}`;
  try {
    fs.copyFileSync(built, partial);
    fs.renameSync(partial, target);
  } catch (error) {
    fs.rmSync(partial, { force: true });
    throw error;
  }
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-OUTPUT_LINES_SHOWN).join('\n');
}
