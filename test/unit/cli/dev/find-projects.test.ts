/** Which addons are found before anything is built. */
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addonsIn, findAddons, projectOf } from '../../../../src/cli/dev/find-projects.ts';
import { realOutside } from '../../../../src/outside.ts';
import { createScratch, type Scratch } from '../../../support/addons.ts';

let scratch: Scratch;

beforeEach(() => {
  scratch = createScratch();
});

afterEach(() => scratch[Symbol.dispose]());

const names = (addons: readonly string[] | null): readonly string[] | undefined =>
  addons?.map((addon) => path.relative(scratch.path, addon));

describe('of a binding.gyp', () => {
  const addonsOf = async (text: string) => {
    scratch.write('binding.gyp', text);
    return names(await addonsIn(realOutside, scratch.path));
  };

  test('all targets that make an addon are, by the names of their files', async () => {
    const text = `{
      # comments, and commas at the end
      'variables': { 'module_name%': 'by_variable' },
      'targets': [
        { 'target_name': 'plain' },
        { 'target_name': 'renamed', 'product_name': 'other' },
        { 'target_name': '<(module_name)', 'type': 'loadable_module' },
        { 'target_name': 'library', 'type': 'static_library' },
        { 'target_name': 'copies', 'type': 'none' },
        { 'target_name': '<!(node -p 1)' },
      ],
    }`;
    const built = ['plain', 'other', 'by_variable'].map((name) => `build/Release/${name}.node`);
    expect(await addonsOf(text)).toEqual(built);
  });

  test.each(['{ "targets": [', 'exec("1")', '[]', ''])('%j has none', async (text) => {
    expect(await addonsOf(text)).toEqual([]);
  });
});

describe('of a CMakeLists.txt', () => {
  const addonsOf = async (text: string) => {
    scratch.write('CMakeLists.txt', text);
    return names(await addonsIn(realOutside, scratch.path));
  };

  test('libraries that cmake-js builds are', async () => {
    const text = `project(kernel)
      # add_library(commented SHARED a.cc)
      add_library(\${PROJECT_NAME} SHARED a.cc \${CMAKE_JS_SRC})
      add_library(second MODULE b.cc)
      add_library(core STATIC c.cc)
      set_target_properties(\${PROJECT_NAME} PROPERTIES PREFIX "" SUFFIX ".node")`;
    expect(await addonsOf(text)).toEqual(['build/Release/kernel.node', 'build/Release/second.node']);
  });

  test('that is for something else, there is no project', async () => {
    expect(await addonsOf('project(game)\nadd_library(engine SHARED a.cc)')).toBeUndefined();
  });
});

test('a folder is searched two levels deep, and not where dependencies and results are', async () => {
  const gyp = (name: string): string => `{ 'targets': [{ 'target_name': '${name}' }] }`;
  for (const folder of [
    'native',
    'packages/a',
    'packages/b',
    'one/two/three',
    'node_modules/dep',
    'test',
    'build',
  ]) {
    scratch.write(`${folder}/binding.gyp`, gyp(path.basename(folder)));
  }
  scratch.write('packages/a/inner/binding.gyp', gyp('inner'));
  const found = await findAddons(realOutside, scratch.path);
  expect([...found.keys()].map((folder) => path.relative(scratch.path, folder))).toEqual([
    'native',
    'packages/a',
    'packages/b',
  ]);
  expect([...found.values()].flatMap(names)).toEqual(
    ['native', 'packages/a', 'packages/b'].map(
      (folder) => `${folder}/build/Release/${path.basename(folder)}.node`,
    ),
  );
  scratch.write('binding.gyp', gyp('top'));
  expect([...(await findAddons(realOutside, scratch.path)).keys()]).toEqual([scratch.path]);
});

test('the project of an addon is above it; an addon of a dependency has none here', async () => {
  scratch.write('native/binding.gyp', '{}');
  scratch.write('node_modules/dep/binding.gyp', '{}');
  const at = (name: string): Promise<string | null> => projectOf(realOutside, scratch.write(name, ''));
  expect(await at('native/build/Release/kernel.node')).toBe(scratch.file('native'));
  expect(await at('node_modules/dep/build/Release/dep.node')).toBeNull();
});
