// The ways in which a build comes to life in what runs: ours, those by hand, and those of other systems. The kernel is that of
// minimal.c. measure/turns.mjs says how they are asked.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildGrown, buildMinimal } from '../measure/fixtures.mjs';

const HERE = import.meta.dirname;
const TOOL_MS = 60_000;
const EXPOSE_GC = '--expose-gc';

/** @typedef {import('./kernels.mjs').KernelName} KernelName */
/** @typedef {import('../measure/turns.mjs').Way} Way */
/** @typedef {{ ways: Record<string, Way>, absent: Record<string, string>, versions: Record<string, string> }} Ways */
/** @typedef {{ way: Way, version: string } | { absent: string }} Rival */

/** @param {string} script in this folder @param {readonly string[]} builds @param {readonly string[]} more @returns {Way} */
const nodeWay = (script, builds, ...more) => ({
  command: process.execPath,
  args: [fileURLToPath(new URL(script, import.meta.url))],
  builds,
  more,
});

/**
 * @param {KernelName} kernel @param {readonly string[]} builds @param {object} [options] of open()
 */
export const oursOf = (kernel, builds, options = {}) =>
  nodeWay('./ours.mjs', builds, kernel, JSON.stringify(options));

/** @param {KernelName} kernel @param {readonly string[]} builds */
export const plainOf = (kernel, builds) => nodeWay('./plain.mjs', builds, kernel);

export const OURS = 'napi-reload';
export const PINNED = 'napi-reload, each version pinned';
export const PLAIN = 'copy and process.dlopen';

/** Ways in which a reload starts a Node.js, or a host of one, so that it takes many times longer. */
export const HOSTED = {
  worker: 'napi-reload, Worker, host started ahead',
  workerLate: 'napi-reload, Worker, no host ahead',
  process: 'napi-reload, process, host started ahead',
  processLate: 'napi-reload, process, no host ahead',
  reused: 'napi-reload, process used again',
  workerAgain: 'Worker started again',
  processAgain: 'process started again',
};

/**
 * Those of tools that are not on this machine are `absent`.
 *
 * @param {string} scratch for what is compiled
 * @param {{ collects: boolean, pins: boolean }} options whether each Node.js can collect garbage when asked to, which makes it start
 *   more slowly; whether one way is to keep each version in memory
 * @returns {Ways}
 */
export function listWays(scratch, { collects, pins }) {
  const builds = buildMinimal();
  const execArgv = collects ? [EXPOSE_GC] : [];
  const worker = (/** @type {object} */ host) => oursOf('minimal', builds, { isolation: 'worker', host });
  const process = (/** @type {object} */ host) =>
    oursOf('minimal', builds, { isolation: 'process', host: { execArgv, ...host } });
  /** @type {Record<string, Way>} */
  const inNode = {
    [OURS]: oursOf('minimal', builds),
    ...(pins && { [PINNED]: oursOf('pinned', buildGrown({ pins })) }),
    [HOSTED.worker]: worker({}),
    [HOSTED.workerLate]: worker({ spare: false }),
    [HOSTED.process]: process({}),
    [HOSTED.processLate]: process({ spare: false }),
    [HOSTED.reused]: process({ reuse: true }),
    [PLAIN]: plainOf('minimal', builds),
    [HOSTED.workerAgain]: nodeWay('./again.mjs', builds, 'worker'),
    [HOSTED.processAgain]: nodeWay('./again.mjs', builds, 'process'),
  };
  // Workers and processes that it starts by itself inherit it.
  for (const way of Object.values(inNode)) way.args = [...execArgv, ...way.args];
  /** @type {Ways} */
  const found = { ways: inNode, absent: {}, versions: {} };
  addRival(found, 'CPython, copy and import', 'CPython', findPython(scratch));
  addRival(found, 'Erlang, copy and upgrade of a NIF', 'Erlang/OTP', findErlang(scratch));
  return found;
}

/** @param {Ways} to @param {string} name @param {string} system @param {Rival} rival */
function addRival(to, name, system, rival) {
  if ('absent' in rival) to.absent[name] = rival.absent;
  else {
    to.ways[name] = rival.way;
    to.versions[system] = rival.version;
  }
}

/** @typedef {{ said: string } | { absent: string }} Answer of a tool */

/** @param {string} command @param {readonly string[]} args @returns {Answer} */
function ask(command, args) {
  const { status, stdout, error, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: TOOL_MS });
  if (status === 0) return { said: stdout.trim() };
  if (error !== undefined && 'code' in error && error.code === 'ENOENT')
    return { absent: `${command} was not found` };
  return { absent: `${command} failed: ${error?.message ?? `${stderr}${stdout}`.trim()}` };
}

/** @param {string} source @param {string} output without its ending @param {string} include @returns two versions */
function compileRival(source, output, include) {
  return [1, 2].map((version) => {
    const built = `${output}-${version}.so`;
    const flags = ['-O2', '-fPIC', '-shared', `-DVERSION=${version}`, `-I${include}`];
    const answer = ask('gcc', [...flags, path.join(HERE, source), '-o', built]);
    // All that is measured here is compiled by it.
    if ('absent' in answer) throw new Error(answer.absent);
    return built;
  });
}

/** @param {string} scratch @returns {Rival} */
function findPython(scratch) {
  const look =
    "import sysconfig, sys; print(sys.executable, sysconfig.get_paths()['include'], sys.version.split()[0], sep='\\n')";
  const answer = ask('python3', ['-c', look]);
  if ('absent' in answer) return answer;
  // What is first on the path may be a script that looks for the real one each time.
  const [command = '', include = '', version = ''] = answer.said.split('\n');
  if (!existsSync(path.join(include, 'Python.h'))) return { absent: 'Python.h was not found' };
  const builds = compileRival('kernel_python.c', path.join(scratch, 'python'), include);
  return { way: { command, args: [path.join(HERE, 'reimport.py')], builds }, version };
}

/** @param {string} scratch @returns {Rival} */
function findErlang(scratch) {
  const look = 'io:format("~s~n~s", [code:root_dir(), erlang:system_info(otp_release)]), halt().';
  const answer = ask('erl', ['-noshell', '-eval', look]);
  if ('absent' in answer) return answer;
  const [root = '', version = ''] = answer.said.split('\n');
  const include = path.join(root, 'usr/include');
  if (!existsSync(path.join(include, 'erl_nif.h'))) return { absent: 'erl_nif.h was not found' };
  const sources = ['native.erl', 'upgrade.erl'].map((name) => path.join(HERE, name));
  const compiled = ask('erlc', ['-o', scratch, ...sources]);
  if ('absent' in compiled) return compiled;
  const builds = compileRival('kernel_nif.c', path.join(scratch, 'erlang'), include);
  // What follows -extra is the program's.
  const main = 'upgrade:main(init:get_plain_arguments()).';
  const args = ['-noshell', '-pa', scratch, '-eval', main, '-extra'];
  return { way: { command: 'erl', args, builds, more: [path.join(scratch, 'native.beam')] }, version };
}
