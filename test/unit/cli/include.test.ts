/** `napi-reload include` and `require('napi-reload').include_dir`, as a project uses them that has the package. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NODE_INCLUDE } from '../../support/addons.ts';
import { compiledSource } from '../../support/compiled.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const NODE_GYP = path.join(ROOT, 'node_modules/node-gyp/bin/node-gyp.js');

const SOURCE = `#include <napi_reload.h>
static napi_value Save(napi_env env) { return napi_reload_plain_context(env).object; }
NAPI_MODULE_INIT() {
  static const napi_reload_hooks hooks = {.schema = 3, .save = Save};
  napi_reload_define(env, exports, &hooks);
  return exports;
}
`;

let root: string;
let project: string;

/** Puts the package where npm does: a copy, or a link as `npm link` makes it. */
function installPackage(folder: string, isLink: boolean): void {
  const modules = path.join(folder, 'node_modules');
  const installed = path.join(modules, 'napi-reload');
  const source = path.dirname(compiledSource());
  fs.mkdirSync(path.join(modules, '.bin'), { recursive: true });
  if (isLink) fs.symlinkSync(source, installed);
  else fs.cpSync(source, installed, { recursive: true, dereference: true });
  // npm makes what "bin" names executable.
  fs.chmodSync(path.join(installed, 'dist/cli/main.js'), 0o755);
  fs.symlinkSync('../napi-reload/dist/cli/main.js', path.join(modules, '.bin/napi-reload'));
  for (const name of fs.readdirSync(path.join(ROOT, 'node_modules'))) {
    if (name.startsWith('.') || fs.existsSync(path.join(modules, name))) continue;
    fs.symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name));
  }
}

function createProject(name: string, isLink: boolean): string {
  const folder = path.join(root, name);
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }');
  fs.writeFileSync(path.join(folder, 'addon.c'), SOURCE);
  installPackage(folder, isLink);
  return folder;
}

beforeAll(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'napi-reload-include-')));
  project = createProject('a project', false);
});

afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

function napiReload(cwd: string, ...words: string[]) {
  const program = path.join(cwd, 'node_modules/.bin/napi-reload');
  const { status, stdout, stderr } = spawnSync(program, words, { cwd, encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('napi-reload include', () => {
  test('prints the folder of the headers, from the current one', () => {
    const ran = napiReload(project, 'include');
    expect(ran).toEqual({ status: 0, stdout: 'node_modules/napi-reload/native/include\n', stderr: '' });
    for (const header of ['napi_reload.hpp', 'napi_reload.h']) {
      expect(fs.existsSync(path.join(project, ran.stdout.trimEnd(), header))).toBe(true);
    }
  });

  test('prints the whole path for --absolute', () => {
    const folder = path.join(project, 'node_modules/napi-reload/native/include');
    expect(napiReload(project, 'include', '--absolute')).toEqual({
      status: 0,
      stdout: `${folder}\n`,
      stderr: '',
    });
  });

  test('is a program whose exit code says that it was not understood', () => {
    const { status, stdout, stderr } = napiReload(project, 'inclde');
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toBe('Unknown command "inclde"; did you mean "include"?\nSee napi-reload --help\n');
  });
});

describe('include_dir', () => {
  const ask = (cwd: string, expression: string): string =>
    execFileSync(process.execPath, ['-p', expression], { cwd, encoding: 'utf8', stdio: 'pipe' });

  test('is what the program prints, by require', () => {
    expect(ask(project, "require('napi-reload').include_dir")).toBe(napiReload(project, 'include').stdout);
    const whole = napiReload(project, 'include', '--absolute').stdout;
    expect(ask(project, "require('napi-reload').include")).toBe(whole);
  });

  test('leads to the package itself when that is linked', () => {
    const linked = createProject('a linked one', true);
    const folder = ask(linked, "require('napi-reload').include_dir").trimEnd();
    const real = fs.realpathSync(path.join(linked, 'node_modules/napi-reload/dist'));
    expect(path.resolve(linked, folder)).toBe(path.resolve(real, '../native/include'));
    expect(fs.existsSync(path.join(linked, folder, 'napi_reload.h'))).toBe(true);
  });

  test('is the whole path when the current folder is gone', () => {
    const module = pathToFileURL(path.join(compiledSource(), 'headers.js')).href;
    const script = `
      const gone = require('node:fs').mkdtempSync(${JSON.stringify(path.join(root, 'gone-'))});
      process.chdir(gone);
      require('node:fs').rmdirSync(gone);
      import(${JSON.stringify(module)}).then((all) => console.log(all.include_dir === all.include));`;
    const options = { cwd: root, encoding: 'utf8' } as const;
    expect(execFileSync(process.execPath, ['-e', script], options)).toBe('true\n');
  });
});

describe('a binding.gyp', () => {
  test.each(['<!(npx napi-reload include)', '<!(node -p \\"require(\'napi-reload\').include_dir\\")'])(
    'finds the headers by %s',
    (line) => {
      fs.writeFileSync(
        path.join(project, 'binding.gyp'),
        `{ "targets": [{ "target_name": "addon", "sources": ["addon.c"], "include_dirs": ["${line}"] }] }\n`,
      );
      fs.rmSync(path.join(project, 'build'), { recursive: true, force: true });
      const nodedir = `--nodedir=${path.resolve(NODE_INCLUDE, '../..')}`;
      const args = [NODE_GYP, 'configure', 'build', nodedir];
      execFileSync(process.execPath, args, { cwd: project, stdio: 'pipe' });
      const addon = createRequire(import.meta.url)(path.join(project, 'build/Release/addon.node'));
      expect(addon.napiReload.schema).toBe(3);
      expect(addon.napiReload.save()).toMatchObject({ reason: 'first' });
    },
  );
});
