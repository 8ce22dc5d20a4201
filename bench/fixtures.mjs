// The addons that the benchmarks load.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const cache = path.join(root, 'node_modules/.cache/napi-reload-bench');
const prefix = path.resolve(path.dirname(realpathSync(process.execPath)), '..');

/** @param {string} command @param {readonly string[]} args */
function run(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8', cwd: root });
  if (result.status !== 0) throw new Error(`${command} failed: ${result.error?.message ?? result.stderr}`);
}

/** The example kernel as node-gyp builds it. */
export function buildExample() {
  const folder = path.join(root, 'examples/stream-stats');
  const file = path.join(folder, 'build/Release/stream_stats.node');
  const nodedir = existsSync(path.join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : [];
  const gyp = path.join(root, 'node_modules/node-gyp/bin/node-gyp.js');
  // Always configured, as what is there may be of another Node.js.
  run(process.execPath, [gyp, 'configure', 'build', '--release', '-C', folder, ...nodedir]);
  return { file, bytes: statSync(file).size };
}

/** Two versions of an addon with `add` and `noop`. */
export function buildMinimal() {
  mkdirSync(cache, { recursive: true });
  return [1, 2].map((version) => {
    const output = path.join(cache, `minimal-${version}.node`);
    const include = path.join(prefix, 'include/node');
    run('gcc', [
      `-DVERSION=${version}`,
      '-O2',
      '-fPIC',
      '-shared',
      `-I${include}`,
      path.join(root, 'bench/minimal.c'),
      '-o',
      output,
    ]);
    return output;
  });
}
