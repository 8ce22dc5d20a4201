/** Which build of the shim a package takes, and that it compiles one where none fits: `napi-reload setup` says which. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createScratch, type Scratch } from '../support/addons.ts';
import { compiledSource } from '../support/compiled.ts';

const root = path.resolve(import.meta.dirname, '../..');
const SYSTEM = `${process.platform}-${process.arch}`;
const NAME = 'napi_reload.node';
/** The whole shim takes minutes to compile: this one is compiled in the same way. */
const GYPI = `{ "targets": [{ "target_name": "napi_reload", "sources": ["small.c"],
  "cflags": ["-Wall", "<!(node -p \\"process.env.CI ? '-Werror' : '-Wno-error'\\")"],
  "include_dirs": ["<!(node -p \\"require('node-addon-api').include_dir\\")"] }] }`;
const SOURCE = '#include <node_api.h>\nstatic int unused;\nNAPI_MODULE_INIT() { return exports; }\n';

let scratch: Scratch;
let home: string;

/** A package as it is installed, but for what it is compiled from. */
beforeEach(() => {
  scratch = createScratch();
  home = scratch.file('cache');
  fs.cpSync(compiledSource(), scratch.file('a package/dist'), { recursive: true });
  fs.copyFileSync(path.join(root, 'package.json'), scratch.file('a package/package.json'));
  fs.symlinkSync(path.join(root, 'node_modules'), scratch.file('a package/node_modules'));
  scratch.write('a package/native/shim.gypi', GYPI);
  scratch.write('a package/native/small.c', SOURCE);
});
afterEach(() => scratch[Symbol.dispose]());

const inPackage = (...names: string[]): string => path.join(scratch.file('a package'), ...names);

function place(from: string, ...names: string[]): string {
  const target = inPackage(...names, NAME);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.copyFileSync(from, target);
  return target;
}

const placeGood = (...names: string[]): string => place(path.join(root, 'build/Release', NAME), ...names);
const placeBad = (...names: string[]): string => place(path.join(root, 'package.json'), ...names);

function setup(env: NodeJS.ProcessEnv = {}, ...flags: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...flags, inPackage('dist/cli/main.js'), 'setup'],
    { env: { ...process.env, XDG_CACHE_HOME: home, TMPDIR: scratch.path, ...env }, encoding: 'utf8' },
  );
  return { status, stderr, file: stdout.trimEnd() };
}

const withoutTools = (): NodeJS.ProcessEnv => ({ PATH: scratch.path });
const COMPILES = /^napi-reload: no build of its native part fits linux-\w+-\w+, so it is compiled/;

describe('the shim that is taken', () => {
  test('is the one that was built in place, ahead of the one that came along', () => {
    const built = placeGood('build/Release');
    placeGood('prebuilds', SYSTEM);
    expect(setup(withoutTools())).toEqual({ status: 0, stderr: '', file: built });
  });

  test('is the one that came along where the other does not load', () => {
    placeBad('build/Release');
    const prebuilt = placeGood('prebuilds', SYSTEM);
    expect(setup(withoutTools())).toEqual({ status: 0, stderr: '', file: prebuilt });
  });

  test('is not that of another system', () => {
    placeGood('prebuilds', 'linux-mips');
    expect(setup(withoutTools()).status).toBe(1);
  });
});

