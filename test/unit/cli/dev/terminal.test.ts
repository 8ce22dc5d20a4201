/** `napi-reload dev` as a person has it: keys that are pressed, screens that are read. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Terminal } from '../../../support/terminal.ts';
import { createProject, kernel, type Project } from './project.ts';

let project: Project;
let terminal: Terminal;

beforeEach(() => {
  project = createProject();
});

afterEach(async () => {
  const pids = [await terminal.pid, ...appPids()];
  await terminal[Symbol.asyncDispose]();
  project.expectNothingLeft(pids);
  project[Symbol.dispose]();
});

function start(
  words: readonly string[] = ['app.cjs'],
  options: { columns?: number; rows?: number } = {},
): void {
  terminal = new Terminal(project.dev(...words), { cwd: project.root, env: project.env, ...options });
}

/** Of all runs of the app. */
function appPids(): readonly number[] {
  return terminal.history.flatMap((row) => Number(/^pid (\d+)$/.exec(row)?.[1] ?? Number.NaN) || []);
}

/** The screen without what differs from run to run. */
function screen(): readonly string[] {
  return terminal.rows.map((row) =>
    row
      .replace(/\d+(\.\d+)? (ms|s)\b/g, '<time>')
      .replace(/(?<=<time> in all: ).*/, '<stages>')
      .replace(/(?<=^pid )\d+/, '<pid>')
      .replace(/(?<= )\d+ +(?=\d+ KB)/, '<pid>  ')
      .replace(/\b[0-9a-f]{8}\b/, '<hash>'),
  );
}

const serves = (version: number): RegExp => new RegExp(`^serving v${version} · watching · h for help$`);

async function edit(value: number | string): Promise<void> {
  project.save('kernel.c', kernel(value));
}

/** Starts, and waits until the app has told of its addon. */
async function startApp(words?: readonly string[]): Promise<void> {
  start(words);
  await terminal.untilRow(/^value 1$/);
  await terminal.untilStatus(serves(1));
}

describe('a person who edits', () => {
  test('sees what was built and what serves, and the screen of before is gone', async () => {
    await startApp();
    expect(screen()).toEqual([
      '[napi-reload] napi-reload 0.1.0, h for help',
      '[napi-reload] kernel in ., built by gcc',
      '[napi-reload] building kernel',
      '[napi-reload] kernel built in <time>, 0 errors',
      '[napi-reload] started app.cjs',
      '[napi-reload] watching for changes',
      'pid <pid>',
      'value 1',
      'serving v1 · watching · h for help',
    ]);
    edit(2);
    await terminal.untilRow(/^value 2$/);
    await terminal.untilStatus(serves(2));
    const rows = screen();
    expect(rows.filter((row) => row !== 'value 2')).toEqual([
      '[napi-reload] kernel.c changed',
      '[napi-reload] building kernel',
      '[napi-reload] kernel built in <time>, 0 errors',
      '[napi-reload] kernel v2 serves, v1 was unloaded',
      '[napi-reload]   <time> in all: <stages>',
      '[napi-reload] watching for changes',
      'serving v2 · watching · h for help',
    ]);
    const times = terminal.rows.find((row) => row.includes('in all')) ?? '';
    expect(times).toMatch(/in all: detect \d+, build \d+, stage [\d.]+, load [\d.]+,.* swap [\d.]+/);
    // What was there is above it.
    expect(terminal.history).toContain('value 1');
  });

  test('sees the error first, with the place, and what serves until it is mended', async () => {
    await startApp();
    project.save('kernel.c', kernel('\t変数, oops'));
    await terminal.untilStatus(
      /^serving v1, the build of kernel failed: kernel\.c:5: .* · watching · h for help$/,
    );
    const rows = screen();
    const at = rows.findIndex((row) => row.startsWith('kernel.c:5:'));
    expect(rows.slice(0, at)).toEqual(['[napi-reload] kernel.c changed', '[napi-reload] building kernel']);
    expect(rows[at]).toMatch(/^kernel\.c:5:\d+: error: .変数. undeclared/);
    const caret = rows.findIndex((row) => /^ {4}\| +\^$/.test(row));
    // Wide characters take two cells of the screen, and one of the string.
    expect(rows[caret - 1]).toMatch(/^> 5 \| .*変数, oops/);
    expect(rows[caret]?.indexOf('^')).toBe(rows[caret - 1]?.indexOf('変数'));
    expect(terminal.colorOf('serving v1')).toBe(1);
    edit(3);
    await terminal.untilRow(/^value 3$/);
    await terminal.untilStatus(serves(2));
    expect(screen().filter((row) => /fail|error:/.test(row))).toEqual([]);
    expect(terminal.colorOf('serving v2')).toBe(2);
  });

  test('sees a version that is refused by its number, until another one serves', async () => {
    await startApp();
    project.save('kernel.c', kernel(2, 'napi_throw_error(env, NULL, "not today"); return exports;'));
    await terminal.untilStatus(/^serving v1, v2 failed: .* · watching/);
    expect(screen()).toContainEqual(
      '[napi-reload] kernel: The module initialiser of version 2 threw: not today',
    );
    edit(3);
    await terminal.untilStatus(serves(3));
  });

  test('has the last of several edits built', async () => {
    await startApp();
    for (const value of [2, 3, 4]) edit(value);
    await terminal.untilRow(/^value 4$/);
    await terminal.untilStatus(/^serving v\d · watching/);
  });

  test('has the app started when the first build is mended', async () => {
    edit('oops');
    start();
    await terminal.untilStatus(/^nothing serves yet, the build of kernel failed: .* · waiting for a change/);
    expect(appPids()).toEqual([]);
    edit(1);
    await terminal.untilRow(/^value 1$/);
    await terminal.untilStatus(serves(1));
  });

  test('is told that the app crashed, and has it started after the next change', async () => {
    await startApp();
    process.kill(appPids()[0] ?? 0, 'SIGKILL');
    await terminal.untilStatus(/^the app crashed \(SIGKILL\), waiting for a change · u to start it/);
    expect(screen()).toContainEqual('[napi-reload] the app crashed: SIGKILL');
    edit(2);
    await terminal.untilRow(/^value 2$/);
    await terminal.untilStatus(serves(1));
    expect(appPids()).toHaveLength(2);
  });

  test('is told that the app has ended, and can start it again', async () => {
    project.write(
      'app.cjs',
      `${'process.stdout.write("pid " + process.pid + "\\n");'}require('./out/kernel.node');`,
    );
    start();
    await terminal.untilStatus(/^the app has ended, waiting for a change · u to start it/);
    terminal.type('u');
    await terminal.until(
      (rows) => rows.filter((row) => /the app has ended$/.test(row)).length === 1 && appPids().length === 2,
    );
  });
});

