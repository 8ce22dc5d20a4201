/** Projects of one addon in C, whose exports a script makes, for tests of the kit that builds and reloads copies of them. */
import fs from 'node:fs';
import path from 'node:path';
import type { ReloadableOptions } from '../../src/testing/options.ts';
import { createScratch, FIXTURES, NODE_INCLUDE, type Scratch } from './addons.ts';

export const KIT_ADDON = 'build/total.node';
export const KIT_SCRIPT = 'src/script.h';

/** State that is carried, unless `save` is made to lose some. */
export const TOTAL = `
  let total = 0;
  exports.version = () => 1;
  exports.add = (n) => (total += n);
  exports.total = () => total;
  exports.napiReload = { init: ({ state }) => { if (state) total = state.total; }, save: () => ({ total }) };
`;

export interface Total {
  version(): number;
  add(n: number): number;
  total(): number;
}

export interface KitProject extends Disposable {
  readonly root: string;
  readonly scratch: Scratch;
  /** For `createReloadable`; what is built is kept beside the project. */
  readonly options: ReloadableOptions;
  /** How often the compiler was started, over all copies. */
  builds(): number;
}

export interface KitProjectOptions {
  readonly script?: string;
  readonly flags?: readonly string[];
  /** A line of a shell that runs before the compiler does. */
  readonly before?: string;
}

export function makeKitProject({
  script = TOTAL,
  flags = [],
  before = 'true',
}: KitProjectOptions = {}): KitProject {
  const scratch = createScratch();
  const root = scratch.file('project');
  const log = scratch.file('builds.log');
  scratch.write(`project/${KIT_SCRIPT}`, defineScript(script));
  scratch.write('project/src/total.c', fs.readFileSync(path.join(FIXTURES, 'scripted.c'), 'utf8'));
  scratch.write('project/binding.gyp', '{}');
  const compile = ['gcc', '-O1', '-shared', '-fPIC', '-Wall', '-Werror', `-I${NODE_INCLUDE}`, ...flags];
  const files = ['src/total.c', '-MMD', '-MF', 'build/total.d', '-o', KIT_ADDON];
  const command = [...compile, `-DSCRIPT_HEADER="script.h"`, ...files].map((word) => `'${word}'`).join(' ');
  return {
    root,
    scratch,
    options: {
      root,
      addon: KIT_ADDON,
      source: 'src',
      build: {
        command: 'sh',
        args: ['-c', `echo built >>${log}; mkdir -p build && ${before} && ${command}`],
      },
      cache: scratch.file('cache'),
    },
    builds: () => (fs.existsSync(log) ? fs.readFileSync(log, 'utf8').split('\n').length - 1 : 0),
    [Symbol.dispose]: () => scratch[Symbol.dispose](),
  };
}

/** @param script what {@link KIT_SCRIPT} is to run */
export function defineScript(script: string): string {
  const line = script.replace(/\s+/g, ' ').trim();
  return `#define SCRIPT ${JSON.stringify(`(function (exports, native) { ${line} })`)}\n`;
}

/** The files of a folder with their bytes and times: what must stay as it is. */
export function snapshot(folder: string): readonly string[] {
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return names.map((name) => {
    const { mtimeMs, ctimeMs, size } = fs.lstatSync(path.join(folder, name));
    return `${name} ${mtimeMs} ${ctimeMs} ${size}`;
  });
}
