/** An app of three packages with addons that node-gyp builds, in a folder of its own. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { FIXTURES, type Scratch } from '../../support/addons.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const FIXTURE = path.join(FIXTURES, 'register');
const NODE_GYP = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
const NODE_DIR = path.resolve(path.dirname(fs.realpathSync(process.execPath)), '..');

/** The one file of JavaScript that each package has. */
const ENTRIES = {
  'by-bindings': "module.exports = require('bindings')('counter');\n",
  'by-gyp-build': "module.exports = require('node-gyp-build')(__dirname);\n",
  'by-require': `import { createRequire } from 'node:module';
export default createRequire(import.meta.url)('./build/Release/counter.node');
`,
} as const;

export type PackageName = keyof typeof ENTRIES;
export const PACKAGES: readonly PackageName[] = ['by-bindings', 'by-gyp-build', 'by-require'];

/** Writes the app and builds all of its addons. @returns the path of its main file */
export function writeApp(scratch: Scratch): string {
  for (const name of PACKAGES) {
    const at = (file: string): string => path.join('packages', name, file);
    const type = name === 'by-require' ? 'module' : 'commonjs';
    scratch.write(at('package.json'), JSON.stringify({ name, version: '1.0.0', type, main: 'index.js' }));
    scratch.write(at('index.js'), ENTRIES[name]);
    scratch.write(
      at('binding.gyp'),
      "{ 'targets': [{ 'target_name': 'counter', 'sources': ['counter.c'] }] }",
    );
    scratch.write(at('counter.c'), fs.readFileSync(path.join(FIXTURE, 'counter.c')));
    link(scratch.file(path.join('node_modules', name)), scratch.file(path.join('packages', name)));
    build(scratch, name, 'configure');
    build(scratch, name, 'build');
  }
  for (const name of ['bindings', 'file-uri-to-path', 'node-gyp-build']) {
    link(scratch.file(path.join('node_modules', name)), path.join(ROOT, 'node_modules', name));
  }
  return scratch.write('app.mjs', fs.readFileSync(path.join(FIXTURE, 'app.mjs')));
}

function link(from: string, to: string): void {
  fs.mkdirSync(path.dirname(from), { recursive: true });
  fs.symlinkSync(to, from);
}

/** Edits one line of the source, and builds it as its author would. */
export function editStep(scratch: Scratch, name: PackageName, step: number): void {
  const file = scratch.file(path.join('packages', name, 'counter.c'));
  const text = fs.readFileSync(file, 'utf8').replace(/#define STEP \d+/, `#define STEP ${step}`);
  fs.writeFileSync(file, text);
  build(scratch, name, 'build');
}

function build(scratch: Scratch, name: PackageName, command: 'configure' | 'build'): void {
  execFileSync(process.execPath, [NODE_GYP, command, `--nodedir=${NODE_DIR}`], {
    cwd: scratch.file(path.join('packages', name)),
    env: { ...process.env, CFLAGS: '-O0' },
    stdio: 'pipe',
  });
}
