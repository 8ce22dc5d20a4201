/** `napi-reload dev --json`: what a program is told, and what becomes of apps of many kinds. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { compiledSource } from '../../../support/compiled.ts';
import { createProject, kernel, type Project } from './project.ts';
import { Running } from './running.ts';

let project: Project;
let dev: Running;

beforeEach(() => {
  project = createProject();
});

afterEach(async () => {
  await dev[Symbol.asyncDispose]();
  project.expectNothingLeft(dev.pids);
  project[Symbol.dispose]();
});

function start(words: readonly string[] = ['app.cjs'], env?: NodeJS.ProcessEnv): void {
  dev = new Running(project, ['--json', ...words], env);
}

const addon = (): string => path.join(project.root, 'out/kernel.node');
const edit = (value: number | string, more?: string): void => project.save('kernel.c', kernel(value, more));

/** Until the app has told of its addon and nothing is left to do. */
async function startApp(words?: readonly string[]): Promise<void> {
  start(words);
  await dev.next('opened');
}

describe('the events', () => {
  test('tell of a round from the change to the rest, in their order', async () => {
    await startApp();
    edit(2);
    await dev.next('changed');
    await dev.next('idle');
    const types = dev.events.map(({ type }) => type).filter((type) => type !== 'addon');
    expect(types).toEqual([
      ...['start', 'building', 'built', 'app-started', 'idle', 'connected', 'opened'],
      ...['changed', 'building', 'built', 'reloading', 'reloaded', 'idle'],
    ]);
    const [changed, built] = [
      dev.events.find(({ type }) => type === 'changed'),
      dev.events.filter(({ type }) => type === 'built').at(-1),
    ];
    expect(changed).toMatchObject({ type: 'changed', files: [path.join(project.root, 'kernel.c')] });
    expect(built).toMatchObject({ project: project.root, diagnostics: [], skipped: false });
    const [reloaded] = dev.events.filter((event) => event.type === 'reloaded');
    expect(reloaded).toMatchObject({
      verb: 'reload',
      outcomes: [
        {
          ...{ addon: addon(), outcome: 'reloaded', from: 1, serving: 2, state: 'stateless' },
          ...{
            threads: 1,
            processes: 1,
            failure: null,
            restartBecause: null,
            retired: { outcome: 'unloaded' },
          },
          kept: { count: 0, bytes: 0, because: [] },
        },
      ],
    });
    expect(Object.keys(reloaded?.outcomes[0]?.phasesMs ?? {})).toEqual(
      expect.arrayContaining(['stage', 'load', 'swap', 'retire']),
    );
    for (const event of dev.events)
      expect((event as unknown as { timeMs: number }).timeMs).toBeGreaterThan(1e12);
  });

  test('have all of standard output to themselves: what the app writes goes to standard error', async () => {
    await startApp();
    expect(await dev.line('error', /^value 1$/)).toBe('value 1');
    expect(dev.events.length).toBeGreaterThan(0);
    expect(dev.error.filter((line) => line.includes('[napi-reload]'))).toEqual([]);
  });

  test('tell how long a change waited: as long as was asked for, and no less', async () => {
    await startApp(['--delay', '150ms', '--poll', '20', 'app.cjs']);
    edit(2);
    expect((await dev.next('changed')).detectMs).toBeGreaterThan(149);
    expect((await dev.next('reloaded')).outcomes).toMatchObject([{ serving: 2 }]);
  });

  test('tell of a build that failed with its messages, and of the one that mends it', async () => {
    await startApp();
    edit('oops');
    const failed = await dev.next('build-failed');
    expect(failed).toMatchObject({ project: project.root, code: 'ERR_BUILD_FAILED' });
    expect(failed.diagnostics[0]).toMatchObject({
      file: path.join(project.root, 'kernel.c'),
      ...{ line: 5, column: 26, severity: 'error' },
    });
    expect(failed.summary).toMatch(/^kernel\.c:5: .oops. undeclared/);
    edit(2);
    expect((await dev.next('reloaded')).outcomes).toMatchObject([{ serving: 2 }]);
  });
});

