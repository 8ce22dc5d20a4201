// The builders alone, as people start them.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { nodeDir, nodeDirArgs, nodeHeaders } from '../measure/node.mjs';
import { ADDON, SOURCE } from './projects.mjs';

const RUN_MS = 180_000;
const require = createRequire(import.meta.url);
const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js');
const cmakeJs = require.resolve('cmake-js/bin/cmake-js');

/** Runs in the folder of a project, and returns what was printed. @typedef {(folder: string) => string} Step */

/** @param {string} command @param {readonly string[]} args @param {NodeJS.ProcessEnv} env @returns {Step} */
function step(command, args, env) {
  const all = nodeDir === null ? env : { ...env, npm_config_nodedir: nodeDir };
  return (folder) => {
    const { status, signal, error, stderr, stdout } = spawnSync(command, args, {
      cwd: folder,
      env: all,
      encoding: 'utf8',
      timeout: RUN_MS,
    });
    if (status === 0) return stdout;
    const why = error?.message ?? `it ended with ${signal ?? status}`;
    throw new Error(`${command} ${args.join(' ')}: ${why}\n${stderr}${stdout}`);
  };
}

/** What one calls without a builder. */
export const compilerCall = {
  command: 'g++',
  args: [
    ...['-std=gnu++17', '-O3', '-fPIC', '-shared', '-MMD'],
    ...['-DNAPI_VERSION=8', '-DNAPI_DISABLE_CPP_EXCEPTIONS', '-DNODE_GYP_MODULE_NAME=kernel'],
    `-I${nodeHeaders}`,
    `-I${path.dirname(require.resolve('node-addon-api'))}`,
    ...[SOURCE, '-o', ADDON],
  ],
};

/** @param {NodeJS.ProcessEnv} env */
export function stepsIn(env) {
  const node = (/** @type {readonly string[]} */ ...args) => step(process.execPath, args, env);
  return {
    gypFirst: node(nodeGyp, 'configure', 'build', '--loglevel=warn', ...nodeDirArgs),
    gyp: node(nodeGyp, 'build', '--loglevel=warn', ...nodeDirArgs),
    npxGyp: step('npx', ['node-gyp', 'build', '--loglevel=warn', ...nodeDirArgs], env),
    make: step('make', ['-C', 'build', 'BUILDTYPE=Release'], env),
    cmakeJs: node(cmakeJs, 'build', '--log-level=warn'),
    ninja: step('ninja', ['-C', 'build'], env),
    compiler: step(compilerCall.command, compilerCall.args, env),
    /** What the addon says in a process that is started for it. */
    restart: node('-e', `process.stdout.write(String(require('./${ADDON}').value()))`),
  };
}

/** @param {'node-gyp' | 'cmake-js'} name @returns {string} */
export const packageVersion = (name) => require(`${name}/package.json`).version;
