import { afterEach, beforeEach, expect, test } from 'vitest';
import { detect } from '../../../src/build/auto.ts';
import type { SourcePath } from '../../../src/brands.ts';
import { isReloadError } from '../../../src/errors.ts';
import { realOutside } from '../../../src/outside.ts';
import {
  build,
  configureCmake,
  isInstalled,
  makeProject,
  type Project,
  writeCmake,
  writeGyp,
  writeMakefile,
  writeSources,
} from '../../support/projects.ts';

let project: Project;

beforeEach(() => {
  project = makeProject();
  writeSources(project);
});

afterEach(() => project.remove());

const found = (file?: string) =>
  detect((file === undefined ? project.addon : project.at(file)) as SourcePath, null, false, realOutside);

async function refusal(file?: string): Promise<string> {
  const error: unknown = await found(file).catch((reason: unknown) => reason);
  if (!isReloadError(error, 'ERR_INVALID_OPTION')) throw error;
  expect(error.details.option).toBe('build');
  return error.details.found;
}

test('a binding.gyp is for node-gyp, a CMakeLists.txt for cmake-js, the nearest one of both', async () => {
  writeGyp(project);
  expect(await found()).toEqual({ tool: 'node-gyp', cwd: project.root });
  project.write('native/CMakeLists.txt', '');
  expect(await found('native/build/Release/kernel.node')).toEqual({
    tool: 'cmake-js',
    cwd: project.at('native'),
  });
});

test('a build that is found by itself builds', async () => {
  writeGyp(project);
  expect((await build(await project.builder('auto'))).configured).toBe(true);
});

test.skipIf(!isInstalled('cmake')).each(['Ninja', 'Unix Makefiles'] as const)(
  'a folder that CMake alone has configured is built on with what it is for: %s',
  async (generator) => {
    if (generator === 'Ninja' && !isInstalled('ninja')) return;
    writeCmake(project);
    configureCmake(project, generator);
    const tool = generator === 'Ninja' ? 'ninja' : 'make';
    expect(await found()).toEqual({ tool, cwd: project.at('build') });
  },
);

test.skipIf(!isInstalled('cmake'))('a folder that cmake-js has configured is built on with it', async () => {
  writeCmake(project);
  await build(await project.builder('cmake-js'));
  expect(await found()).toEqual({ tool: 'cmake-js', cwd: project.root });
});

test('a Makefile or a build.ninja alone is run where it is', async () => {
  writeMakefile(project);
  expect(await found()).toEqual({ tool: 'make', cwd: project.root });
  project.write('build/build.ninja', '');
  expect(await found()).toEqual({ tool: 'ninja', cwd: project.at('build') });
});

test('of several descriptions the one is taken that has been in use', async () => {
  writeGyp(project);
  project.write('CMakeLists.txt', '');
  expect(await refusal()).toContain('binding.gyp and CMakeLists.txt');
  await build(await project.builder('node-gyp'));
  expect(await found()).toEqual({ tool: 'node-gyp', cwd: project.root });
});

test('nothing that tells is one clear refusal', async () => {
  expect(await refusal()).toContain("'auto', but no binding.gyp");
});

test('a Cargo.toml is for cargo below target/, and for the CLI of napi-rs elsewhere', async () => {
  project.write('Cargo.toml', '');
  const own = await found('target/release/libkernel.so');
  expect(own).toMatchObject({
    kind: 'command',
    command: 'cargo',
    args: ['build', '--release'],
    cwd: project.root,
  });
  expect(await refusal('kernel.node')).toContain('no @napi-rs/cli');
  project.write(
    'node_modules/@napi-rs/cli/package.json',
    '{ "name": "@napi-rs/cli", "bin": { "napi": "./dist/cli.js" } }',
  );
  const script = project.at('node_modules/@napi-rs/cli/dist/cli.js');
  expect(await found('kernel.node')).toMatchObject({ args: [script, 'build', '--release'] });
  expect(await found('kernel.linux-x64-gnu.node')).toMatchObject({
    args: [script, 'build', '--platform', '--release'],
  });
});
