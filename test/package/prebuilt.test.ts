/** The shim in the package: it loads on old systems, and shows nobody more than it has to. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createScratch, FIXTURES, type Scratch } from '../support/addons.ts';

const root = path.resolve(import.meta.dirname, '../..');
const script = path.join(root, '.ci/prebuild.mjs');
const isX64 = process.arch === 'x64';

let scratch: Scratch;
beforeAll(() => {
  scratch = createScratch();
});
afterAll(() => scratch[Symbol.dispose]());

function prebuild(...args: string[]) {
  const { status, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  return { status, stderr };
}

function compile(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { cwd: scratch.path, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
}

/** Libraries that ask for `answer` of a library with that version, as one of glibc. */
function asksFor(version: string): string {
  const folder = version.replace('.', '-');
  scratch.write(`${folder}/names.map`, `${version} { global: answer; };`);
  scratch.write(`${folder}/libc-like.c`, 'int answer(void) { return 42; }');
  scratch.write(`${folder}/user.c`, 'int answer(void);\nint ask(void) { return answer(); }');
  const inFolder = (name: string): string => path.join(folder, name);
  const map = `-Wl,--version-script=${inFolder('names.map')}`;
  compile('gcc', '-shared', '-fPIC', inFolder('libc-like.c'), map, '-o', inFolder('liblike.so'));
  compile('gcc', '-shared', '-fPIC', inFolder('user.c'), `-L${folder}`, '-llike', '-o', inFolder('user.so'));
  return scratch.file(inFolder('user.so'));
}

describe.runIf(isX64)('the shim of the package', () => {
  let file: string;
  let made: ReturnType<typeof prebuild>;
  beforeAll(() => {
    file = scratch.file('napi_reload.node');
    made = prebuild(path.join(root, 'build/Release/napi_reload.node'), file);
  });

  test('asks for nothing that old systems lack, and loads', () => {
    expect(made).toEqual({ status: 0, stderr: '' });
    const load = `console.log(typeof require(${JSON.stringify(file)}).stageOpen)`;
    expect(execFileSync(process.execPath, ['-e', load], { encoding: 'utf8' })).toBe('function\n');
  });

  test('shows the two names that Node.js looks for, and no other', () => {
    const said = execFileSync('nm', ['-D', '--defined-only', file], {
      encoding: 'utf8',
    });
    const names = said
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ').at(-1));
    expect(names).toEqual(['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
  });
});

describe('prebuild.mjs', () => {
  test('takes a file that asks for the oldest glibc that is promised', () => {
    const { status, stderr } = prebuild(asksFor('GLIBC_2.28'), scratch.file('old.node'));
    expect([status, stderr]).toEqual([0, '']);
    expect(fs.existsSync(scratch.file('old.node'))).toBe(true);
  });

  test.each(['GLIBC_2.29', 'GLIBC_3.1', 'GLIBCXX_3.4.26', 'UNKNOWN_1.0'])('refuses one for %s', (version) => {
    const { status, stderr } = prebuild(asksFor(version), scratch.file('new.node'));
    expect(status).toBe(1);
    expect(stderr).toContain(`answer (${version})`);
    expect(fs.existsSync(scratch.file('new.node'))).toBe(false);
  });
});

test.runIf(isX64)('what old systems lack does the same where the shim has it', () => {
  const native = path.join(root, 'native');
  compile(
    'g++',
    '-std=c++17',
    '-D_FILE_OFFSET_BITS=64',
    '-Wall',
    '-Werror',
    '-pthread',
    `-I${native}`,
    path.join(FIXTURES, 'old-systems.cc'),
    '-o',
    'old-systems',
  );
  scratch.write('file', 'some bytes');
  fs.symlinkSync('file', scratch.file('link'));
  const said = execFileSync(scratch.file('old-systems'), [scratch.file('link')], { encoding: 'utf8' });
  expect(said.trimEnd().split('\n')).toEqual([
    'wait: timeout after the bound',
    'wait: event',
    'stat: 1',
    'lstat: 1',
    'fstat: 1',
    'missing: 1',
    'length: refused',
  ]);
});
