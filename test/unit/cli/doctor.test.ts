/** `napi-reload doctor`, as a user runs it. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../src/doctor/diagnose.ts';
import { compiledSource } from '../../support/compiled.ts';
import { ROOT } from '../docs/markdown.ts';
import { addonSource, compile, scratch, shim } from '../native/shim.ts';

const PROGRAM = path.join(compiledSource(), 'cli/main.js');

function doctor(...words: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, 'doctor', ...words], {
    encoding: 'utf8',
    cwd: ROOT,
  });
  return { status, stdout, stderr };
}

const bufferutil = path.join('node_modules/bufferutil/prebuilds', `linux-${process.arch}`, 'bufferutil.node');

describe('napi-reload doctor', () => {
  test('tells of an addon that has nothing to heal', () => {
    const file = compile(scratch(), 'addon', addonSource(), ['-Wl,--no-as-needed']);
    const { status, stdout, stderr } = doctor(file);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toBe(
      [
        file,
        `  a Node-API addon, registers by symbol, for ${process.arch}, Node-API version 8`,
        '  linked to libc.so.6',
        '',
        'Unloads: full, as soon as it was replaced',
        '',
      ].join('\n'),
    );
  });

  test('tells what is found, what to do, and what may pin a version', () => {
    const code = '#include <signal.h>\nvoid use(void) { signal(SIGHUP, SIG_IGN); }';
    const file = compile(scratch(), 'addon', addonSource(code), ['-Wl,-z,execstack']);
    const { status, stdout } = doctor(file);
    expect(status).toBe(0);
    expect(stdout.split('\n').slice(3)).toEqual([
      '',
      '  warning executable-stack: it makes the stacks of the process executable (PT_GNU_STACK)',
      '    link it with -z noexecstack, and give assembler sources a section .note.GNU-stack',
      '',
      '  info signals: it imports signal',
      '    put the old handler back in dispose or a cleanup hook: a handler pins a version',
      '',
      'Unloads: when idle, so not while it has one of these pins:',
      '  signal-handler (signal)',
      '',
    ]);
  });

  test('tells why a version is never unloaded', () => {
    const file = compile(scratch(), 'addon', addonSource(), ['-Wl,-z,nodelete']);
    expect(doctor(file).stdout).toMatch(
      /^Unloads: never, because its author linked it to stay in memory \(-z nodelete\)$/m,
    );
  });

  test('ends with 1 for what cannot be loaded here', () => {
    const { status, stdout, stderr } = doctor('node_modules/bufferutil/prebuilds/win32-x64/bufferutil.node');
    expect([status, stderr]).toEqual([1, '']);
    expect(stdout).toMatch(/\n {2}not read as an addon\n\n {2}error not-elf: it is a Windows PE file\n/);
    expect(stdout).toMatch(/\nIt cannot be loaded here\.\n$/);
  });

  test('ends with 1 for a file that is not there', () => {
    const { status, stdout } = doctor('nobody.node');
    expect(status).toBe(1);
    expect(stdout).toContain('error unreadable: there is no such file');
  });

  test('prints one line of JSON for --json, whatever the outcome', () => {
    const told = doctor('--json', bufferutil);
    expect([told.status, told.stderr]).toEqual([0, '']);
    expect(told.stdout.trimEnd()).not.toContain('\n');
    expect(JSON.parse(told.stdout)).toEqual(diagnose(path.join(ROOT, bufferutil), shim));
    const refused = doctor('nobody.node', '--json');
    expect(refused.status).toBe(1);
    expect(JSON.parse(refused.stdout)).toEqual({
      file: path.join(ROOT, 'nobody.node'),
      arch: null,
      entry: null,
      apiVersion: null,
      needed: [],
      hazards: [
        {
          code: 'unreadable',
          severity: 'error',
          detail: 'there is no such file',
          remedy: 'build it first, or look at the path',
        },
      ],
      reclaim: { level: 'never', reasons: ['it cannot be read as an addon'] },
    });
  });

  test('shows names that would command a terminal as what they are', () => {
    const name = 'libev\u001b[2J\nil.so';
    const folder = scratch();
    const library = compile(folder, 'evil', 'int evil(void) { return 1; }', [`-Wl,-soname,${name}`]);
    const code = 'int evil(void); int use(void) { return evil(); }';
    const { stdout } = doctor(compile(folder, 'addon', addonSource(code), [library]));
    expect(stdout).toContain('missing-library: the loader does not find libev\\x1b[2J\\x0ail.so\n');
  });

  test.each([[[]], [['']]])('ends with 2 when no file is named: %j', (words) => {
    expect(doctor(...words)).toEqual({
      status: 2,
      stdout: '',
      stderr: 'Missing argument <file.node>\nSee napi-reload doctor --help\n',
    });
  });
});
