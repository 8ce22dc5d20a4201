/** What can be built, by its name alone: for builds that do not say what they read. */
import path from 'node:path';
import { errors } from '../errors.ts';
import type { Outside } from '../outside.ts';
import { WALK_ENTRIES_MAX, walk } from './files.ts';

/** Files that one build may have as inputs when they are found by their names. */
export const SOURCES_MAX = 10_000;

const SOURCE_ENDINGS = new Set(
  [
    'c',
    'cc',
    'cpp',
    'cxx',
    'c++',
    'h',
    'hh',
    'hpp',
    'hxx',
    'inc',
    'ipp',
    'tpp',
    's',
    'asm',
    'm',
    'mm',
    'cu',
  ].concat(['rs', 'zig', 'go', 'swift', 'd', 'nim', 'odin', 'f90', 'pyx', 'def', 'proto', 'idl']),
);
const DESCRIPTION_ENDINGS = new Set(['gyp', 'gypi', 'cmake', 'mk', 'ninja', 'bzl', 'gn', 'gni']);
const DESCRIPTIONS = new Set(
  ['CMakeLists.txt', 'CMakePresets.json', 'Cargo.toml', 'Cargo.lock', 'build.zig', 'build.zig.zon'].concat([
    'Makefile',
    'GNUmakefile',
    'meson.build',
    'meson_options.txt',
    'BUILD',
    'BUILD.bazel',
    'go.mod',
    'build.rs',
  ]),
);
/** Where builds write, and what is never a source of this project. */
const LEFT_OUT = new Set([
  'node_modules',
  'build',
  'Build',
  'out',
  'dist',
  'target',
  'zig-out',
  'zig-cache',
  'coverage',
]);

/** Whether the file tells how to build: `binding.gyp`, `CMakeLists.txt`, `Cargo.toml` and the like. */
export function isDescription(file: string): boolean {
  return DESCRIPTIONS.has(path.basename(file)) || DESCRIPTION_ENDINGS.has(path.extname(file).slice(1));
}

/** Whether the file is a source, a header, or tells how to build. */
export function isSource(file: string): boolean {
  return isDescription(file) || SOURCE_ENDINGS.has(path.extname(file).slice(1).toLowerCase());
}

/** Whether a folder of this path may hold sources of the project: no dependencies, build output, hidden files. */
export function holdsSources(folder: string): boolean {
  const name = path.basename(folder);
  return !name.startsWith('.') && !name.startsWith('cmake-build-') && !LEFT_OUT.has(name);
}

/**
 * Files under `root` that `wants` takes, without dependencies, build output and hidden folders.
 *
 * @param output absolute folder that the build writes to, left out too
 * @throws `ERR_INVALID_OPTION` when there are more than {@link SOURCES_MAX}, or too many entries to look at
 */
export async function findSources(
  outside: Outside,
  root: string,
  output: string | null,
  wants: (file: string) => boolean,
): Promise<readonly string[]> {
  const enters = (folder: string) => folder !== output && holdsSources(folder);
  const files = await walk(outside, root, { enters, wants });
  if (files !== null && files.length <= SOURCES_MAX) return files;
  const found = files === null ? `over ${WALK_ENTRIES_MAX} entries` : `${files.length} source files`;
  throw errors.invalidOption({
    option: 'watch',
    found: `${found} under ${JSON.stringify(root)}`,
    wanted: `at most ${SOURCES_MAX} source files: name those to watch in "watch.paths"`,
  });
}
