// What others do: CPython's copy and import of an extension, Erlang's upgrade of a NIF. The kernel is that of minimal.c.
// Whoever is not on this machine is left out.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('./rivals/', import.meta.url));

/** @typedef {{ ms: readonly number[], mappings: number, bytes: number }} Rounds of each: what it took; what a round left */
/** @typedef {{ name: string, version: string, rounds: Rounds }} Rival */

/** @param {string} command @param {readonly string[]} args @returns {string | null} null where it is not there */
function ask(command, args) {
  const { status, stdout, error, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined) return null;
  if (status !== 0) throw new Error(`${command} failed: ${stderr}${stdout}`);
  return stdout.trim();
}

/** @param {number} rounds @returns {Rival[]} */
export function measureRivals(rounds) {
  const scratch = mkdtempSync(path.join(tmpdir(), 'napi-reload-bench-'));
  try {
    return [measurePython(scratch, rounds), measureErlang(scratch, rounds)].filter((rival) => rival !== null);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** @param {string} source @param {string} output @param {string} include */
function compile(source, output, include) {
  const flags = ['-O2', '-fPIC', '-shared', `-I${include}`, path.join(FOLDER, source), '-o', output];
  if (ask('gcc', flags) === null) throw new Error('gcc is not there');
}

/** @param {string} scratch @param {number} rounds @returns {Rival | null} */
function measurePython(scratch, rounds) {
  const paths = "import sysconfig, sys; print(sysconfig.get_paths()['include'], sys.version.split()[0])";
  const [include = '', version = ''] = (ask('python3', ['-c', paths]) ?? '').split(' ');
  if (!existsSync(path.join(include, 'Python.h'))) return null;
  const built = path.join(scratch, 'kernel.so');
  compile('kernel_python.c', built, include);
  const script = path.join(FOLDER, 'reimport.py');
  const said = ask('python3', [script, built, scratch, String(rounds)]);
  return { name: 'CPython, copy and import', version, rounds: JSON.parse(said ?? '') };
}

/** @param {string} scratch @param {number} rounds @returns {Rival | null} */
function measureErlang(scratch, rounds) {
  const look = 'io:format("~s ~s", [code:root_dir(), erlang:system_info(otp_release)]), halt().';
  const [root = '', version = ''] = (ask('erl', ['-noshell', '-eval', look]) ?? '').split(' ');
  const include = path.join(root, 'usr/include');
  if (!existsSync(path.join(include, 'erl_nif.h'))) return null;
  const built = path.join(scratch, 'native.so');
  compile('kernel_nif.c', built, include);
  const sources = ['native.erl', 'upgrade.erl'].map((name) => path.join(FOLDER, name));
  if (ask('erlc', ['-o', scratch, ...sources]) === null) return null;
  const args = [built, path.join(scratch, 'native.beam'), scratch, String(rounds)];
  const main = `upgrade:main(${JSON.stringify(args)}).`;
  const said = ask('erl', ['-noshell', '-pa', scratch, '-eval', main]);
  return { name: 'Erlang, copy and upgrade of a NIF', version, rounds: JSON.parse(said ?? '') };
}
