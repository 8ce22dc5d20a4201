/** A project in a folder of its own, with an addon, an app, and `napi-reload dev` to run there. */
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { createScratch, NODE_INCLUDE, type Scratch } from '../../../support/addons.ts';
import { compiledSource } from '../../../support/compiled.ts';

export interface Project extends Disposable {
  readonly scratch: Scratch;
  /** Folder of the project, without symbolic links. */
  readonly root: string;
  /** Of `napi-reload dev`: nothing of it reaches beyond the scratch folder. */
  readonly env: NodeJS.ProcessEnv;
  write(name: string, text: string): void;
  /** Saves as editors do. */
  save(name: string, text: string): void;
  /** The command line of `napi-reload dev`. */
  dev(...words: string[]): readonly string[];
  /** Nothing is left of processes and of files that are not the project's own. */
  expectNothingLeft(pids: readonly number[]): void;
}

/** An addon whose `value()` is what is put there, with `more` in its initialiser. */
export const kernel = (value: number | string, more = ''): string => `#include <node_api.h>
static napi_value Value(napi_env env, napi_callback_info info) {
  napi_value result;
  (void)info;
  napi_create_int32(env, ${value}, &result);
  return result;
}
NAPI_MODULE_INIT() {
  napi_value value;
  ${more}
  napi_create_function(env, "value", NAPI_AUTO_LENGTH, Value, NULL, &value);
  napi_set_named_property(env, exports, "value", value);
  return exports;
}
`;

/** Prints its process and the value, the latter whenever it is another one. */
export const APP = `console.log('pid', process.pid);
const kernel = require('./out/kernel.node');
let last;
setInterval(() => {
  const value = kernel.value();
  if (value !== last) console.log('value', (last = value));
}, 5);
`;

/** Without node-gyp, which takes seconds to configure. */
const COMPILE = ['-shared', '-fPIC', '-Wall', `-I${NODE_INCLUDE}`, 'kernel.c', '-o', 'out/kernel.node'];

export function createProject(): Project {
  const scratch = createScratch();
  const root = path.join(fs.realpathSync(scratch.path), 'project');
  const at = (name: string) => path.join(root, name);
  const write = (name: string, text: string): void => {
    fs.mkdirSync(path.dirname(at(name)), { recursive: true });
    fs.writeFileSync(at(name), text);
  };
  const temporary = scratch.file('t');
  fs.mkdirSync(temporary);
  write('package.json', '{}');
  write('out/.keep', '');
  write('kernel.c', kernel(1));
  write('app.cjs', APP);
  write(
    'napi-reload.config.json',
    JSON.stringify({ addons: { 'out/kernel.node': { build: { command: 'gcc', args: COMPILE, cwd: '.' } } } }),
  );
  const {
    CI: _ci,
    GITHUB_ACTIONS: _github,
    FORCE_COLOR: _force,
    NO_COLOR: _no,
    XDG_RUNTIME_DIR: _runtime,
    ...rest
  } = process.env;
  return {
    scratch,
    root,
    env: {
      ...rest,
      TMPDIR: temporary,
      XDG_CACHE_HOME: scratch.file('cache'),
      // npm would keep what it compiled in the temporary folder.
      NODE_DISABLE_COMPILE_CACHE: '1',
    },
    write,
    save(name, text) {
      write(`${name}~`, text);
      fs.renameSync(at(`${name}~`), at(name));
    },
    dev: (...words) => [process.execPath, path.join(compiledSource(), 'cli/main.js'), 'dev', ...words],
    expectNothingLeft(pids) {
      expect(pids.filter(isRunning)).toEqual([]);
      // A gcc that is ended in the middle leaves files of its own.
      const left = fs.readdirSync(temporary).filter((name) => !/^cc\w{6}\.\w+$/.test(name));
      expect(left).toEqual([]);
    },
    [Symbol.dispose]: () => scratch[Symbol.dispose](),
  };
}

/** One that is dead and that nobody has reaped does not count: in a container, process 1 may never do it. */
export function isRunning(pid: number): boolean {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}
