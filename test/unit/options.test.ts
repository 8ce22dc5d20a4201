import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { resolveOptions } from '../../src/options.ts';
import { defaultStageDir } from '../../src/user-folder.ts';
import { resolveReloadOptions, resolveRollback } from '../../src/reload-options.ts';

describe('resolveOptions', () => {
  test('fills in every default', () => {
    expect(resolveOptions()).toEqual({
      isolation: 'inline',
      host: { env: {}, execArgv: [], maxRssBytes: null, resourceLimits: {}, spare: true, reuse: false },
      supervise: { maxCrashes: 5, withinMs: 60_000, backoffMs: 100, backoffMaxMs: 5_000 },
      checkpointMs: 1_000,
      callTimeoutMs: null,
      scope: 'thread',
      rehearse: false,
      fallback: null,
      reclaim: 'auto',
      drainTimeoutMs: 1_000,
      build: { kind: 'none' },
      watch: null,
      migrate: new Map(),
      verify: true,
      history: 5,
      hookTimeoutMs: 10_000,
      buildTimeoutMs: 300_000,
      integrity: null,
      stageDir: defaultStageDir(),
      signal: null,
      onProgress: null,
    });
  });

  test('makes relative folders absolute and fills in the parts of nested options', () => {
    const options = resolveOptions({
      stageDir: 'staged',
      watch: { paths: ['src'] },
      build: { command: 'make' },
    });
    expect(options.stageDir).toBe(path.resolve('staged'));
    expect(options.watch).toEqual({ paths: ['src'], ignore: [], debounceMs: 30, persistent: true });
    expect(options.build).toEqual({ kind: 'command', command: 'make', args: [], cwd: null, env: {} });
  });

  test('takes a builder by its name, or in full', () => {
    const named = { kind: 'tool', tool: 'auto', configuration: null, fast: false, cwd: null };
    expect(resolveOptions({ build: 'auto' }).build).toEqual(named);
    const full = { tool: 'cmake-js', configuration: 'Debug', fast: true, cwd: 'native' };
    expect(resolveOptions({ build: full }).build).toEqual({ kind: 'tool', ...full });
  });

  test.each([
    [null, 'options'],
    ['fast', 'options'],
    [[], 'options'],
    [{ wach: true }, 'wach'],
    [{ build: true }, 'build'],
    [{ build: 'cargo' }, 'build'],
    [{ build: {} }, 'build.command'],
    [{ build: { tool: 'gyp' } }, 'build.tool'],
    [{ build: { tool: 'make', command: 'make' } }, 'build.command'],
    [{ build: { tool: 'make', configuration: 'debug' } }, 'build.configuration'],
    [{ build: { tool: 'auto', fast: 1 } }, 'build.fast'],
    [{ build: { command: 'make', args: 'all' } }, 'build.args'],
    [{ build: { command: 'make', shell: true } }, 'build.shell'],
    [{ build: { command: 'make', env: { A: 1 } } }, 'build.env.A'],
    [{ watch: 'src' }, 'watch'],
    [{ watch: { path: 'src' } }, 'watch.path'],
    [{ watch: { ignore: [7] } }, 'watch.ignore'],
    [{ watch: { debounceMs: -1 } }, 'watch.debounceMs'],
    [{ isolation: 'fork' }, 'isolation'],
    [{ isolation: 'worker', scope: 'process' }, 'scope'],
    [{ host: { cpu: 1 } }, 'host.cpu'],
    [{ host: { spare: 1 } }, 'host.spare'],
    [{ supervise: { maxCrashes: 0 } }, 'supervise.maxCrashes'],
    [{ checkpoint: true }, 'checkpoint'],
    [{ callTimeoutMs: 0 }, 'callTimeoutMs'],
    [{ fallback: 'worker' }, 'fallback'],
    [{ fallback: 'process', scope: 'process' }, 'fallback'],
    [{ rehearse: 1 }, 'rehearse'],
    [{ migrate: [] }, 'migrate'],
    [{ migrate: { one: () => 1 } }, 'migrate'],
    [{ migrate: { 0: () => 1 } }, 'migrate'],
    [{ migrate: { 1: { up: 'x' } } }, 'migrate.1'],
    [{ migrate: { 1: { sideways: () => 1 } } }, 'migrate.1.sideways'],
    [{ migrate: { 1: {} } }, 'migrate.1'],
    [{ verify: false }, 'verify'],
    [{ verify: 'shallow' }, 'verify'],
    [{ history: -1 }, 'history'],
    [{ history: 1.5 }, 'history'],
    [{ history: true }, 'history'],
    [{ reclaim: 'always' }, 'reclaim'],
    [{ reclaim: true }, 'reclaim'],
    [{ drainTimeoutMs: -1 }, 'drainTimeoutMs'],
    [{ drainTimeoutMs: '1s' }, 'drainTimeoutMs'],
    [{ hookTimeoutMs: Number.NaN }, 'hookTimeoutMs'],
    [{ hookTimeoutMs: 2 ** 31 }, 'hookTimeoutMs'],
    [{ buildTimeoutMs: '1s' }, 'buildTimeoutMs'],
    [{ integrity: 'md5-abc' }, 'integrity'],
    [{ stageDir: '' }, 'stageDir'],
    [{ stageDir: 'a\0b' }, 'stageDir'],
    [{ signal: {} }, 'signal'],
    [{ onProgress: 'console' }, 'onProgress'],
  ])('refuses %j and names the option', (options, option) => {
    expect(() => resolveOptions(options)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', details: expect.objectContaining({ option }) }),
    );
  });
});

