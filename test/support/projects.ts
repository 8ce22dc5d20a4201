/** Projects of one addon in temporary folders, for tests that build them with real builders. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { resolveBuild } from '../../src/build-options.ts';
import type { SourcePath } from '../../src/brands.ts';
import type { Builder, BuildOutcome, BuildProgress, BuildRequest } from '../../src/build/builder.ts';
import { createBuilder } from '../../src/build/create-builder.ts';
import { realOutside } from '../../src/outside.ts';
import { untilFound } from './until.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const PREFIX = path.dirname(path.dirname(fs.realpathSync(process.execPath)));
export const NODE_INCLUDE: string = path.join(PREFIX, 'include/node');
export const NODE_ADDON_API: string = path.join(ROOT, 'node_modules/node-addon-api');
const HOOKS_INCLUDE: string = path.join(ROOT, 'native/include');

/** Where node-gyp and cmake-js put it. */
export const ADDON = 'build/Release/kernel.node';

/** A project in a folder of its own. */
export interface Project {
  readonly root: string;
  readonly addon: SourcePath;
  at(name: string): string;
  write(name: string, text: string): void;
  /** Runs a command in the project and gives its standard output. */
  run(command: string, args: readonly string[]): string;
  /** @param file the addon, where it is not that of the project */
  builder(build: unknown, file?: string): Promise<Builder>;
  remove(): void;
}

export function makeProject(addon: string = ADDON): Project {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'napi-reload-project-')));
  const at = (name: string) => path.join(root, name);
  return {
    root,
    addon: at(addon) as SourcePath,
    at,
    write(name, text) {
      fs.mkdirSync(path.dirname(at(name)), { recursive: true });
      fs.writeFileSync(at(name), text);
    },
    run: (command, args) => execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: 'pipe' }),
    async builder(build, file = addon) {
      const made = await createBuilder(resolveBuild(build), at(file) as SourcePath, realOutside);
      if (made === null) throw new Error('no builder');
      return made;
    },
    remove: () => fs.rmSync(root, { recursive: true, force: true }),
  };
}

/** A project that was built once, for tests that each begin with it as it was then. */
export interface Template extends Disposable {
  /** @returns it with its files and their times, in the same folder: builders write absolute paths */
  take(): Project;
}

/** @param prepare writes the project and builds it */
export async function makeTemplate(prepare: (project: Project) => Promise<void>): Promise<Template> {
  const project = makeProject();
  const kept = `${project.root}.kept`;
  const copy = (from: string, to: string) => execFileSync('cp', ['-a', '--reflink=auto', from, to]);
  try {
    await prepare(project);
    copy(project.root, kept);
  } finally {
    project.remove();
  }
  return {
    take() {
      project.remove();
      copy(kept, project.root);
      return project;
    },
    [Symbol.dispose]() {
      project.remove();
      fs.rmSync(kept, { recursive: true, force: true });
    },
  };
}

/** An addon in C: `value()` gives that number, `count()` how often it was called, which is its state. */
export function kernelC(value: number): string {
  return `#include "k.h"
#include <napi_reload.h>
static int count;
static napi_value Value(napi_env env, napi_callback_info info) {
  napi_value result;
  (void)info;
  napi_create_int32(env, ${value} * K, &result);
  return result;
}
static napi_value Count(napi_env env, napi_callback_info info) {
  napi_value result;
  (void)info;
  napi_create_int32(env, ++count, &result);
  return result;
}
static void TakeState(napi_env env, const napi_reload_context *context) {
  napi_value state = napi_reload_get_state(context);
  if (state) napi_get_value_int32(env, state, &count);
}
static napi_value SaveState(napi_env env) {
  napi_value state;
  napi_create_int32(env, count, &state);
  return state;
}
static const napi_reload_hooks hooks = {.schema = 1, .init = TakeState, .save = SaveState};
NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "value", NAPI_AUTO_LENGTH, Value, 0, &function);
  napi_set_named_property(env, exports, "value", function);
  napi_create_function(env, "count", NAPI_AUTO_LENGTH, Count, 0, &function);
  napi_set_named_property(env, exports, "count", function);
  napi_reload_define(env, exports, &hooks);
  return exports;
}
`;
}