describe('an app', () => {
  test('of several threads and processes has all of them reload as one', async () => {
    project.write(
      'app.cjs',
      `const { Worker, isMainThread } = require('node:worker_threads');
       const { fork } = require('node:child_process');
       const kernel = require('./out/kernel.node');
       if (isMainThread && process.argv[2] !== 'child') {
         new Worker(__filename);
         fork(__filename, ['child']);
       }
       setInterval(() => kernel.value(), 1000);`,
    );
    start();
    for (let opened = 0; opened < 3; opened++) await dev.next('opened');
    edit(2);
    const { outcomes } = await dev.next('reloaded');
    expect(outcomes).toMatchObject([
      { outcome: 'reloaded', threads: 3, processes: 2, serving: 2, failure: null },
    ]);
    const places = dev.events.flatMap((event) =>
      event.type === 'addon' && event.event.name === 'reloaded' ? `${event.pid} ${event.threadId}` : [],
    );
    expect(new Set(places).size).toBe(3);
  });

  test('that a shell or npm starts is reached as well', async () => {
    project.write('package.json', JSON.stringify({ scripts: { start: 'node app.cjs' } }));
    await startApp(['--exec', 'npm start --silent']);
    edit(2);
    expect((await dev.next('reloaded')).outcomes).toMatchObject([{ serving: 2 }]);
    await dev.line('error', /^value 2$/);
  });

  test('gets its own arguments and the environment that the configuration adds', async () => {
    const config = JSON.parse(fs.readFileSync(path.join(project.root, 'napi-reload.config.json'), 'utf8'));
    project.write(
      'napi-reload.config.json',
      JSON.stringify({
        ...config,
        dev: { script: 'app.cjs', args: ['--port', '1'], env: { COLOUR: 'blue' } },
      }),
    );
    project.write('app.cjs', 'console.log(JSON.stringify([...process.argv.slice(2), process.env.COLOUR]))');
    start(['app.cjs', '--json', 'here']);
    expect(await dev.line('error', /blue/)).toBe('["--json","here","blue"]');
    await dev[Symbol.asyncDispose]();
    start([]);
    expect(await dev.line('error', /blue/)).toBe('["--port","1","blue"]');
  });

  test('that does not answer is told of, and waited for', async () => {
    await startApp();
    const [started] = dev.events.filter((event) => event.type === 'app-started');
    process.kill(started?.pid ?? 0, 'SIGSTOP');
    edit(2);
    expect(await dev.next('waiting')).toMatchObject({ pid: started?.pid, threadId: 0 });
    process.kill(started?.pid ?? 0, 'SIGCONT');
    expect((await dev.next('reloaded')).outcomes).toMatchObject([{ outcome: 'reloaded', serving: 2 }]);
  });

  test('that reloads an addon by itself is told of', async () => {
    project.write(
      'app.cjs',
      `const kernel = require('./out/kernel.node');
       import(process.env.HANDLES).then(({ getAddon }) => getAddon(kernel).reload({ force: true }));
       setInterval(() => {}, 1000);`,
    );
    start(['app.cjs'], { HANDLES: path.join(compiledSource(), 'index.js') });
    const told = await dev.next('addon', ({ event }) => event.name === 'reloaded');
    expect(told).toMatchObject({ asked: false, event: { from: 1, to: 2 } });
  });

  test('that asks to be started again is, but not for ever', async () => {
    project.write(
      'app.cjs',
      `require('./out/kernel.node');
       import(process.env.HOT).then(({ hot }) => hot.invalidate('again'));
       setInterval(() => {}, 1000);`,
    );
    start(['app.cjs'], { HOT: path.join(compiledSource(), 'hot.js') });
    expect((await dev.next('restarting')).because).toBe('the app asks for it: again');
    const warning = await dev.next('warning');
    expect(warning).toMatchObject({ code: 'invalidate' });
    expect(dev.events.filter(({ type }) => type === 'restarting')).toHaveLength(5);
  });
});

