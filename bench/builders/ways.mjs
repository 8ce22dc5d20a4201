// From an edit to its end: each builder that napi-reload knows, with it and alone.
import { versionOf } from '../measure/machine.mjs';
import { hasHeaders } from '../measure/node.mjs';
import { compilerCall, packageVersion } from './tools.mjs';

/** @typedef {ReturnType<typeof import('./tools.mjs').stepsIn>} Steps */
/**
 * @typedef {{
 *   description: import('./projects.mjs').Description,
 *   needs: readonly string[],
 *   first?: keyof Steps,
 *   beside?: string,
 *   isShort?: boolean,
 * } & ({ build: import('../../dist/index.js').OpenOptions['build'] } | { alone: keyof Steps, restarts?: boolean })} Way
 *   `first` configures the project where the way does not; `beside` is the same work by the builder alone
 */

const GYP = /** @type {const} */ ({
  description: 'binding.gyp',
  needs: ['python3', 'make', 'g++'],
  first: 'gypFirst',
});
const CMAKE_JS = /** @type {const} */ ({
  description: 'CMakeLists.txt',
  needs: ['cmake', 'g++'],
  first: 'cmakeJs',
});
const NINJA = /** @type {const} */ ({ ...CMAKE_JS, needs: [...CMAKE_JS.needs, 'ninja'] });
const COMMAND = /** @type {const} */ ({ description: 'nothing', needs: ['g++'], first: 'compiler' });

/** @type {Readonly<Record<string, Way>>} */
export const WAYS = {
  'npx node-gyp build + restart': {
    ...GYP,
    needs: [...GYP.needs, 'npx'],
    alone: 'npxGyp',
    restarts: true,
    beside: 'node-gyp build',
  },
  'node-gyp build': { ...GYP, alone: 'gyp', isShort: true },
  'napi-reload, node-gyp': { ...GYP, build: 'node-gyp', beside: 'node-gyp build' },
  'napi-reload, node-gyp, fast': {
    ...GYP,
    build: { tool: 'node-gyp', fast: true },
    beside: 'node-gyp build',
    isShort: true,
  },
  make: { ...GYP, alone: 'make' },
  'napi-reload, make': { ...GYP, build: 'make', beside: 'make' },
  'napi-reload, make, fast': { ...GYP, build: { tool: 'make', fast: true }, beside: 'make' },
  'cmake-js build': { ...CMAKE_JS, alone: 'cmakeJs' },
  'napi-reload, cmake-js': { ...CMAKE_JS, build: 'cmake-js', beside: 'cmake-js build' },
  'napi-reload, cmake-js, fast': {
    ...CMAKE_JS,
    build: { tool: 'cmake-js', fast: true },
    beside: 'cmake-js build',
  },
  ninja: { ...NINJA, alone: 'ninja' },
  'napi-reload, ninja': { ...NINJA, build: 'ninja', beside: 'ninja' },
  'napi-reload, ninja, fast': { ...NINJA, build: { tool: 'ninja', fast: true }, beside: 'ninja' },
  'g++': { ...COMMAND, alone: 'compiler' },
  'napi-reload, { command } of g++': { ...COMMAND, build: compilerCall, beside: 'g++' },
};

/** @returns {Record<string, string>} versions of the programs that are here */
export function programVersions() {
  const names = ['python3', 'make', 'cmake', 'ninja', 'npx', 'g++', 'ccache', 'mold', 'ld.lld'];
  const found = names.map((name) => [name, versionOf(name)]).filter(([, version]) => version !== null);
  return {
    'node-gyp': packageVersion('node-gyp'),
    'cmake-js': packageVersion('cmake-js'),
    ...Object.fromEntries(found),
  };
}

/**
 * @param {Way} way @param {Readonly<Record<string, string>>} programs @param {boolean} short
 * @returns {string | null} why it cannot be measured
 */
export function absenceOf({ needs, isShort = false }, programs, short) {
  if (short && !isShort) return 'left out of a short run';
  if (!hasHeaders) return 'this Node.js came without its headers';
  const missing = needs.filter((name) => programs[name] === undefined);
  return missing.length > 0 ? `${missing.join(', ')} not installed` : null;
}