/** Sources in C, without a description of how to build them. */
export function writeSources(project: Project, value = 1): void {
  project.write('package.json', '{ "binary": { "napi_versions": [8] } }');
  project.write('src/kernel.c', kernelC(value));
  project.write('src/k.h', '#define K 1\n');
}

/** @param more entries of the target, such as `'cflags': ['-O0']` */
export function writeGyp(project: Project, sources: readonly string[] = ['src/kernel.c'], more = ''): void {
  const list = sources.map((name) => `'${name}'`).join(', ');
  project.write(
    'binding.gyp',
    `{ 'target_defaults': { 'include_dirs': ['${HOOKS_INCLUDE}'] },
  'targets': [ { 'target_name': 'kernel', 'sources': [${list}], ${more} } ] }\n`,
  );
}

export function writeCmake(project: Project, sources: readonly string[] = ['src/kernel.c']): void {
  const language = sources.every((name) => name.endsWith('.c')) ? 'C' : 'C CXX';
  project.write(
    'CMakeLists.txt',
    `cmake_minimum_required(VERSION 3.15)
project(kernel ${language})
add_library(kernel MODULE ${sources.join(' ')})
set_target_properties(kernel PROPERTIES PREFIX "" SUFFIX ".node")
target_include_directories(kernel PRIVATE "\${CMAKE_JS_INC}" "${HOOKS_INCLUDE}")
`,
  );
}

/** Configures with CMake alone, as people do who use no cmake-js. */
export function configureCmake(
  project: Project,
  generator: 'Ninja' | 'Unix Makefiles',
  folder = 'build',
): void {
  const include = [NODE_INCLUDE, NODE_ADDON_API].join(';');
  const output = path.dirname(project.addon);
  const values = {
    CMAKE_BUILD_TYPE: 'Release',
    CMAKE_JS_INC: include,
    CMAKE_LIBRARY_OUTPUT_DIRECTORY: output,
  };
  const args = Object.entries(values).map(([name, value]) => `-D${name}=${value}`);
  project.run('cmake', ['-S', '.', '-B', folder, '-G', generator, ...args]);
}

export function writeMakefile(project: Project, folder = '.'): void {
  const source = path.relative(project.at(folder), project.at('src/kernel.c'));
  project.write(
    path.join(folder, 'Makefile'),
    `${path.relative(project.at(folder), project.addon)}: kernel.o
\tmkdir -p $(@D)
\tcc -shared -o $@ kernel.o
kernel.o: ${source}
\tcc -fPIC -MMD -I${NODE_INCLUDE} -I${HOOKS_INCLUDE} -c ${source} -o kernel.o
-include kernel.d
`,
  );
}

/** Whether a program is on the PATH, for tests that are of no use without it. */
export function isInstalled(program: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  return folders.some((folder) => fs.existsSync(path.join(folder, program)));
}

export interface Built extends BuildOutcome {
  readonly steps: readonly BuildProgress[];
}

export async function build(
  builder: Builder,
  given: Partial<Pick<BuildRequest, 'signal' | 'timeoutMs' | 'clean' | 'always' | 'onProgress'>> = {},
): Promise<Built> {
  const steps: BuildProgress[] = [];
  const { signal = new AbortController().signal, timeoutMs = 60_000, ...flags } = given;
  const onProgress = (progress: BuildProgress) => {
    steps.push(progress);
    given.onProgress?.(progress);
  };
  return { ...(await builder.build({ ...flags, signal, timeoutMs, onProgress })), steps };
}

/** Processes that work in the project, or are told of a file in it. */
export function processesInside(root: string): readonly number[] {
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      const words = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return fs.readlinkSync(`/proc/${pid}/cwd`).startsWith(root) || words.includes(root);
    } catch {
      return false;
    }
  });
}

/** Waits for a compiler proper that works in the project. */
export function compilerInside(root: string): Promise<number> {
  return untilFound('a compiler', () => processesInside(root).find(isCompiler));
}

function isCompiler(pid: number): boolean {
  try {
    return /^cc1(?:plus)?$/.test(path.basename(fs.readlinkSync(`/proc/${pid}/exe`)));
  } catch {
    return false;
  }
}
