/** What a configuration may say, what is said of the rest, and what it means for one addon. */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { defineConfig } from '../../../src/config/config.ts';
import { isIncluded, layersFor, optionsFor } from '../../../src/config/options-for.ts';
import { type ResolvedConfig, resolveConfig } from '../../../src/config/resolve.ts';

const folder = '/projects/my (app) [1]/core';
const file = path.join(folder, 'napi-reload.config.json');
const resolve = (given: unknown): ResolvedConfig => resolveConfig(given, { file, folder });
const inside = (name: string): string => path.join(folder, name);

describe('resolveConfig', () => {
  test('fills in every default', () => {
    const { exclude, ...rest } = resolve({});
    expect(exclude.map(({ pattern }) => pattern)).toEqual(['**/node_modules/**']);
    expect(rest).toEqual({
      file,
      folder,
      given: {},
      include: null,
      build: undefined,
      watch: undefined,
      options: {},
      addons: [],
      dev: {
        script: null,
        exec: null,
        args: [],
        nodeArgs: [],
        env: {},
        clearScreen: true,
        fallback: 'none',
        json: false,
        delayMs: null,
        pollMs: null,
      },
    });
  });

  test('takes paths from its folder', () => {
    const config = resolve({
      build: { command: 'make', cwd: 'native' },
      watch: { paths: ['src', '/elsewhere'], ignore: ['src/made', /\.tmp$/] },
      options: { stageDir: '../staged' },
      addons: { 'a.node': { build: { command: 'ninja' } } },
      dev: { script: 'app.js' },
    });
    expect(config.build).toEqual({ command: 'make', cwd: inside('native') });
    expect(config.watch).toEqual({
      paths: [inside('src'), '/elsewhere'],
      ignore: [inside('src/made'), /\.tmp$/],
    });
    expect(config.options).toEqual({ stageDir: '/projects/my (app) [1]/staged' });
    expect(config.addons[0]?.options.build).toEqual({ command: 'ninja' });
    expect(config.dev.script).toBe(inside('app.js'));
  });

  test('allows a schema, and what is undefined as if it were not there', () => {
    const given = { $schema: './schema.json', build: undefined, options: { history: undefined } };
    const { build, watch, options } = resolve(given);
    expect([build, watch, options]).toEqual([undefined, undefined, {}]);
    expect(Object.keys(options)).toEqual([]);
  });

  test.each<[unknown, string | null, string]>([
    [null, null, 'found null (object), wanted an object'],
    [[], null, 'found  (object), wanted an object'],
    [{ wach: true }, 'wach', 'did you mean "watch"?'],
    [{ $schema: 1 }, '$schema', 'found 1 (number)'],
    [{ include: '*.node' }, 'include', 'found "*.node", wanted an array of strings'],
    [{ include: ['a', ''] }, 'include[1]', 'wanted a string that is not empty'],
    [{ include: ['!a'] }, 'include[0]', 'without "!" in front'],
    [{ exclude: [1] }, 'exclude', 'wanted an array of strings'],
    [{ build: 'cargo' }, 'build', 'found "cargo"'],
    [{ build: { command: '' } }, 'build.command', 'wanted a string that is not empty'],
    [{ watch: { debounceMs: '1s' } }, 'watch.debounceMs', 'wanted milliseconds'],
    [{ options: 1 }, 'options', 'wanted an object'],
    [{ options: { signal: 1 } }, 'options.signal', 'found an option of that name'],
    [{ options: { build: false } }, 'options.build', 'found an option of that name'],
    [{ options: { hookTimeoutMS: 1 } }, 'options.hookTimeoutMS', 'did you mean "hookTimeoutMs"?'],
    [{ options: { migrate: { 0: () => 1 } } }, 'options.migrate', 'whole numbers from 1'],
    [{ addons: [] }, 'addons', 'wanted an object'],
    [{ addons: { '': {} } }, 'addons[""]', 'wanted a string that is not empty'],
    [{ addons: { a: 1 } }, 'addons["a"]', 'wanted an object'],
    [{ build: null }, 'build', 'found null, wanted a value, or that it is left out'],
    [{ include: ['a', null] }, 'include[1]', 'found null'],
    [{ addons: { 'a.node': { watch: { ignore: null } } } }, 'addons["a.node"].watch.ignore', 'found null'],
    [
      { addons: { 'build/Release/kernel.node': { hookTimeoutMs: 'x' } } },
      'addons["build/Release/kernel.node"].hookTimeoutMs',
      'found "x", wanted milliseconds from 0 to 2147483647',
    ],
    [{ addons: { a: { wach: true } } }, 'addons["a"].wach', 'did you mean "watch"?'],
    [{ addons: { a: { watch: { path: 'x' } } } }, 'addons["a"].watch.path', 'did you mean "paths"?'],
    [{ dev: { port: 80 } }, 'dev.port', 'found an option of that name'],
    [{ dev: { script: 'a', exec: 'b' } }, 'dev.exec', 'either this or "dev.script"'],
    [{ dev: { args: 'a' } }, 'dev.args', 'wanted an array of strings'],
    [{ dev: { env: { A: 1 } } }, 'dev.env.A', 'wanted a string'],
    [{ dev: { clearScreen: 'no' } }, 'dev.clearScreen', 'wanted true or false'],
    [{ dev: { fallback: 'reboot' } }, 'dev.fallback', "wanted 'restart' or 'none'"],
    [{ dev: { delayMs: -1 } }, 'dev.delayMs', 'wanted milliseconds'],
    [{ dev: { pollMs: 1 } }, 'dev.pollMs', 'wanted at least 10 milliseconds'],
  ])('refuses %j and says where', (given, option, said) => {
    const where = option === null ? '' : `${option}: `;
    expect(() => resolve(given)).toThrow(
      expect.objectContaining({
        code: 'ERR_CONFIG_INVALID',
        details: expect.objectContaining({ file, option }),
        message: expect.stringContaining(`${JSON.stringify(file)}: ${where}found`),
      }),
    );
    expect(() => resolve(given)).toThrow(said);
  });
});

