/** A configuration that is edited while `napi-reload dev` runs: it is in force, or told of, and nothing of it is lost. */
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Terminal } from '../../../support/terminal.ts';
import { createProject, kernel, type Project } from './project.ts';
import { Running } from './running.ts';

const FILE = 'napi-reload.config.json';
/** Of the app while the file "wait" is there: it has been told to end, and does so when that file is gone. */
const TOLD = /^told to end$/;
const APP = `const fs = require('node:fs');
process.on('SIGTERM', () => {
  console.log('told to end');
  const timer = setInterval(() => fs.existsSync('wait') || process.exit(clearInterval(timer)), 5);
});
console.log('pid', process.pid);
console.log('WORD', process.env.WORD);
const kernel = require('./out/kernel.node');
console.log('value', kernel.value());
setInterval(() => {}, 1_000);
`;

let project: Project;

beforeEach(() => {
  project = createProject();
  project.write('app.cjs', APP);
});

afterEach(() => project[Symbol.dispose]());

function configure(more: object): void {
  const config: object = JSON.parse(fs.readFileSync(path.join(project.root, FILE), 'utf8'));
  project.save(FILE, JSON.stringify({ ...config, ...more }));
}
const setWord = (WORD: unknown): void => configure({ dev: { env: { WORD } } });

async function startApp(dev: Running): Promise<void> {
  await dev.next('opened');
  await dev.line('error', /^WORD undefined$/);
}

/** The app takes its time from now on. */
const holdBack = (): void => project.write('wait', '');
const letGo = (): void => fs.rmSync(path.join(project.root, 'wait'));

const countOf = (dev: Running, type: string): number =>
  dev.events.filter((event) => event.type === type).length;

describe('an edit', () => {
  test('is in force after all was ended and begun again by it', async () => {
    await using dev = new Running(project, ['--json', 'app.cjs']);
    await startApp(dev);
    setWord('new');
    expect((await dev.next('restarting')).because).toBe('the configuration was edited');
    expect(await dev.next('app-ended')).toMatchObject({ asked: true });
    await dev.next('start');
    await dev.line('error', /^WORD new$/);
    dev.kill('SIGINT');
    expect(await dev.end).toEqual({ exitCode: 130, signal: null });
    // These are told of once nothing follows.
    expect(
      dev.events.map(({ type }) => type).filter((type) => /^(start|restarting|end.*)$/.test(type)),
    ).toEqual(['start', 'restarting', 'start', 'ending', 'end']);
    expect(dev.events.at(-1)?.type).toBe('end');
    project.expectNothingLeft(dev.pids);
  });

  test('that cannot be used is told of, and the one before stays in force', async () => {
    await using dev = new Running(project, ['--json', 'app.cjs']);
    await startApp(dev);
    setWord(5);
    expect(await dev.next('warning')).toMatchObject({
      code: 'config',
      message: expect.stringContaining('dev.env'),
    });
    project.save('kernel.c', kernel(2));
    expect((await dev.next('reloaded')).outcomes).toMatchObject([{ serving: 2 }]);
  });

  test('that asks for a build that there is not is told of before anything is ended', async () => {
    await using dev = new Running(project, ['--json', 'app.cjs']);
    await startApp(dev);
    configure({ addons: { 'out/kernel.node': { build: 'cmake-js' } } });
    expect(await dev.next('warning')).toMatchObject({
      code: 'config',
      message: expect.stringContaining('CMakeLists.txt'),
    });
    project.save('kernel.c', kernel(2));
    expect((await dev.next('reloaded')).outcomes).toMatchObject([{ serving: 2 }]);
    expect(countOf(dev, 'restarting')).toBe(0);
  });
});

describe('an edit while all is ended because of one before', () => {
  /** Until the app, which takes its time, has been told to end. */
  async function startAndEdit(dev: Running): Promise<void> {
    await startApp(dev);
    holdBack();
    setWord('new');
    await dev.line('error', TOLD);
  }

  test('is in force as well', async () => {
    await using dev = new Running(project, ['--json', 'app.cjs']);
    await startAndEdit(dev);
    setWord('newer');
    letGo();
    await dev.line('error', /^WORD newer$/);
  });

  test('is told of where it cannot be used, and the one that mends it is in force', async () => {
    await using dev = new Running(project, ['--json', 'app.cjs']);
    await startAndEdit(dev);
    setWord(5);
    letGo();
    await dev.line('out', /"type":"warning","timeMs":\d+,"code":"config".*dev\.env/);
    setWord('mended');
    await dev.line('error', /^WORD mended$/);
  });

  test('may leave what was asked for without what builds it: what was in force is again', async () => {
    await using dev = new Running(project, ['--json', 'app.cjs']);
    await startApp(dev);
    holdBack();
    project.write('CMakeLists.txt', '');
    configure({ addons: { 'out/kernel.node': { build: 'cmake-js' } } });
    await dev.line('error', TOLD);
    fs.rmSync(path.join(project.root, 'CMakeLists.txt'));
    letGo();
    expect(await dev.next('warning')).toMatchObject({
      code: 'config',
      message: expect.stringContaining('CMakeLists.txt'),
    });
    expect((await dev.next('start')).projects).toMatchObject([{ builder: 'gcc' }]);
    await dev.next('opened');
  });
});

