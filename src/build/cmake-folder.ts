/** A folder that CMake has configured: what it says of itself. */
import path from 'node:path';
import type { Outside } from '../outside.ts';
import { isFile, isInside, readText } from './files.ts';
import type { Backend } from './tool.ts';

const CACHE = 'CMakeCache.txt';

export interface CmakeFolder {
  readonly folder: string;
  /** Absolute folder of the CMakeLists.txt. */
  readonly home: string;
  readonly buildType: string;
  /** Null when its configuration was never finished. */
  readonly kind: Backend['kind'] | null;
  /** Version of cmake-js, and of the Node.js that it took headers for; null where CMake was started without it. */
  readonly cmakeJs: { readonly nodeVersion: string } | null;
}

/** @returns null when CMake never ran there */
export async function readCmakeFolder(outside: Outside, folder: string): Promise<CmakeFolder | null> {
  const cache = await readText(outside, path.join(folder, CACHE));
  if (cache === null) return null;
  const values = new Map<string, string>();
  for (const [, key = '', value = ''] of cache.matchAll(/^([\w-]+):\w+=(.*)$/gm)) values.set(key, value);
  return {
    folder,
    home: path.resolve(folder, values.get('CMAKE_HOME_DIRECTORY') ?? folder),
    buildType: values.get('CMAKE_BUILD_TYPE') ?? '',
    kind: await backendKind(outside, folder, values.get('CMAKE_GENERATOR') ?? ''),
    cmakeJs: values.has('CMAKE_JS_VERSION') ? { nodeVersion: values.get('NODE_RUNTIMEVERSION') ?? '' } : null,
  };
}

async function backendKind(
  outside: Outside,
  folder: string,
  generator: string,
): Promise<Backend['kind'] | null> {
  const kind = generator === 'Ninja' ? 'ninja' : 'make';
  return (await isFile(outside, path.join(folder, MAIN_FILE[kind]))) ? kind : null;
}

const MAIN_FILE = { ninja: 'build.ninja', make: 'Makefile' } as const;

/** @returns the nearest folder above the addon, and inside `root`, that CMake has configured */
export async function cmakeFolderAbove(
  outside: Outside,
  source: string,
  root: string,
): Promise<CmakeFolder | null> {
  for (let folder = path.dirname(source); isInside(root, folder); folder = path.dirname(folder)) {
    const found = await readCmakeFolder(outside, folder);
    if (found !== null || folder === path.dirname(folder)) return found;
  }
  return null;
}
