// Other versions of Node.js, for tests: an npm package of each holds its binary and headers. One that is on disk is
// used as it is; delete its folder to get the newest of its major version.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const CACHE = path.resolve(import.meta.dirname, '../../node_modules/.cache/napi-reload-node');
const OWN_MAJOR = majorOf(process.version);
/** For about 200 MB over a slow line. */
const INSTALL_MAX_MS = 600_000;
const FETCH_RETRIES = 2;
const ASK_MAX_MS = 10_000;

/** @typedef {{ version: string, prefix: string, execPath: string }} NodeVersion */

/**
 * The running version where it is the one, else one from npm.
 *
 * @param {number} major
 * @returns {NodeVersion}
 */
export function nodeVersion(major) {
  if (major === OWN_MAJOR) return verified(major, path.resolve(fs.realpathSync(process.execPath), '../..'));
  const name = `node-linux-${process.arch}`;
  const folder = path.join(CACHE, String(major));
  const prefix = path.join(folder, 'node_modules', name);
  if (!fs.existsSync(path.join(prefix, 'bin/node'))) install(`${name}@${major}`, folder);
  return verified(major, prefix);
}

/** @param {string} wanted @param {string} folder */
function install(wanted, folder) {
  console.error(`test:versions: installing ${wanted} …`);
  fs.mkdirSync(folder, { recursive: true });
  // So that npm does not take a folder above for the project.
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const args = ['install', wanted, '--prefix', folder, '--no-save', '--ignore-scripts', '--no-package-lock'];
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error', `--fetch-retries=${FETCH_RETRIES}`];
  const { status, error, stderr } = spawnSync('npm', [...args, ...quiet], {
    cwd: folder,
    encoding: 'utf8',
    timeout: INSTALL_MAX_MS,
  });
  if (status === 0) return;
  fs.rmSync(folder, { recursive: true, force: true });
  const why = error?.message ?? stderr.trim();
  throw new Error(`cannot install ${wanted} from the npm registry; is it reachable?\n${why}`);
}

/**
 * Asks the binary and the headers what they are.
 *
 * @param {number} major
 * @param {string} prefix
 * @returns {NodeVersion}
 */
function verified(major, prefix) {
  const execPath = path.join(prefix, 'bin/node');
  const options = /** @type {const} */ ({ encoding: 'utf8', timeout: ASK_MAX_MS });
  const version = execFileSync(execPath, ['--print', 'process.version'], options).trim();
  if (majorOf(version) !== major) throw new Error(`${execPath} is ${version}, not Node.js ${major}`);
  const headers = path.join(prefix, 'include/node/node_version.h');
  const header = fs.readFileSync(headers, 'utf8');
  const numbers = ['MAJOR', 'MINOR', 'PATCH'].map(
    (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(header)?.[1],
  );
  if (`v${numbers.join('.')}` !== version) {
    throw new Error(`${headers} is of v${numbers.join('.')}, but the binary beside it is ${version}`);
  }
  return { version, prefix, execPath };
}

/** @param {string} version */
function majorOf(version) {
  return Number.parseInt(version.slice(1), 10);
}
