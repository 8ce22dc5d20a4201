// The addons that the benchmarks load.
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  realpathSync,
  renameSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
const cache = path.join(root, 'node_modules/.cache/napi-reload-bench');
const prefix = path.resolve(path.dirname(realpathSync(process.execPath)), '..');

/** @param {string} command @param {readonly string[]} args */
function run(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8', cwd: root });
  if (result.status !== 0) throw new Error(`${command} failed: ${result.error?.message ?? result.stderr}`);
}

/** The example kernel as node-gyp builds it, in a copy: whoever works on the example has its folder. */
export function buildExample() {
  const folder = path.join(cache, 'stream-stats');
  for (const name of ['binding.gyp', 'src'])
    cpSync(path.join(root, 'examples/stream-stats', name), path.join(folder, name), { recursive: true });
  const file = path.join(folder, 'build/Release/stream_stats.node');
  const nodedir = existsSync(path.join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : [];
  const gyp = path.join(root, 'node_modules/node-gyp/bin/node-gyp.js');
  // Always configured, as what is there may be of another Node.js.
  run(process.execPath, [gyp, 'configure', 'build', '--release', '-C', folder, ...nodedir]);
  return file;
}

/** Two versions of an addon with `add` and `noop`. */
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

/** An addon with so many bytes of memory that stays. @param {number} bytes */
export const buildMemory = (bytes) =>
  compile('gcc', 'state.c', `state-${bytes}.node`, [
    `-DBYTES=${bytes}`,
    `-I${path.join(root, 'native/include')}`,
  ]);

/** An addon with a small call and a large one. */
export const buildHosts = () => compile('gcc', 'hosts.c', 'hosts.node', ['-lm']);

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

/** @param {string} compiler @param {string} source in this folder @param {readonly string[]} flags */
function buildVersions(compiler, source, flags) {
  const { name } = path.parse(source);
  return [1, 2].map((version) =>
    compile(compiler, source, `${name}-${version}.node`, [`-DVERSION=${version}`, ...flags]),
  );
}

/** @param {string} compiler @param {string} source @param {string} name @param {readonly string[]} flags */
function compile(compiler, source, name, flags) {
  mkdirSync(cache, { recursive: true });
  const output = path.join(cache, name);
  const common = ['-O2', '-fPIC', '-shared', `-I${path.join(prefix, 'include/node')}`];
  run(compiler, [...common, ...flags, path.join(root, 'bench/addons', source), '-o', output]);
  return output;
}

/**
 * Puts an addon in place as a linker does, each time with other bytes, as after an edit.
 * @param {string} built @param {string} file
 */
export function installer(built, file) {
  let builds = 0;
  return () => {
    copyFileSync(built, `${file}.new`);
    appendFileSync(`${file}.new`, String(builds++).padStart(8, '0'));
    renameSync(`${file}.new`, file);
  };
}
