// The addons that the benchmarks load.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { nodeDirArgs, nodeHeaders } from './node.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const cache = path.join(root, 'node_modules/.cache/napi-reload-bench');

/** Of a build, also the slowest on a busy machine. */
const BUILD_MS = 300_000;

/** @param {string} command @param {readonly string[]} args */
function run(command, args) {
  const options = { encoding: /** @type {const} */ ('utf8'), cwd: root, timeout: BUILD_MS };
  const { status, signal, error, stderr } = spawnSync(command, args, options);
  if (status === 0) return;
  const isLate = error !== undefined && 'code' in error && error.code === 'ETIMEDOUT';
  const why = isLate
    ? `it did not end within ${BUILD_MS} ms`
    : (error?.message ?? `it ended with ${signal ?? status}`);
  throw new Error(`cannot build: ${[command, ...args].join(' ')}: ${why}\n${stderr ?? ''}`.trimEnd());
}

/**
 * The example kernel as node-gyp builds it, in a copy: whoever works on the example has its folder.
 *
 * @param {number} [version] what `summary()` of the copy tells as `build`; without one its source is that of the example
 */
export function buildExample(version) {
  const folder = path.join(cache, version === undefined ? 'stream-stats' : `stream-stats-${version}`);
  const example = path.join(root, 'examples/stream-stats');
  for (const name of [
    'binding.gyp',
    ...readdirSync(path.join(example, 'src')).map((file) => `src/${file}`),
  ]) {
    const text = readFileSync(path.join(example, name), 'utf8');
    const own = name === 'src/addon.cc' && version !== undefined ? withBuild(text, version) : text;
    writeIfOther(path.join(folder, name), own);
  }
  const file = path.join(folder, 'build/Release/stream_stats.node');
  const gyp = path.join(root, 'node_modules/node-gyp/bin/node-gyp.js');
  // Always configured, as what is there may be of another Node.js.
  run(process.execPath, [gyp, 'configure', 'build', '--release', '-C', folder, ...nodeDirArgs]);
  return file;
}

/** Two versions of it. */
export const buildExampleVersions = () => [1, 2].map((version) => buildExample(version));

/** @param {string} text of the example's addon.cc @param {number} version */
function withBuild(text, version) {
  const before = 'Napi::Object result = Napi::Object::New(env);';
  if (!text.includes(before)) throw new Error('the example describes its state in another way');
  return text.replace(before, `${before}\n  result["build"] = ${version};`);
}

/** Make builds anew whatever was written to. @param {string} file @param {string} text */
function writeIfOther(file, text) {
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** Two versions of an addon with `version` and `runScript`, which is all that it has. */
export const buildMinimal = () => buildVersions('gcc', 'minimal.c', []);

/** Two versions of an addon with a class whose instances move. */
export const buildInstances = () =>
  buildVersions('g++', 'instances.cc', [
    '-std=c++17',
    `-I${path.dirname(createRequire(import.meta.url).resolve('node-addon-api'))}`,
    `-I${path.join(root, 'native/include')}`,
    '-DNAPI_DISABLE_CPP_EXCEPTIONS',
    '-DNAPI_VERSION=8',
  ]);

/**
 * Two versions of an addon with so many bytes of state.
 *
 * @param {'memory' | 'saved'} kind memory that stays, or what a version saves and the next one takes
 * @param {number} bytes
 */
export const buildState = (kind, bytes) =>
  buildVersions(
    'gcc',
    'state.c',
    [`-DBYTES=${bytes}`, ...(kind === 'saved' ? ['-DSAVED'] : []), `-I${path.join(root, 'native/include')}`],
    `${kind}-${bytes}`,
  );

/** Two versions of an addon with a call that looks at a large array. */
export const buildHosts = () => buildVersions('gcc', 'hosts.c', ['-lm']);

/** Two versions of an addon with each kind of call. */
export const buildCalls = () => buildVersions('gcc', 'calls.c', []);

/** One that has so many functions more. @param {number} functions */
export const buildFilling = (functions) =>
  compile('gcc', 'calls.c', 'filling.node', ['-DVERSION=1', `-DFILLING=${functions}`]);

/**
 * Two versions of an addon with so many functions, and so many bytes in its image. One that can pin has a function more.
 *
 * @param {{ functions?: number, bytes?: number, pins?: boolean }} size
 */
export const buildGrown = ({ functions = 1, bytes = 1024, pins = false }) =>
  [1, 2].map((version) =>
    compile('gcc', 'growth.c', `growth-${functions}-${bytes}-${pins ? 'pins' : 'plain'}-${version}.node`, [
      `-DVERSION=${version}`,
      `-DFUNCTIONS=${functions}`,
      `-DBYTES=${bytes}`,
      ...(pins ? ['-DPINS'] : []),
    ]),
  );

/**
 * @param {string} compiler @param {string} source in this folder @param {readonly string[]} flags
 * @param {string} [name] of the files, where others are made of the same source
 */
function buildVersions(compiler, source, flags, name = path.parse(source).name) {
  return [1, 2].map((version) =>
    compile(compiler, source, `${name}-${version}.node`, [`-DVERSION=${version}`, ...flags]),
  );
}

/** @param {string} compiler @param {string} source @param {string} name @param {readonly string[]} flags */
function compile(compiler, source, name, flags) {
  mkdirSync(cache, { recursive: true });
  const output = path.join(cache, name);
  const common = ['-O2', '-fPIC', '-shared', `-I${nodeHeaders}`];
  run(compiler, [...common, ...flags, path.join(root, 'bench/addons', source), '-o', output]);
  return output;
}
