/** Builds with plain ninja or make, in a folder that somebody else has configured. */
import path from 'node:path';
import type { SourcePath } from '../brands.ts';
import { errors } from '../errors.ts';
import type { Outside } from '../outside.ts';
import { inputsOf, objectsOf } from './backend-files.ts';
import { readCmakeFolder } from './cmake-folder.ts';
import { nearestWith } from './files.ts';
import { launchOf } from './plan.ts';
import type { Backend, Tool } from './tool.ts';

/** By what they run on. */
export const MAIN_FILES = { ninja: ['build.ninja'], make: ['GNUmakefile', 'makefile', 'Makefile'] } as const;

export interface DirectSetup {
  readonly kind: Backend['kind'];
  readonly source: SourcePath;
  readonly cwd: string | null;
}

/** @throws `ERR_INVALID_OPTION` when there is nothing for it to run on */
export async function directTool({ kind, source, cwd }: DirectSetup, outside: Outside): Promise<Tool> {
  const names = MAIN_FILES[kind];
  const folder = await nearestWith(outside, cwd ?? path.dirname(source), names);
  if (folder === null || (cwd !== null && folder !== cwd)) {
    const where = cwd === null ? `any folder above ${JSON.stringify(source)}` : JSON.stringify(cwd);
    throw errors.invalidOption({
      option: 'build',
      found: `'${kind}', but no ${names.join(' or ')} in ${where}`,
      wanted:
        kind === 'ninja'
          ? 'a folder that CMake, GYP or Meson has configured for it'
          : 'a folder with a Makefile',
    });
  }
  const cmake = await readCmakeFolder(outside, folder);
  const root = cmake?.home ?? folder;
  const backend: Backend = {
    kind,
    folder,
    args: [],
    // Of a Makefile that people wrote nobody knows whether its rules may run side by side.
    isParallel: cmake !== null,
    foresees: kind === 'ninja' || cmake === null ? 'all' : 'nothing',
  };
  const place = { kind, folder, root };
  return {
    root,
    source,
    output: folder,
    outputHasSources: folder === root,
    configure: null,
    build: launchOf(backend),
    programs: async () => (cmake === null ? [kind] : [kind, 'cmake']),
    backend: async () => backend,
    objects: () => objectsOf(outside, place),
    inputs: () => inputsOf(outside, place),
    afterBuild: async () => {},
  };
}
