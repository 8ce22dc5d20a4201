/**
 * Builds with cmake-js: `configure` when it must be, then `build`. Never `compile` or `rebuild`, which delete the working
 * addon when a build fails.
 */
import { realpathSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { SourcePath } from '../brands.ts';
import type { Configuration } from '../build-options.ts';
import type { Diagnostic } from '../diagnostic.ts';
import { errors } from '../errors.ts';
import type { Outside } from '../outside.ts';
import { inputsOf, objectsOf } from './backend-files.ts';
import { type CmakeFolder, cmakeFolderAbove, readCmakeFolder } from './cmake-folder.ts';
import { isInside, nearestWith, readText } from './files.ts';
import { findNodeDir, scriptOf } from './packages.ts';
import type { Launch, Tool } from './tool.ts';
import { findProgram } from './tools.ts';

export interface CmakeJsSetup {
  readonly source: SourcePath;
  readonly cwd: string | null;
  readonly configuration: Configuration;
}

/** @throws `ERR_INVALID_OPTION` when no folder above the addon has a CMakeLists.txt */
export async function cmakeJsTool(
  { source, cwd, configuration }: CmakeJsSetup,
  outside: Outside,
): Promise<Tool> {
  const root = cwd ?? (await nearestWith(outside, path.dirname(source), ['CMakeLists.txt']));
  if (root === null || (await readText(outside, path.join(root, 'CMakeLists.txt'))) === null) {
    throw errors.invalidOption({
      option: 'build',
      found: `'cmake-js', but no CMakeLists.txt in ${cwd === null ? `any folder above ${JSON.stringify(source)}` : JSON.stringify(cwd)}`,
      wanted: 'an addon below the folder of its CMakeLists.txt, or { command, args, cwd }',
    });
  }
  const output = (await cmakeFolderAbove(outside, source, root))?.folder ?? topFolder(root, source);
  const nodeDir = await findNodeDir(outside);
  const script = scriptOf(root, 'cmake-js/bin/cmake-js');
  const state = () => readCmakeFolder(outside, output);

  const launch = (verb: 'configure' | 'build', more: readonly string[]): Launch => ({
    command: process.execPath,
    args: [
      script,
      verb,
      '--log-level=warn',
      '--directory',
      root,
      '--out',
      output,
      '--config',
      configuration,
      ...more,
    ],
    cwd: root,
    // As npm hands it on: where the headers that came with this Node.js are, so that none are downloaded.
    env: nodeDir === null ? {} : { npm_config_nodedir: nodeDir },
    title: `cmake-js ${verb}`,
    messagesFrom: output,
  });

  return {
    root,
    source,
    output,
    outputHasSources: false,
    configure: {
      ...launch('configure', []),
      isNeeded: async () => !isConfigured(await state(), root, configuration),
      // CMake looks at its files again by itself, and half of a configuration has no file that it is built by.
      undo: async () => {},
      notes: () => notesOn(outside, root, nodeDir),
    },
    build: launch('build', ['--parallel', String(os.availableParallelism())]),
    async programs() {
      const kind = (await state())?.kind ?? null;
      // What cmake-js takes itself: ninja where it is installed, else make.
      return ['cmake', kind ?? ((await findProgram(outside, 'ninja')) === null ? 'make' : 'ninja')];
    },
    async backend() {
      const kind = (await state())?.kind ?? null;
      if (kind === null) return null;
      return {
        kind,
        folder: output,
        args: [],
        isParallel: true,
        foresees: kind === 'ninja' ? 'all' : 'nothing',
      };
    },
    objects: async () => objectsOf(outside, { kind: (await state())?.kind ?? null, folder: output, root }),
    inputs: async () => inputsOf(outside, { kind: (await state())?.kind ?? null, folder: output, root }),
    // CMake itself looks at its files before each build, and compares times as they were when it began.
    afterBuild: async () => {},
  };
}

function isConfigured(found: CmakeFolder | null, root: string, configuration: Configuration): boolean {
  if (found === null || found.kind === null || found.cmakeJs === null) return false;
  const isForThisNode = found.cmakeJs.nodeVersion === process.versions.node;
  return isForThisNode && found.buildType === configuration && isSameFolder(found.home, root);
}

function isSameFolder(one: string, other: string): boolean {
  try {
    return realpathSync(one) === realpathSync(other);
  } catch {
    return false;
  }
}

/** cmake-js writes to `build/` unless the addon is in another folder of the project. */
function topFolder(root: string, source: SourcePath): string {
  const [top = '', below] = path.relative(root, source).split(path.sep);
  return path.join(root, below === undefined || !isInside(root, source) ? 'build' : top);
}

/** What makes cmake-js download headers, which is a surprise where it fails or takes long. */
async function notesOn(
  outside: Outside,
  root: string,
  nodeDir: string | null,
): Promise<readonly Diagnostic[]> {
  const file = path.join(root, 'package.json');
  if (hasNapiVersions((await readText(outside, file)) ?? '')) return [];
  const headers =
    nodeDir === null
      ? 'downloads the headers of Node.js'
      : `takes the headers of Node.js in ${JSON.stringify(nodeDir)}`;
  const text = `without "binary": { "napi_versions": [8] } cmake-js ${headers}, and gives CMake no folder of node-addon-api`;
  return [{ file, line: 0, column: 0, severity: 'warning', text }];
}

function hasNapiVersions(text: string): boolean {
  try {
    const found = JSON.parse(text) as { binary?: { napi_versions?: unknown } } | null;
    return Boolean(found?.binary?.napi_versions);
  } catch {
    return false;
  }
}
