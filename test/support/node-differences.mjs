// What differs between the versions of Node.js, as far as the library or a test minds: all of it is here, with its source
// upstream. docs/platforms.md shows it, and a test compares it with the version that runs.
import { execFileSync } from 'node:child_process';

/** The newest of each line that was run. */
export const LINES = /** @type {const} */ (['20.20', '22.23', '24.21', '26.12']);

const hasFlag = (/** @type {string} */ name) => process.allowedNodeEnvironmentFlags.has(name);

/** @type {Set<string> | null} */
let symbols = null;
/** Whether an addon finds this function of Node-API. @param {string} name */
function hasFunction(name) {
  symbols ??= new Set(
    execFileSync('nm', ['-D', '--defined-only', process.execPath], { encoding: 'utf8', maxBuffer: 2 ** 28 })
      .split('\n')
      .map((line) => line.split(' ').at(-1) ?? ''),
  );
  return symbols.has(name);
}

/**
 * @typedef {{
 *   what: string,
 *   on: readonly [boolean, boolean, boolean, boolean],
 *   upstream: string,
 *   minds: string,
 *   isHere(): boolean,
 * }} Difference `on`: of each of LINES; `minds`: where the library or its tests look at it
 */

/** @satisfies {Record<string, Difference>} */
export const DIFFERENCES = {
  importOfAddons: {
    what: '`import` of a `.node` file by `--experimental-addon-modules`',
    on: [false, true, true, true],
    upstream: 'https://github.com/nodejs/node/pull/55844',
    minds: 'napi-reload/register',
    isHere: () => hasFlag('--experimental-addon-modules'),
  },
  permission: {
    what: '`--permission`, the permission model without "experimental" in its name',
    on: [false, true, true, true],
    upstream: 'https://github.com/nodejs/node/pull/56201',
    minds: 'SECURITY.md',
    isHere: () => hasFlag('--permission'),
  },
  float16Array: {
    what: '`Float16Array`',
    on: [false, false, true, true],
    upstream: 'https://github.com/nodejs/node/releases/tag/v24.0.0',
    minds: 'arrays that go to another process',
    isHere: () => 'Float16Array' in globalThis,
  },
  setPrototype: {
    what: '`node_api_set_prototype`',
    on: [false, false, true, true],
    upstream: 'https://nodejs.org/api/n-api.html',
    minds: 'the ledger follows it where it is there',
    isHere: () => hasFunction('node_api_set_prototype'),
  },
  objectWithProperties: {
    what: '`node_api_create_object_with_properties`',
    on: [false, false, true, true],
    upstream: 'https://nodejs.org/api/n-api.html',
    minds: 'the ledger follows it where it is there',
    isHere: () => hasFunction('node_api_create_object_with_properties'),
  },
  externalSharedArrayBuffer: {
    what: '`node_api_create_external_sharedarraybuffer`',
    on: [false, true, true, true],
    upstream: 'https://github.com/nodejs/node/pull/62623',
    minds: 'the ledger follows it where it is there',
    isHere: () => hasFunction('node_api_create_external_sharedarraybuffer'),
  },
};
