/** What `--print-config` prints. */
import { expect, test } from 'vitest';
import { printConfig } from '../../../src/config/print.ts';
import { resolveConfig } from '../../../src/config/resolve.ts';

const printed = (...args: Parameters<typeof printConfig>): unknown => JSON.parse(printConfig(...args));

test('a configuration is printed with its defaults, and where each part is from', () => {
  const file = '/p/napi-reload.config.mjs';
  const up = (state: object) => state;
  const config = resolveConfig(
    {
      watch: { ignore: [/\.tmp$/] },
      options: {
        history: 1,
        migrate: {
          1: up,
          2: {
            down: (
              () => () =>
                1
            )(),
          },
        },
      },
      addons: { 'a.node': { history: 2 }, '*.node': { build: false, history: 3 } },
      dev: { script: 'app.js', delayMs: 5, pollMs: 100 },
    },
    { file, folder: '/p' },
  );
  const commandLine = { delayMs: 7, json: false, pollMs: undefined };
  expect(printed(config, { addons: ['/p/a.node', '/q/b.node'], commandLine: commandLine as object })).toEqual(
    {
      file,
      folder: '/p',
      include: null,
      exclude: ['**/node_modules/**'],
      build: null,
      watch: { ignore: ['/\\.tmp$/'] },
      options: { history: 1, migrate: { 1: '[function up]', 2: { down: '[function]' } } },
      addons: { 'a.node': { history: 2 }, '*.node': { build: false, history: 3 } },
      dev: {
        script: '/p/app.js',
        exec: null,
        args: [],
        nodeArgs: [],
        env: {},
        clearScreen: true,
        fallback: 'none',
        json: false,
        delayMs: 7,
        pollMs: 100,
      },
      from: {
        include: 'default',
        exclude: 'default',
        build: 'default',
        watch: file,
        options: file,
        addons: file,
        'dev.script': file,
        'dev.exec': 'default',
        'dev.args': 'default',
        'dev.nodeArgs': 'default',
        'dev.env': 'default',
        'dev.clearScreen': 'default',
        'dev.fallback': 'default',
        'dev.json': 'command line',
        'dev.delayMs': 'command line',
        'dev.pollMs': file,
      },
      opened: {
        '/p/a.node': {
          included: true,
          options: {
            watch: { ignore: ['/\\.tmp$/'] },
            build: false,
            history: 2,
            migrate: { 1: '[function up]', 2: { down: '[function]' } },
          },
          from: {
            watch: 'watch',
            history: 'addons["a.node"].history',
            migrate: 'options.migrate',
            build: 'addons["*.node"].build',
          },
        },
        '/q/b.node': {
          included: true,
          options: {
            watch: { ignore: ['/\\.tmp$/'] },
            history: 1,
            migrate: { 1: '[function up]', 2: { down: '[function]' } },
          },
          from: { watch: 'watch', history: 'options.history', migrate: 'options.migrate' },
        },
      },
    },
  );
});

test('no configuration is printed as the defaults', () => {
  const config = resolveConfig({}, { file: null, folder: '/p' });
  expect(printed(config)).toMatchObject({ file: null, options: {}, addons: {}, dev: { script: null } });
  const { from } = printed(config) as { from: Record<string, string> };
  expect(new Set(Object.values(from))).toEqual(new Set(['default']));
});