describe('the end of all', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('is that of %s, also while all begins again', async (signal, exitCode) => {
    await using dev = new Running(project, ['--json', 'app.cjs']);
    await startApp(dev);
    holdBack();
    setWord('new');
    await dev.line('error', TOLD);
    dev.kill(signal);
    await dev.next('ending');
    letGo();
    expect(await dev.end).toEqual({ exitCode, signal: null });
    expect(dev.events.at(-1)).toMatchObject({ type: 'end', exitCode });
    expect(countOf(dev, 'start')).toBe(1);
    project.expectNothingLeft(dev.pids);
  });

  test('comes also where nobody reads any more while all begins again', async () => {
    await using dev = new Running(project, ['--json', 'app.cjs']);
    await startApp(dev);
    holdBack();
    setWord('new');
    await dev.line('error', TOLD);
    dev.child.stdout?.destroy();
    letGo();
    expect(await dev.end).toEqual({ exitCode: 143, signal: null });
    project.expectNothingLeft(dev.pids);
  });

  test('is that of a key, also while all begins again', async () => {
    await using terminal = new Terminal(project.dev('app.cjs'), { cwd: project.root, env: project.env });
    await terminal.untilRow(/^value 1$/);
    await terminal.untilStatus(/^serving v1 · watching/);
    const app = Number(/^pid (\d+)$/m.exec(terminal.history.join('\n'))?.[1]);
    holdBack();
    setWord('new');
    await terminal.untilRow(TOLD);
    await terminal.untilStatus(/^restarting the app$/);
    terminal.type('q');
    await terminal.untilStatus(/^ending the app · Ctrl-C once more kills it$/);
    letGo();
    expect(await terminal.end).toEqual({ exitCode: 0 });
    expect(terminal.isCursorHidden).toBe(false);
    project.expectNothingLeft([await terminal.pid, app]);
  });
});

test('the keys are read, and the terminal is left as it was, after many edits', async () => {
  project.write('app.cjs', "console.log('WORD', process.env.WORD);");
  await using terminal = new Terminal(project.dev('app.cjs'), { cwd: project.root, env: project.env });
  await terminal.untilRow(/^WORD undefined$/);
  for (const word of ['a', 'b', 'c']) {
    setWord(word);
    await terminal.untilRow(new RegExp(`^WORD ${word}$`));
  }
  await terminal.untilStatus(/^the app has ended/);
  terminal.type('h');
  await terminal.until((rows) => rows.filter((row) => row.startsWith('  q  end the app')).length === 1);
  terminal.type('q');
  expect(await terminal.end).toEqual({ exitCode: 0 });
  expect(terminal.isCursorHidden).toBe(false);
});

test('nothing listens twice after an edit', async () => {
  project.write('app.cjs', "console.log('WORD', process.env.WORD);");
  // The app has it, too, and is over before anybody asks.
  project.write(
    'counts.mjs',
    `process.on('SIGUSR2', () => {
      const { stdout, stderr } = process;
      const counts = [process, stdout, stderr].map((each) => each.eventNames().map((name) => [name, each.listenerCount(name)]));
      console.error('counts ' + JSON.stringify(counts));
    });`,
  );
  const hook = `--import=${path.join(project.root, 'counts.mjs')}`;
  await using dev = new Running(project, ['--json', 'app.cjs'], { NODE_OPTIONS: hook });
  const counts = async (): Promise<string> => {
    const before = dev.error.length;
    await dev.next('idle', ({ app }) => app === 'ended');
    dev.kill('SIGUSR2');
    return dev.line('error', /^counts /, before);
  };
  const first = await counts();
  for (const word of ['a', 'b', 'c']) {
    setWord(word);
    expect(await counts()).toBe(first);
  }
});