describe('a version that cannot be swapped in place', () => {
  const schema = (number: number, saves: boolean): string => `
    napi_value hooks, schema;
    napi_create_object(env, &hooks);
    napi_create_int32(env, ${number}, &schema);
    napi_set_named_property(env, hooks, "schema", schema);
    ${saves ? 'napi_create_function(env, "save", 4, Value, NULL, &value); napi_set_named_property(env, hooks, "save", value);' : ''}
    napi_create_function(env, "init", 4, Value, NULL, &value);
    napi_set_named_property(env, hooks, "init", value);
    napi_set_named_property(env, exports, "napiReload", hooks);`;

  test('says that a restart would help, and does none by itself', async () => {
    edit(1, schema(1, true));
    await startApp();
    edit(2, schema(2, true));
    const { outcomes } = await dev.next('reloaded');
    expect(outcomes).toMatchObject([
      {
        ...{ outcome: 'failed', serving: 1, failure: { code: 'ERR_STATE_SCHEMA' } },
        restartBecause: 'a fresh process has no state to carry over',
      },
    ]);
    await dev.next('idle');
    expect(dev.events.filter(({ type }) => type === 'restarting')).toEqual([]);
  });

  test('has the app started again where that was asked for', async () => {
    edit(1, schema(1, true));
    await startApp(['--fallback', 'restart', 'app.cjs']);
    edit(2, schema(2, true));
    expect((await dev.next('restarting')).because).toBe('a fresh process has no state to carry over');
    expect((await dev.next('opened')).handle.serving).toBe(1);
    await dev.line('error', /^value 2$/);
  });
});

describe('addons', () => {
  test('that only the app knows of are built and watched from when it opens them', async () => {
    project.write('napi-reload.config.json', '{}');
    const other = project.scratch.file('elsewhere');
    fs.mkdirSync(other);
    fs.writeFileSync(path.join(other, 'kernel.c'), kernel(1));
    fs.writeFileSync(
      path.join(other, 'binding.gyp'),
      "{ 'targets': [{ 'target_name': 'kernel', 'sources': ['kernel.c'] }] }",
    );
    const first = new Running(project, [
      '--json',
      '--addon',
      path.join(other, 'build/Release/kernel.node'),
      '--exit-with-app',
      '--exec',
      'true',
    ]);
    expect(await first.end).toEqual({ exitCode: 0, signal: null });
    project.write(
      'app.cjs',
      `const kernel = require(${JSON.stringify(path.join(other, 'build/Release/kernel.node'))});\nsetInterval(() => kernel.value(), 1000);`,
    );
    start();
    expect((await dev.next('start')).projects).toEqual([]);
    expect(await dev.next('project')).toMatchObject({ root: fs.realpathSync(other), builder: 'node-gyp' });
    await dev.next('built');
    await dev.next('idle');
    fs.writeFileSync(path.join(other, 'kernel.c'), kernel(2));
    const { outcomes } = await dev.next('reloaded', (event) =>
      event.outcomes.some(({ outcome }) => outcome === 'reloaded'),
    );
    expect(outcomes).toMatchObject([{ serving: 2 }]);
  });

  test('that somebody builds by hand go live, and are not built over', async () => {
    await startApp();
    const config = JSON.parse(fs.readFileSync(path.join(project.root, 'napi-reload.config.json'), 'utf8'));
    const { args } = config.addons['out/kernel.node'].build;
    project.write('by-hand.c', kernel(7));
    const byHand = args.map((word: string) =>
      word === 'kernel.c' ? 'by-hand.c' : word === 'out/kernel.node' ? 'out/new' : word,
    );
    spawnSync('gcc', byHand, { cwd: project.root, stdio: 'inherit' });
    fs.renameSync(path.join(project.root, 'out/new'), addon());
    expect((await dev.next('changed')).files).toEqual([addon()]);
    expect((await dev.next('reloaded')).outcomes).toMatchObject([{ serving: 2 }]);
    await dev.line('error', /^value 7$/);
    expect(dev.events.filter(({ type }) => type === 'building')).toHaveLength(1);
  });
});
