/** Finds out how a project is built. */
import path from 'node:path';
import type { SourcePath } from '../brands.ts';
import type { BuildTool, ResolvedCommand } from '../build-options.ts';
import { errors } from '../errors.ts';
import type { Outside } from '../outside.ts';
import { cmakeFolderAbove } from './cmake-folder.ts';
import { MAIN_FILES } from './direct.ts';
import { isFile, isInside, nearestWith, readText } from './files.ts';

/** What is found, and the folder that it is in; of ninja and make the one that they run in. */
export type Detected = { readonly tool: BuildTool; readonly cwd: string } | ResolvedCommand;

const DESCRIPTIONS = ['binding.gyp', 'CMakeLists.txt', 'Cargo.toml'];

/**
 * @param cwd where to look; null for the nearest folder above the addon that tells
 * @throws `ERR_INVALID_OPTION` when nothing tells how it is built, or several things tell of different builders
 */
export async function detect(
  source: SourcePath,
  cwd: string | null,
  isDebug: boolean,
  outside: Outside,
): Promise<Detected> {
  const start = cwd ?? path.dirname(source);
  const root = await nearestWith(outside, start, DESCRIPTIONS);
  const plain = root === null ? await findPlain(start, outside) : null;
  if (plain !== null) return plain;
  const found: string[] = [];
  for (const name of root === null ? [] : DESCRIPTIONS) {
    if (await isFile(outside, path.join(root ?? '', name))) found.push(name);
  }
  const chosen = root === null ? [] : await chosenBefore(source, root, found, outside);
  if (root === null || chosen.length !== 1) {
    throw errors.invalidOption({
      option: 'build',
      found:
        root === null
          ? `'auto', but no ${DESCRIPTIONS.join(', ')}, build.ninja or Makefile in any folder above ${JSON.stringify(source)}`
          : `'auto', but ${found.join(' and ')} in ${JSON.stringify(root)}`,
      wanted: "the name of the builder, such as 'node-gyp', or { command, args, cwd }",
    });
  }
  switch (chosen[0]) {
    case 'binding.gyp':
      return { tool: 'node-gyp', cwd: root };
    case 'CMakeLists.txt':
      return cmakeToolOf(source, root, outside);
    default:
      return cargoCommand(source, root, isDebug, outside);
  }
}

/** A build folder that exists tells which of several descriptions has been in use. */
async function chosenBefore(
  source: SourcePath,
  root: string,
  found: readonly string[],
  outside: Outside,
): Promise<readonly string[]> {
  if (found.length < 2) return found;
  const isCmake = (await cmakeFolderAbove(outside, source, root)) !== null;
  if (isCmake) return found.filter((name) => name === 'CMakeLists.txt');
  const isGyp =
    isInside(path.join(root, 'build'), source) &&
    (await isFile(outside, path.join(root, 'build/config.gypi')));
  return isGyp ? found.filter((name) => name === 'binding.gyp') : found;
}

/** Where CMake was started without cmake-js, its own build goes on. */
async function cmakeToolOf(source: SourcePath, root: string, outside: Outside): Promise<Detected> {
  const folder = await cmakeFolderAbove(outside, source, root);
  if (folder === null || folder.cmakeJs !== null || folder.kind === null)
    return { tool: 'cmake-js', cwd: root };
  return { tool: folder.kind, cwd: folder.folder };
}

async function findPlain(start: string, outside: Outside): Promise<Detected | null> {
  const cwd = await nearestWith(outside, start, [...MAIN_FILES.ninja, ...MAIN_FILES.make]);
  if (cwd === null) return null;
  const isNinja = await isFile(outside, path.join(cwd, MAIN_FILES.ninja[0]));
  return { tool: isNinja ? 'ninja' : 'make', cwd };
}

/** cargo writes below `target/` and names nothing `.node`: that the CLI of napi-rs does. */
async function cargoCommand(
  source: SourcePath,
  root: string,
  isDebug: boolean,
  outside: Outside,
): Promise<ResolvedCommand> {
  const profile = isDebug ? [] : ['--release'];
  const common = { kind: 'command', cwd: root, env: {} } as const;
  if (isInside(path.join(root, 'target'), source)) {
    return { ...common, command: 'cargo', args: ['build', ...profile] };
  }
  const script = await findNapiCli(root, outside);
  if (script !== null) {
    const isPlatform = /\.[a-z0-9]+-[a-z0-9]+-[a-z0-9]+\.node$/.test(source);
    const args = [script, 'build', ...(isPlatform ? ['--platform'] : []), ...profile];
    return { ...common, command: process.execPath, args };
  }
  throw errors.invalidOption({
    option: 'build',
    found: `'auto', with a Cargo.toml in ${JSON.stringify(root)}, no @napi-rs/cli, and an addon that cargo itself does not write: ${JSON.stringify(source)}`,
    wanted: '@napi-rs/cli in the project, an addon below target/, or { command, args, cwd }',
  });
}

/** @returns absolute path of its script; null when the project does not have it */
async function findNapiCli(root: string, outside: Outside): Promise<string | null> {
  const description = 'node_modules/@napi-rs/cli/package.json';
  const folder = await nearestWith(outside, root, [description]);
  if (folder === null) return null;
  const file = path.join(folder, description);
  try {
    const parsed: unknown = JSON.parse((await readText(outside, file)) ?? '');
    const bin = (parsed as { bin?: { napi?: unknown } } | null)?.bin?.napi;
    return typeof bin === 'string' ? path.resolve(path.dirname(file), bin) : null;
  } catch {
    return null;
  }
}
