/** How `napi-reload dev` ends: nothing of it is left, whoever ends it, and whatever it is at. */
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Terminal } from '../../../support/terminal.ts';
import { APP, createProject, isRunning, type Project } from './project.ts';
import { Running } from './running.ts';

let project: Project;

beforeEach(() => {
  project = createProject();
});

afterEach(() => project[Symbol.dispose]());

/** Starts a child of its own in its process group, and ends for no signal that it can help. */
const STUBBORN = `for (const name of ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP']) process.on(name, () => console.log('got', name));
const { spawn } = require('node:child_process');
console.log('child', spawn('sleep', ['1000'], { stdio: 'ignore' }).pid);
${APP}`;

/** Of bash. */
const PROMPT = /[$#] $/;

const pidsOf = (lines: readonly string[]): readonly number[] =>
  lines.flatMap((line) => Number(/^(?:pid|child) (\d+)$/.exec(line)?.[1] ?? Number.NaN) || []);

describe('in a terminal', () => {
  async function startApp(app: string): Promise<Terminal> {
    project.write('app.cjs', app);
    const terminal = new Terminal(project.dev('app.cjs'), { cwd: project.root, env: project.env });
    await terminal.untilRow(/^value 1$/);
    await terminal.untilStatus(/^serving v1 · watching/);
    return terminal;
  }

  test.each([
    ['Ctrl-C', '\x03', 130],
    ['q', 'q', 0],
    ['Ctrl-D', '\x04', 0],
  ])('%s ends the app, and leaves the terminal as it was', async (_, key, exitCode) => {
    await using terminal = await startApp(APP);
    const pids = [await terminal.pid, ...pidsOf(terminal.history)];
    expect(pids).toHaveLength(2);
    terminal.type(key);
    expect(await terminal.end).toEqual({ exitCode });
    project.expectNothingLeft(pids);
    expect(terminal.rows.at(-1)).toBe('value 1');
    expect(terminal.isCursorHidden).toBe(false);
  });

  test('the app is told of Ctrl-C as it is by a terminal, and may take its time', async () => {
    await using terminal = await startApp(
      `process.on('SIGINT', () => { console.log('saving'); process.exitCode = 0; clearInterval(timer); });
       ${APP.replace('setInterval(', 'const timer = setInterval(')}`,
    );
    const pids = [await terminal.pid, ...pidsOf(terminal.history)];
    terminal.type('\x03');
    expect(await terminal.end).toEqual({ exitCode: 130 });
    expect(terminal.rows).toContain('saving');
    project.expectNothingLeft(pids);
  });

  test.each([
    ['a second Ctrl-C', '\x03', 'SIGINT'],
    ['Ctrl-C after q', 'q', 'SIGTERM'],
  ])('%s kills what does not end', async (_, key, signal) => {
    await using terminal = await startApp(STUBBORN);
    const pids = [await terminal.pid, ...pidsOf(terminal.history)];
    expect(pids).toHaveLength(3);
    terminal.type(key);
    await terminal.untilRow(new RegExp(`^got ${signal}$`));
    await terminal.untilStatus(/^ending the app · Ctrl-C once more kills it$/);
    expect(pids.filter(isRunning)).toContain(pids[0]);
    terminal.type('\x03');
    expect(await terminal.end).toEqual({ exitCode: 130 });
    project.expectNothingLeft(pids);
  });

  test('a terminal that is closed ends all', async () => {
    const terminal = await startApp(APP);
    const pids = [await terminal.pid, ...pidsOf(terminal.history)];
    await terminal[Symbol.asyncDispose]();
    expect(await terminal.end).toEqual({ exitCode: 129 });
    project.expectNothingLeft(pids);
  });

  test('Ctrl-Z gives the terminal back to the shell, until it is told to go on', async () => {
    project.write('app.cjs', APP);
    const { env, root: cwd } = project;
    await using terminal = new Terminal(['bash', '--norc', '--noprofile', '-i'], { cwd, env });
    const line = project.dev('app.cjs').map((word) => `'${word}'`);
    await terminal.untilRow(PROMPT);
    terminal.type(`${line.join(' ')}\n`);
    await terminal.untilRow(/^value 1$/);
    await terminal.untilStatus(/^serving v1 · watching/);
    terminal.type('\x1a');
    await terminal.untilRow(/Stopped/);
    await terminal.untilStatus(PROMPT);
    expect(terminal.isCursorHidden).toBe(false);
    terminal.type('fg\n');
    await terminal.untilStatus(/^serving v1 · watching/);
    terminal.type('q');
    await terminal.untilStatus(PROMPT);
    terminal.type('exit $?\n');
    expect(await terminal.end).toEqual({ exitCode: 0 });
    project.expectNothingLeft([await terminal.pid, ...pidsOf(terminal.history)]);
  });
});

describe('elsewhere', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGQUIT', 131],
  ] as const)('%s ends the app and all that it has started', async (signal, exitCode) => {
    await using dev = new Running(project, ['--json', '--exec', 'sleep 1000 & echo child $!; node app.cjs']);
    await dev.next('opened');
    await dev.line('error', /^value 1$/);
    const pids = [...dev.pids, ...pidsOf(dev.error)];
    dev.kill(signal);
    expect(await dev.end).toEqual({ exitCode, signal: null });
    expect(dev.events.at(-1)).toMatchObject({ type: 'end', exitCode });
    project.expectNothingLeft(pids);
  });

  test('a build in flight is ended with all its processes', async () => {
    project.write(
      'napi-reload.config.json',
      JSON.stringify({
        addons: {
          'out/kernel.node': {
            build: { command: 'sh', args: ['-c', 'echo $$ > started; sleep 1000'], cwd: '.' },
          },
        },
      }),
    );
    await using dev = new Running(project, ['--json', 'app.cjs']);
    await dev.next('building');
    const started = path.join(project.root, 'started');
    while (!fs.existsSync(started) || fs.readFileSync(started, 'utf8') === '') {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const shell = Number(fs.readFileSync(started, 'utf8'));
    expect(isRunning(shell)).toBe(true);
    dev.kill('SIGTERM');
    expect(await dev.end).toEqual({ exitCode: 143, signal: null });
    project.expectNothingLeft([dev.pid, shell]);
  });

  test.each([
    ['process.exit(7)', 7],
    ['process.kill(process.pid, "SIGKILL")', 137],
    ['', 0],
  ])('the end of an app that does "%s" is its own where that was asked for', async (code, exitCode) => {
    project.write('app.cjs', code);
    await using dev = new Running(project, ['--json', '--exit-with-app', 'app.cjs']);
    expect(await dev.end).toEqual({ exitCode, signal: null });
    project.expectNothingLeft(dev.pids);
  });

  test('an app goes on serving when this program is killed, whose socket is removed by the next one', async () => {
    project.write('app.cjs', APP);
    const dev = new Running(project, ['--json', 'app.cjs']);
    const { pid } = await dev.next('app-started');
    await dev.next('opened');
    dev.kill('SIGKILL');
    await new Promise((resolve) => dev.child.once('exit', resolve));
    expect(isRunning(pid)).toBe(true);
    process.kill(pid, 'SIGTERM');
    expect(await dev.end).toEqual({ exitCode: null, signal: 'SIGKILL' });
    expect(isRunning(pid)).toBe(false);
    await using next = new Running(project, ['--json', 'app.cjs']);
    await next.next('opened');
    next.kill('SIGTERM');
    await next.end;
    project.expectNothingLeft(next.pids);
  });
});
