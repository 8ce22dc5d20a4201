/** `napi-reload dev` where nobody looks at a screen: pipes, CI, editors; and command lines that are refused. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Terminal } from '../../../support/terminal.ts';
import { createProject, kernel, type Project } from './project.ts';
import { Running } from './running.ts';

let project: Project;

beforeEach(() => {
  project = createProject();
});

afterEach(() => project[Symbol.dispose]());

const edit = (value: number | string): void => project.save('kernel.c', kernel(value));
const own = (lines: readonly string[]): readonly string[] =>
  lines
    .filter((line) => line.startsWith('[napi-reload]'))
    .map((line) => line.replace(/\d+(\.\d+)? (ms|s)\b/g, '<time>').replace(/(?<=in all: ).*/, '<stages>'));

function refused(words: readonly string[]) {
  const [command = '', ...args] = project.dev(...words);
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: project.root,
    env: project.env,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('standard output is the app alone, and lines of its own go to standard error, without colours', async () => {
  await using dev = new Running(project, ['app.cjs']);
  await dev.line('out', /^value 1$/);
  edit('oops');
  await dev.line('error', /the build of kernel failed, 1 error/);
  edit(2);
  await dev.line('out', /^value 2$/);
  await dev.line('error', /v2 serves/);
  dev.kill('SIGINT');
  expect(await dev.end).toEqual({ exitCode: 130, signal: null });
  expect(dev.out.filter((line) => !/^pid \d+$/.test(line))).toEqual(['value 1', 'value 2']);
  expect(own(dev.error).slice(0, 15)).toEqual([
    '[napi-reload] napi-reload 0.1.0',
    '[napi-reload] kernel in ., built by gcc',
    '[napi-reload] building kernel',
    '[napi-reload] kernel built in <time>, 0 errors',
    '[napi-reload] started app.cjs',
    '[napi-reload] watching for changes',
    '[napi-reload] kernel.c changed',
    '[napi-reload] building kernel',
    '[napi-reload] the build of kernel failed, 1 error',
    expect.stringMatching(/^\[napi-reload\] serving v1, the build of kernel failed: kernel\.c:5: /),
    '[napi-reload] watching for changes',
    '[napi-reload] kernel.c changed',
    '[napi-reload] building kernel',
    '[napi-reload] kernel built in <time>, 0 errors',
    '[napi-reload] kernel v2 serves, v1 was unloaded',
  ]);
  expect(dev.error.join('\n')).not.toContain('\x1b');
});

test('messages of compilers have the form that editors look for, between two lines that are always the same', async () => {
  const matcher = problemMatcher();
  edit('oops');
  await using dev = new Running(project, ['app.cjs']);
  await dev.line('error', /waiting for changes/);
  const begins = dev.error.findIndex((line) => new RegExp(matcher.background.beginsPattern).test(line));
  const ends = dev.error.findIndex((line) => new RegExp(matcher.background.endsPattern).test(line));
  expect(begins).toBeGreaterThan(-1);
  expect(ends).toBeGreaterThan(begins);
  const problems = dev.error.slice(begins, ends).flatMap((line) => {
    const found = new RegExp(matcher.pattern.regexp).exec(line);
    return found === null ? [] : [found];
  });
  const { file, line, column, severity, message } = matcher.pattern;
  expect(problems.map((groups) => [file, line, column, severity].map((index) => groups[index]))).toEqual([
    ['kernel.c', '5', '26', 'error'],
    ['kernel.c', '5', '26', 'note'],
  ]);
  expect(problems[0]?.[message]).toMatch(/oops/);
});

test('GitHub is told of messages beside the source', async () => {
  edit('oops');
  await using dev = new Running(project, ['app.cjs'], {
    GITHUB_ACTIONS: 'true',
    GITHUB_WORKSPACE: path.dirname(project.root),
  });
  expect(await dev.line('error', /^::error /)).toMatch(
    /^::error file=project\/kernel\.c,line=5,col=26::.oops. undeclared/,
  );
});

test('colours are there where they are asked for', async () => {
  await using dev = new Running(project, ['app.cjs'], { FORCE_COLOR: '1' });
  const line = await dev.line('error', /building kernel$/);
  expect(line).toBe('\x1b[2m[napi-reload]\x1b[22m building kernel');
});

test.each([
  [{ CI: 'true' }, [], true],
  [{ TERM: 'dumb' }, [], true],
  [{ NO_COLOR: '1' }, [], false],
  [{}, ['--inherit'], true],
])('a terminal with %j and %j has no status and no keys: %s', async (env, words, isPlain) => {
  await using terminal = new Terminal(project.dev(...words, 'app.cjs'), {
    cwd: project.root,
    env: { ...project.env, ...env },
  });
  await terminal.untilRow(/^value 1$/);
  await terminal.untilRow(/watching for changes$/);
  if (isPlain) expect(terminal.rows).toContain('[napi-reload] napi-reload 0.1.0');
  else {
    await terminal.untilStatus(/^serving v1 · watching · h for help$/);
    expect(terminal.colorOf('serving v1')).toBe(terminal.colorOf('value 1'));
  }
});

test('an app that has the terminal knows it', async () => {
  project.write('app.cjs', 'console.log("is a terminal:", process.stdout.isTTY, process.stdin.isTTY);');
  await using terminal = new Terminal(project.dev('--inherit', 'app.cjs'), {
    cwd: project.root,
    env: project.env,
  });
  await terminal.untilRow(/^is a terminal: true true$/);
});

describe('a command line', () => {
  test.each([
    [[], 'Nothing to run: give the script that loads the addon, or --exec with a command line'],
    [
      ['nosuch.js'],
      'Cannot run "nosuch.js": there is no such file; give the script that loads the addon, or --exec with a command line',
    ],
    [
      ['--exec', 'true', 'app.cjs'],
      'Cannot run both --exec "true" and the script "app.cjs": give one of them',
    ],
  ])('of %j is refused with exit code 2', (words, message) => {
    expect(refused(words)).toEqual({
      status: 2,
      stdout: '',
      stderr: `${message}\nSee napi-reload dev --help\n`,
    });
  });

  test('may name an addon that nothing builds: it is refused in a line', () => {
    project.write('napi-reload.config.json', '{}');
    const { status, stderr } = refused(['--addon', 'out/other.node', 'app.cjs']);
    expect(status).toBe(1);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/^ERR_INVALID_OPTION: Cannot use option "build"/);
  });

  test('may ask what is in force', () => {
    const { status, stdout } = refused(['--print-config', '--delay', '50ms', 'app.cjs']);
    expect(status).toBe(0);
    const printed = JSON.parse(stdout);
    expect(printed.dev).toMatchObject({ script: 'app.cjs', delayMs: 50 });
    expect(printed.from['dev.delayMs']).toBe('command line');
    expect(Object.keys(printed.opened)).toEqual([path.join(project.root, 'out/kernel.node')]);
  });
});