test('a glob that is too long is refused in a message that is not', () => {
  const refused = expect(() => resolve({ exclude: ['x'.repeat(70_000)] }));
  refused.toThrow(/: exclude\[0\]: found "x{79}, wanted a path or glob/);
});

describe('isIncluded', () => {
  test.each<[object, string, boolean]>([
    [{}, 'build/Release/a.node', true],
    [{}, '../other/build/a.node', true],
    [{}, '.cache/a.node', true],
    [{}, 'node_modules/x/a.node', false],
    [{}, 'packages/p/node_modules/.pnpm/x/a.node', false],
    [{}, '../../node_modules/x/a.node', false],
    [{ exclude: [] }, 'node_modules/x/a.node', true],
    [{ exclude: ['vendor'] }, 'vendor/a.node', true],
    [{ exclude: ['vendor/**'] }, 'vendor/a.node', false],
    [{ exclude: ['./vendor/**'] }, 'vendor/a.node', false],
    [{ exclude: ['../other/**'] }, '../other/a.node', false],
    [{ exclude: ['/projects/**/Debug/*'] }, 'build/Debug/a.node', false],
    [{ include: [] }, 'a.node', false],
    [{ include: ['build/**/*.node'] }, 'build/Release/a.node', true],
    [{ include: ['build/**/*.node'] }, 'out/Release/a.node', false],
    [{ include: ['**/*.node'] }, '../other/a.node', false],
    [{ include: ['../other/*.node'] }, '../other/a.node', true],
    [{ include: ['*.node'], exclude: ['a.*'] }, 'a.node', false],
    // Named by its path, and so wanted whatever the globs say.
    [{ addons: { 'node_modules/x/a.node': {} } }, 'node_modules/x/a.node', true],
    [{ addons: { './node_modules/x/a.node': {} } }, 'node_modules/x/a.node', true],
    [{ addons: { 'node_modules/*/a.node': {} } }, 'node_modules/x/a.node', false],
    [{ include: [], addons: { 'odd (1) [a].node': {} } }, 'odd (1) [a].node', true],
  ])('of %j for %s is %s', (given, name, included) => {
    expect(isIncluded(resolve(given), inside(name))).toBe(included);
  });

  test('knows a node_modules that the configuration itself is in from one below it', () => {
    const config = resolveConfig({}, { file: null, folder: '/r/node_modules/own' });
    expect(isIncluded(config, '/r/node_modules/own/a.node')).toBe(true);
    expect(isIncluded(config, '/r/node_modules/other/a.node')).toBe(false);
  });
});

describe('optionsFor', () => {
  const config = resolve(
    defineConfig({
      build: 'node-gyp',
      options: { history: 1, hookTimeoutMs: 1, drainTimeoutMs: 1 },
      addons: {
        'build/Release/a.node': { history: 5 },
        '**/*.node': { history: 2, hookTimeoutMs: 2 },
        'build/**/a.node': { history: 4, watch: true },
        'build/**/*.node': { history: 3, watch: false, build: false },
      },
    }),
  );

  test.each([
    ['build/Release/a.node', { build: false, watch: true, history: 5, hookTimeoutMs: 2, drainTimeoutMs: 1 }],
    ['build/Debug/a.node', { build: false, watch: true, history: 4, hookTimeoutMs: 2, drainTimeoutMs: 1 }],
    ['build/b.node', { build: false, watch: false, history: 3, hookTimeoutMs: 2, drainTimeoutMs: 1 }],
    ['b.node', { build: 'node-gyp', history: 2, hookTimeoutMs: 2, drainTimeoutMs: 1 }],
    ['../b.node', { build: 'node-gyp', history: 1, hookTimeoutMs: 1, drainTimeoutMs: 1 }],
  ])('takes the most exact of what is said of %s', (name, options) => {
    expect(optionsFor(config, inside(name))).toEqual(options);
  });

  test('takes a relative path from the working directory', () => {
    const here = resolveConfig(
      { addons: { 'a.node': { history: 3 } } },
      { file: null, folder: process.cwd() },
    );
    expect(optionsFor(here, 'a.node')).toEqual({ history: 3 });
    expect(optionsFor(here, 'b.node')).toEqual({});
  });

  test('takes the last of equals', () => {
    const equals = resolve({ addons: { '*a.node': { history: 1 }, 'a*.node': { history: 2 } } });
    expect(optionsFor(equals, inside('a.node'))).toEqual({ history: 2 });
  });

  test('leaves no name of a part out', () => {
    const names = layersFor(config, inside('build/Release/a.node')).map(({ name }) => name);
    expect(names).toEqual([
      '',
      'options',
      'addons["**/*.node"]',
      'addons["build/**/*.node"]',
      'addons["build/**/a.node"]',
      'addons["build/Release/a.node"]',
    ]);
  });
});