describe('where none fits', () => {
  test('one is compiled, once for each state of the sources, and warnings do not stop it', () => {
    placeBad('prebuilds', SYSTEM);
    const first = setup({ CI: 'true' });
    expect([first.status, first.stderr]).toEqual([0, expect.stringMatching(COMPILES)]);
    expect(path.dirname(path.dirname(first.file))).toBe(inPackage('build'));
    expect(fs.readdirSync(path.dirname(first.file))).toEqual([NAME]);
    expect(setup(withoutTools())).toEqual({ ...first, stderr: '' });

    scratch.write('a package/native/small.c', `${SOURCE}\n`);
    const second = setup();
    expect([second.status, second.stderr]).toEqual([0, expect.stringMatching(COMPILES)]);
    expect(second.file).not.toBe(first.file);
    expect(fs.readdirSync(scratch.path).toSorted()).toEqual(['a package']);
  });

  test('what a compilation left that was killed is deleted hours later', () => {
    placeBad('prebuilds', SYSTEM);
    const old = path.dirname(scratch.write('napi-reload-compile-old/build/half.o', ''));
    scratch.write('napi-reload-compile-young/build/half.o', '');
    const madeS = Date.now() / 1_000 - 3 * 3_600;
    fs.utimesSync(path.dirname(old), madeS, madeS);
    expect(setup().status).toBe(0);
    expect(fs.readdirSync(scratch.path).toSorted()).toEqual(['a package', 'napi-reload-compile-young']);
  });

  test('it goes to the folder of the user when the package cannot be written to', () => {
    scratch.write('a package/build', 'no folder');
    const first = setup();
    expect([first.status, first.stderr]).toEqual([0, expect.stringMatching(COMPILES)]);
    expect(path.dirname(path.dirname(first.file))).toBe(path.join(home, 'napi-reload-native'));
    expect(setup(withoutTools())).toEqual({ ...first, stderr: '' });
  });

  test.each(['', '..'])(
    'a folder is not trusted when others may write to it/%s, with a build or without',
    (place) => {
      scratch.write('a package/build', 'no folder');
      const folder = path.dirname(setup().file);
      fs.chmodSync(path.join(folder, place), 0o777);
      const refused = [1, expect.stringContaining(`"${folder}" is not this user's alone`)];
      const withBuild = setup();
      expect([withBuild.status, withBuild.stderr]).toEqual(refused);
      fs.rmSync(path.join(folder, NAME));
      const without = setup();
      expect([without.status, without.stderr]).toEqual(refused);
    },
  );
});

describe('one error says why there is none', () => {
  test('each time that a process asks, and what failed is not compiled again', () => {
    scratch.write('a package/native/small.c', 'int broken = ;');
    const script = `
      const { loadNative } = await import(${JSON.stringify(inPackage('dist/native.js'))});
      const refusal = () => { try { loadNative(); } catch (error) { return error; } };
      const first = refusal();
      console.log(first.code, first === refusal());`;
    const env = { ...process.env, XDG_CACHE_HOME: home, TMPDIR: scratch.path };
    const args = ['--input-type=module', '--eval', script];
    const { stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
    expect(stdout).toBe('ERR_SHIM_UNAVAILABLE true\n');
    expect(stderr).toMatch(COMPILES);
  });

  test('when programs are missing', () => {
    const bad = placeBad('prebuilds', SYSTEM);
    const { status, stderr } = setup(withoutTools());
    expect(status).toBe(1);
    expect(stderr).toContain('Could not find any Python installation');
    expect(stderr.trimEnd().split('\n').at(-1)).toBe(
      "ERR_SHIM_UNAVAILABLE: Cannot load napi-reload's own native part: node-gyp found no Python; install python3, make and a C++17 compiler, and run " +
        '"npx napi-reload setup"',
    );
    expect(fs.readdirSync(scratch.path).toSorted()).toEqual(['a package']);
    expect(fs.existsSync(bad)).toBe(true);
  });

  test('when the compiler refuses it', () => {
    scratch.write('a package/native/small.c', 'int broken = ;');
    const { status, stderr } = setup();
    expect([status, stderr]).toEqual([1, expect.stringMatching(/small\.c:1:14: error: /)]);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(
      /part: the compiler said ".*small\.c:1:14: error: .*"; use a /,
    );
  });

  test('when there is no room for it', () => {
    const { status, stderr } = setup({ TMPDIR: scratch.file('gone') });
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^ERR_SHIM_UNAVAILABLE: .* ENOENT: /m)]);
  });

  test('when the sources are missing', () => {
    fs.rmSync(inPackage('native'), { recursive: true });
    expect(setup()).toEqual({
      status: 1,
      stderr:
        "ERR_SHIM_UNAVAILABLE: Cannot load napi-reload's own native part: its sources are not there; install napi-reload again\n",
      file: '',
    });
  });

  test('when Node.js loads no addons, without compiling one', () => {
    placeGood('prebuilds', SYSTEM);
    expect(setup({}, '--no-addons')).toEqual({
      status: 1,
      stderr:
        "ERR_SHIM_UNAVAILABLE: Cannot load napi-reload's own native part: this process may load no addons; start Node.js with " +
        '--allow-addons, and without --no-addons\n',
      file: '',
    });
  });
});