describe('the migrate steps', () => {
  const step = () => 1;
  test.each([
    [{ 1: step, 3: step }],
    [{ 3: step, 1: step, 4: step }],
    // A step that only leads down is no way up.
    [{ 1: step, 2: { down: step }, 3: step }],
  ])('are refused when a way up is missing between two others, which is named: %#', (migrate) => {
    expect(() => resolveOptions({ migrate })).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_OPTION',
        details: expect.objectContaining({
          option: 'migrate',
          found: expect.stringMatching(/from 1 and from 3, and none from 2 to 3$/),
        }),
      }),
    );
  });

  test.each([
    ['from any schema on', { 7: step, 8: step }, [7, 8]],
    [
      'with ways down that are missing',
      { 1: { up: step, down: step }, 2: step, 3: { up: step, down: step } },
      [1, 2, 3],
    ],
    ['that only lead down', { 1: { down: step }, 3: { down: step } }, [1, 3]],
  ])('are taken %s', (_, migrate, from) => {
    expect([...resolveOptions({ migrate }).migrate.keys()]).toEqual(from);
  });
});

describe('resolveReloadOptions', () => {
  test('fills in the defaults', () => {
    expect(resolveReloadOptions()).toEqual({ force: false, discardState: false, to: null });
  });

  test.each([
    [null],
    [{ forced: true }],
    [{ force: 1 }],
    [{ discardState: 'yes' }],
    [{ to: 0 }],
    [{ to: '1' }],
  ])('refuses %j', (given) => {
    expect(() => resolveReloadOptions(given)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION' }),
    );
  });
});

describe('resolveRollback', () => {
  test('fills in the defaults, and refuses the rest', () => {
    expect(resolveRollback()).toEqual({ discardState: false });
    for (const given of [null, { force: true }, { discardState: 1 }]) {
      expect(() => resolveRollback(given)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }));
    }
  });
});

describe('defaultStageDir', () => {
  test.each([
    [{ XDG_CACHE_HOME: '/x', HOME: '/h' }, '/x/napi-reload'],
    [{ XDG_CACHE_HOME: 'relative', HOME: '/h' }, '/h/.cache/napi-reload'],
    [{ HOME: '' }, path.join(os.tmpdir(), `napi-reload-${process.getuid?.()}`)],
  ])('for %j is %s', (env, expected) => {
    expect(defaultStageDir(env)).toBe(expected);
  });
});