describe('the keys', () => {
  test('go back to the version before, and forward by building', async () => {
    await startApp();
    edit(2);
    await terminal.untilStatus(serves(2));
    terminal.type('b');
    await terminal.untilStatus(serves(3));
    expect(screen()).toContainEqual('[napi-reload] kernel v3 serves, the bytes of v1 again, v2 was unloaded');
    await terminal.until((rows) => rows.filter((row) => row === 'value 1').length === 1);
    terminal.type('b');
    await terminal.untilRow(/kernel: Cannot go back/);
    await terminal.untilStatus(serves(3));
    terminal.type('r');
    await terminal.untilStatus(serves(4));
    await terminal.untilRow(/^value 2$/);
  });

  test('pause and go on, with Enter behind them or without', async () => {
    await startApp();
    terminal.type('p\r');
    await terminal.untilStatus(/^paused · p to go on$/);
    edit(2);
    await terminal.untilStatus(/^paused, 1 changed file waiting · p to go on$/);
    edit(3);
    await terminal.until(
      (rows) => rows.filter((row) => row.endsWith('kernel.c changed, paused')).length === 2,
    );
    expect(screen().filter((row) => row.endsWith('building kernel'))).toHaveLength(1);
    terminal.type('p');
    await terminal.untilRow(/^value 3$/);
    await terminal.untilStatus(serves(2));
  });

  test('start the app again', async () => {
    await startApp();
    edit(2);
    await terminal.untilStatus(serves(2));
    terminal.type('u');
    await terminal.untilStatus(serves(1));
    await terminal.untilRow(/^value 2$/);
    expect(appPids()).toHaveLength(2);
  });

  test('show themselves, and the versions in memory with why they are there', async () => {
    await startApp();
    terminal.type('h');
    await terminal.untilRow(/^ {2}Ctrl-C/);
    expect(screen()).toContainEqual('  b  go back to the previous version');
    terminal.type('v');
    await terminal.untilRow(/addon .*version/);
    expect(screen().slice(-3)).toEqual([
      '[napi-reload] addon   version      where  size   state',
      '[napi-reload] kernel  v1 <hash>  <pid>  15 KB  serves',
      'serving v1 · watching · h for help',
    ]);
  });

  test('have nothing to go back with where the app runs no addon', async () => {
    project.write('app.cjs', "console.log('pid', process.pid); setInterval(() => {}, 1000);");
    start();
    await terminal.untilStatus(/^watching · h for help$/);
    terminal.type('b');
    await terminal.untilRow(/Nothing to go back with: the app runs no addon$/);
  });

  test('tell of everything, and compile everything again', async () => {
    await startApp();
    terminal.type('of');
    await terminal.untilRow(/building kernel, all of it/);
    await terminal.untilRow(/kernel is unchanged, v1 serves$/);
    terminal.type('u');
    await terminal.untilRow(/process \d+ opened kernel v1$/);
  });
});

describe('the terminal', () => {
  test('may change its size: the status keeps to one row, and no more of it is left', async () => {
    await startApp();
    project.save('kernel.c', kernel('oops'));
    await terminal.untilStatus(/^serving v1, .*watching · h for help$/);
    terminal.resize(50, 12);
    await terminal.until(
      (rows) =>
        /^serving v1, .{0,12}… · watching · h for help$/.test(rows.at(-1) ?? '') &&
        (rows.at(-1)?.length ?? 0) < 50,
    );
    expect(terminal.rows.filter((row) => row.startsWith('serving v1'))).toHaveLength(1);
    terminal.resize(120, 30);
    await terminal.untilStatus(/oops. undeclared.* · watching/);
  });

  test('shows a line of the app that has not ended yet, and its end behind it', async () => {
    project.write(
      'app.cjs',
      `console.log('pid', process.pid); require('./out/kernel.node');
       process.stdout.write('one, ');
       process.on('SIGUSR2', () => process.stdout.write('two\\n'));
       setInterval(() => {}, 1000);`,
    );
    start();
    await terminal.untilRow(/^one, $/);
    await terminal.untilStatus(serves(1));
    process.kill(appPids()[0] ?? 0, 'SIGUSR2');
    await terminal.untilRow(/^one, two$/);
    expect(screen().filter((row) => row.startsWith('one'))).toHaveLength(1);
  });

  test('keeps what was there when nothing is to be cleared', async () => {
    await startApp(['--no-clear-screen', 'app.cjs']);
    edit(2);
    await terminal.untilRow(/^value 2$/);
    await terminal.untilStatus(serves(2));
    expect(screen()).toContain('value 1');
  });
});
