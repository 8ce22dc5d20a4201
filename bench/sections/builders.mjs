// `npm run bench:builders`: from a save to live code, for one edit of a file that includes napi.h, beside the builders alone.
// `--json` prints one JSON line last; `--quick` takes one round, to show that it runs.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { open } from '../../dist/index.js';
import { collect, quantile, round } from '../measure/statistics.mjs';

const rounds = process.argv.includes('--quick') ? 1 : 9;
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const prefix = path.resolve(path.dirname(realpathSync(process.execPath)), '..');
const nodeDir = existsSync(path.join(prefix, 'include/node/node_api.h')) ? prefix : null;
const scratch = mkdtempSync(path.join(tmpdir(), 'napi-reload-builders-'));
// Neither the precompiled headers nor the objects of ccache that other runs have left.
process.env['XDG_CACHE_HOME'] = path.join(scratch, 'cache');

/** @param {number} number what `value()` returns */
const source = (number) => `#include <napi.h>
static Napi::Value Value(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), ${number}); }
static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("value", Napi::Function::New(env, Value));
  return exports;
}
NODE_API_MODULE(kernel, Init)
`;
const gyp = `{ 'targets': [ { 'target_name': 'kernel', 'sources': ['kernel.cc'],
  'include_dirs': ["<!(node -p \\"require('node-addon-api').include_dir\\")"],
  'defines': ['NAPI_VERSION=8', 'NAPI_DISABLE_CPP_EXCEPTIONS'] } ] }`;
const cmake = `cmake_minimum_required(VERSION 3.15)
project(kernel CXX)
set(CMAKE_CXX_STANDARD 17)
add_library(kernel MODULE kernel.cc)
set_target_properties(kernel PROPERTIES PREFIX "" SUFFIX ".node")
target_include_directories(kernel PRIVATE \${CMAKE_JS_INC})
target_compile_definitions(kernel PRIVATE NAPI_VERSION=8 NAPI_DISABLE_CPP_EXCEPTIONS)
`;

let edits = 0;

/** @param {string} name @param {'binding.gyp' | 'CMakeLists.txt'} description */
function makeProject(name, description) {
  const folder = path.join(scratch, name.replaceAll(/\W+/g, '-'));
  mkdirSync(folder);
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  writeFileSync(path.join(folder, 'package.json'), '{ "binary": { "napi_versions": [8] } }');
  writeFileSync(path.join(folder, description), description === 'binding.gyp' ? gyp : cmake);
  writeFileSync(path.join(folder, 'kernel.cc'), source(0));
  return { folder, addon: path.join(folder, 'build/Release/kernel.node') };
}

/** As editors save. @param {string} folder @param {number} number */
function save(folder, number) {
  writeFileSync(path.join(folder, 'kernel.cc~'), source(number));
  renameSync(path.join(folder, 'kernel.cc~'), path.join(folder, 'kernel.cc'));
}