test('a project is found without any configuration, below the folder or above it', async () => {
  fs.rmSync(path.join(project.root, 'napi-reload.config.json'));
  project.write('native/binding.gyp', "{ 'targets': [{ 'target_name': 'deep', 'sources': ['deep.c'] }] }");
  project.write('node_modules/other/binding.gyp', "{ 'targets': [{ 'target_name': 'other' }] }");
  project.write('app/index.cjs', '');
  const found = (cwd: string): readonly string[] => {
    const [command = '', ...args] = project.dev('--print-config');
    const options = { cwd: path.join(project.root, cwd), env: project.env, encoding: 'utf8' } as const;
    return Object.keys(JSON.parse(spawnSync(command, args, options).stdout).opened ?? {});
  };
  const deep = path.join(project.root, 'native/build/Release/deep.node');
  expect(found('.')).toEqual([deep]);
  expect(found('native')).toEqual([deep]);
  project.write('native/lib/package.json', '{}');
  expect(found('native/lib')).toEqual([deep]);
  expect(found('app')).toEqual([]);
});

/** The one that the documentation gives. */
function problemMatcher(): {
  readonly background: { readonly beginsPattern: string; readonly endsPattern: string };
  readonly pattern: Readonly<Record<'file' | 'line' | 'column' | 'severity' | 'message', number>> & {
    readonly regexp: string;
  };
} {
  const text = fs.readFileSync(path.resolve(import.meta.dirname, '../../../../docs/dev.md'), 'utf8');
  const block = /```json[^\n]*\n(\{\s*"version": "2\.0\.0"[\s\S]*?)```/.exec(text)?.[1] ?? '';
  return JSON.parse(block).tasks[0].problemMatcher;
}