/** @param {string} command @param {readonly string[]} args @param {string} cwd */
function run(command, args, cwd) {
  const env = nodeDir === null ? process.env : { ...process.env, npm_config_nodedir: nodeDir };
  const { status, error, stderr, stdout } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr + stdout}`);
  return stdout;
}

/** @type {Record<string, (number: number) => Promise<void> | void>} one edit of each way, from its save to its end */
const ways = {};
/** @type {(() => Promise<void>)[]} */
const ends = [];
/** @type {Record<string, (number: number) => Promise<void>>} */
const sameBytes = {};

/** @param {string} name @param {'binding.gyp' | 'CMakeLists.txt'} description @param {import('../../dist/index.js').OpenOptions['build']} build */
async function addOurs(name, description, build) {
  const { folder, addon } = makeProject(name, description);
  const kernel = await open(addon, { build, watch: true, stageDir: path.join(scratch, 'stage') });
  const { value } = kernel.exports;
  ends.push(() => kernel.close());
  ways[name] = (number) =>
    new Promise((resolve, reject) => {
      kernel.once('failed', reject);
      kernel.once('reloaded', () => {
        kernel.off('failed', reject);
        if (value() === number) resolve();
        else reject(new Error(`${name}: the edit is not live`));
      });
      save(folder, number);
    });
  sameBytes[name] = (number) =>
    new Promise((resolve, reject) => {
      kernel.once('reloaded', reject);
      kernel.once('unchanged', () => {
        kernel.off('reloaded', reject);
        resolve();
      });
      save(folder, number);
    });
}

/** @param {string} name @param {'binding.gyp' | 'CMakeLists.txt'} description @param {(folder: string) => void} build @param {(folder: string) => void} [first] */
function addAlone(name, description, build, first = build) {
  const { folder } = makeProject(name, description);
  first(folder);
  ways[name] = (number) => {
    save(folder, number);
    build(folder);
  };
}

const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js');
const cmakeJs = require.resolve('cmake-js/bin/cmake-js');
const nodeDirArgs = nodeDir === null ? [] : [`--nodedir=${nodeDir}`];
/** @param {string} folder */
const gypBuild = (folder) =>
  run(process.execPath, [nodeGyp, 'build', '--loglevel=warn', ...nodeDirArgs], folder);
/** @param {string} folder */
const gypFirst = (folder) =>
  run(process.execPath, [nodeGyp, 'configure', 'build', '--loglevel=warn', ...nodeDirArgs], folder);
/** @param {string} folder */
const npxAndRestart = (folder) => {
  run('npx', ['node-gyp', 'build', '--loglevel=warn', ...nodeDirArgs], folder);
  run(process.execPath, ['-e', "require('./build/Release/kernel.node').value()"], folder);
};
/** @param {string} folder */
const cmakeJsBuild = (folder) => run(process.execPath, [cmakeJs, 'build', '--log-level=warn'], folder);
const hasCmake = spawnSync('cmake', ['--version']).status === 0;
const hasNinja = spawnSync('ninja', ['--version']).status === 0;

addAlone('npx node-gyp build + restart', 'binding.gyp', npxAndRestart, gypFirst);
addAlone('node-gyp build', 'binding.gyp', gypBuild, gypFirst);
addAlone(
  'make',
  'binding.gyp',
  (folder) => run('make', ['-C', 'build', 'BUILDTYPE=Release'], folder),
  gypFirst,
);
await addOurs('napi-reload, node-gyp', 'binding.gyp', 'node-gyp');
await addOurs('napi-reload, node-gyp, fast', 'binding.gyp', { tool: 'node-gyp', fast: true });
if (hasCmake) {
  addAlone('cmake-js build', 'CMakeLists.txt', cmakeJsBuild);
  if (hasNinja)
    addAlone('ninja', 'CMakeLists.txt', (folder) => run('ninja', ['-C', 'build'], folder), cmakeJsBuild);
  await addOurs('napi-reload, cmake-js', 'CMakeLists.txt', 'cmake-js');
  await addOurs('napi-reload, cmake-js, fast', 'CMakeLists.txt', { tool: 'cmake-js', fast: true });
}

/** @type {Record<string, number[]>} */
const times = {};
/** @type {Record<string, number[]>} */
const sameTimes = {};
/** @param {(number: number) => Promise<void> | void} way @param {number} number */
async function timed(way, number) {
  const startMs = performance.now();
  await way(number);
  return performance.now() - startMs;
}
// Ways take turns, so that a drift of the machine's speed falls on all of them. The first edit makes the headers.
for (let count = 0; count <= rounds; count++) {
  for (const [name, way] of Object.entries(ways)) {
    edits += 1;
    const ms = await timed(way, edits);
    const same = sameBytes[name];
    // What is saved in the last moment of a build, with the bytes it had, is taken for the work of the build.
    await setTimeout(50);
    const sameMs = same === undefined ? null : await timed(same, edits);
    if (count === 0) continue;
    collect(times, name, ms);
    if (sameMs !== null) collect(sameTimes, name, sameMs);
  }
}
for (const end of ends) await end();
rmSync(scratch, { recursive: true });

/** @param {readonly number[]} values */
const figures = (values) => ({
  median: round(quantile(values, 0.5)),
  p10: round(quantile(values, 0.1)),
  p90: round(quantile(values, 0.9)),
});
/** Medians of what one takes more than the other, and of their ratios, round by round. @param {string} of @param {string} to */
const beside = (of, to) => {
  const pairs = (times[of] ?? []).map((ms, at) => /** @type {const} */ ([ms, times[to]?.[at] ?? Number.NaN]));
  return {
    moreMs: round(
      quantile(
        pairs.map(([a, b]) => a - b),
        0.5,
      ),
    ),
    ratio: round(
      quantile(
        pairs.map(([a, b]) => a / b),
        0.5,
      ),
    ),
  };
};
const editMs = Object.fromEntries(Object.entries(times).map(([name, ms]) => [name, figures(ms)]));
const sameMs = Object.fromEntries(Object.entries(sameTimes).map(([name, ms]) => [name, figures(ms)]));
const compared = Object.fromEntries(
  [
    ['napi-reload, node-gyp', 'node-gyp build'],
    ['napi-reload, node-gyp, fast', 'node-gyp build'],
    ['napi-reload, node-gyp, fast', 'make'],
    ['napi-reload, node-gyp, fast', 'npx node-gyp build + restart'],
    ['napi-reload, cmake-js', 'cmake-js build'],
    ['napi-reload, cmake-js, fast', 'cmake-js build'],
    ['napi-reload, cmake-js, fast', 'ninja'],
  ]
    .filter(([of = '', to = '']) => times[of] !== undefined && times[to] !== undefined)
    .map(([of = '', to = '']) => [`${of} : ${to}`, beside(of, to)]),
);
console.log(`Node.js ${process.version}, ${process.platform} ${process.arch}\n`);
console.log(
  `One edit of a file that includes napi.h, ms of ${rounds} rounds, to live code with napi-reload:`,
);
console.table(editMs);
console.log('\nThe same, round by round:');
console.table(compared);
console.log('\nA save of the same bytes until it is found unchanged, ms:');
console.table(sameMs);
if (process.argv.includes('--json')) console.log(JSON.stringify({ editMs, compared, sameMs }));
