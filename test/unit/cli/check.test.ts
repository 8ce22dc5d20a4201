/** `napi-reload check`, as CI runs it: each fault is planted in a real addon, and found. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CheckReport } from '../../../src/check/report.ts';
import { compileAddon, createScratch, FIXTURES, type Scratch } from '../../support/addons.ts';
import { compiledSource } from '../../support/compiled.ts';

const PROGRAM = path.join(compiledSource(), 'cli/main.js');
/** Enough for what does not look at memory. */
const FEW = ['--reloads', '50'];
const LEAK_BYTES = 10 * 1024;

let scratch: Scratch;
beforeEach(() => {
  scratch = createScratch();
});

/** Of the process that is checked: its plan names the folder of this test alone. */
function processesLeft(): readonly string[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(scratch.path);
      } catch {
        return false;
      }
    });
}

const stagedFiles = (): readonly string[] => {
  const stageDir = scratch.file('napi-reload');
  if (!fs.existsSync(stageDir)) return [];
  return fs.readdirSync(stageDir).filter((name) => name !== '.lock');
};

afterEach(() => {
  const left = { processes: processesLeft(), staged: stagedFiles() };
  scratch[Symbol.dispose]();
  expect(left).toEqual({ processes: [], staged: [] });
});

/** Versions are staged in the folder of the test. */
const options = () =>
  ({ encoding: 'utf8', cwd: scratch.path, env: { ...process.env, XDG_CACHE_HOME: scratch.path } }) as const;

function check(...words: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, 'check', ...words], options());
  return { status, stdout, stderr };
}

function report(...words: readonly string[]): CheckReport & { readonly status: number | null } {
  const { status, stdout, stderr } = check('--json', ...words);
  expect(stdout, stderr).toMatch(/^\{.*\}\n$/);
  return { ...(JSON.parse(stdout) as CheckReport), status };
}

const planted = (...faults: readonly string[]): string =>
  compileAddon(
    [path.join(FIXTURES, 'check/planted.c')],
    faults.map((fault) => `-D${fault}`),
  );

const codes = ({ problems }: CheckReport): readonly string[] => problems.map(({ code }) => code);

describe('napi-reload check', () => {
  test('passes a good addon, with its figures', () => {
    const addon = planted();
    const told = report(addon);
    expect(told).toMatchObject({
      status: 0,
      file: addon,
      reloads: 1000,
      unloaded: 1000,
      pinned: 0,
      kept: 0,
      crashed: null,
      threw: null,
      maxRssPerReload: 5120,
      pins: [],
      promised: 'full',
      problems: [],
    });
    expect(told.rssBytesPerReload).toBeLessThan(5120);
    expect(told.medianMs).toBeGreaterThan(0);
    expect(told.p99Ms).toBeGreaterThanOrEqual(told.medianMs ?? Number.POSITIVE_INFINITY);
    expect(Math.abs(told.mappingsGrown ?? Number.NaN)).toBeLessThan(500);
  });

  test('takes no word of an addon for its own', () => {
    const told = report(planted('CHATTER'), ...FEW);
    expect(told).toMatchObject({ status: 0, reloads: 50, unloaded: 50, threw: null, pins: [], problems: [] });
  });

  test('finds a leak of 10 KB for each load', () => {
    const told = report(planted(`LEAK=${LEAK_BYTES}`));
    expect([told.status, told.unloaded, codes(told)]).toEqual([1, 1000, ['leaked']]);
    expect(told.rssBytesPerReload).toBeGreaterThan(LEAK_BYTES * 0.5);
    expect(told.rssBytesPerReload).toBeLessThan(LEAK_BYTES * 2);
  });

  test('lets a leak pass that it is told to', () => {
    const addon = planted(`LEAK=${LEAK_BYTES}`);
    const told = report(addon, '--max-rss-per-reload', '1000000');
    expect([told.status, told.maxRssPerReload, codes(told)]).toEqual([0, 1_000_000, []]);
  });

  test('finds a crash at the 37th reload', () => {
    const addon = planted('CRASH_AT=37');
    const told = report(addon, ...FEW);
    expect(told.crashed).toEqual({
      reload: 37,
      during: 'reload',
      reason: 'signal',
      signal: 'SIGSEGV',
      exitCode: null,
    });
    expect([told.status, told.reloads, codes(told)]).toEqual([1, 36, ['crashed']]);
    const { status, stdout } = check(addon, ...FEW);
    expect(status).toBe(1);
    expect(stdout).toContain(
      `${addon}: failed\n  crashed: it was ended by SIGSEGV, at reload 37\n  reloads: 36,`,
    );
  });

  test('finds a crash of the first load, and one at the end of the process', () => {
    expect(report(planted('CRASH_AT=0'), ...FEW).crashed).toMatchObject({ reload: 0, during: 'load' });
    // It holds itself, so that it is there when the process ends.
    const told = report(planted('CRASH_AT_EXIT', 'HOLD_ITSELF'), '--reloads', '3');
    expect(told.crashed).toMatchObject({ reload: 3, during: 'exit', signal: 'SIGABRT' });
  });

  test('ends what hangs', () => {
    const told = report(planted('HANG_AT=5'), ...FEW, '--timeout', '2000');
    expect(told.crashed).toEqual({
      reload: 5,
      during: 'reload',
      reason: 'timeout',
      signal: null,
      exitCode: null,
    });
    expect([told.status, codes(told)]).toEqual([1, ['hung']]);
  });

  test('finds an initialiser that throws', () => {
    const told = report(planted('THROW_AT=7'), ...FEW);
    expect(told.threw).toMatchObject({ reload: 7, during: 'reload', code: 'ERR_INIT_THREW' });
    expect([told.status, codes(told)]).toEqual([1, ['threw']]);
    expect(codes(report(planted('THROW_AT=0'), ...FEW))).toEqual(['cannot-load']);
  });

  test('finds versions that are pinned, and by what', () => {
    const told = report(planted('PIN'), ...FEW);
    expect(told).toMatchObject({ status: 1, reloads: 50, unloaded: 0, pinned: 50, promised: 'when idle' });
    expect(told.pins).toEqual([{ kind: 'wrapped-object', count: 50 }]);
    expect(told.problems).toEqual([
      {
        code: 'not-unloaded',
        message:
          'of 50 versions 0 were unloaded, 0 are kept and 50 pinned, by 50 wrapped-object; doctor says that it unloads: when idle',
      },
    ]);
  });

  test('waits for versions that nothing but garbage pins', () => {
    const told = report(planted('DROP'), ...FEW);
    expect(told).toMatchObject({ status: 0, unloaded: 50, pinned: 0, pins: [], problems: [] });
  });

  test('finds versions that stay although doctor saw nothing that would keep them', () => {
    const told = report(planted('HOLD_ITSELF'), ...FEW);
    expect(told).toMatchObject({ status: 1, unloaded: 0, kept: 50, promised: 'full' });
    expect(codes(told)).toEqual(['not-unloaded']);
  });

  test('holds an addon to nothing that doctor does not promise', () => {
    const addon = compileAddon([path.join(FIXTURES, 'check/planted.c')], ['-Wl,-z,nodelete']);
    const told = report(addon);
    expect(told).toMatchObject({
      status: 0,
      reloads: 100,
      kept: 100,
      promised: 'never',
      maxRssPerReload: null,
    });
  });

  test('does not try what cannot be loaded, and says why', () => {
    const { status, stdout } = check(scratch.write('text.node', 'text'), ...FEW);
    expect(status).toBe(1);
    expect(stdout).toMatch(/text\.node: failed\n {2}cannot-load: not-elf: it is text; give .*\n$/);
  });
});

describe('an exercise', () => {
  const exercise = (body: string): readonly string[] => [
    '--exercise',
    scratch.write('exercise.mjs', body),
    '--reloads',
    '10',
  ];

  test('is called with the exports after each load', () => {
    const body = `import fs from 'node:fs';
      export default async (exports) => fs.appendFileSync('calls', exports.answer() + '\\n');`;
    expect(report(planted(), ...exercise(body)).status).toBe(0);
    expect(fs.readFileSync(scratch.file('calls'), 'utf8')).toBe('42\n'.repeat(11));
  });

  test('may print, which is no part of the report', () => {
    const told = check('--json', planted(), ...exercise("export default () => console.log('hello');"));
    expect(told.status).toBe(0);
    expect(told.stdout.split('\n')).toHaveLength(2);
    expect(told.stderr).toBe('hello\n'.repeat(11));
  });

  test.each([
    ['throws', "if (calls++ === 4) throw new Error('not today');"],
    ['rejects', "if (calls++ === 4) return Promise.reject(new Error('not today'));"],
  ])('that %s is a failure, which names the reload and the error', (_, body) => {
    const words = exercise(`let calls = 0; export default () => { ${body} };`);
    const told = report(planted(), ...words);
    expect(told.threw).toEqual({ reload: 4, during: 'exercise', message: 'not today', code: null });
    expect(told.problems).toEqual([{ code: 'threw', message: 'not today (in the exercise after reload 4)' }]);
    expect([told.status, told.reloads, told.crashed]).toEqual([1, 4, null]);
  });

  test('that throws behind our back is one, too', () => {
    const body = "export default () => { setImmediate(() => { throw new Error('later'); }); };";
    expect(report(planted(), ...exercise(body))).toMatchObject({ status: 1, threw: { message: 'later' } });
  });

  test('that ends the process, or never ends, is found', () => {
    const exits = report(planted(), ...exercise('export default () => process.exit(0);'));
    expect(exits.crashed).toMatchObject({ reason: 'exit', exitCode: 0, reload: 0, during: 'exercise' });
    const hangs = report(planted(), ...exercise('export default () => { for (;;); };'), '--timeout', '2000');
    expect([codes(exits), codes(hangs)]).toEqual([['crashed'], ['hung']]);
  });

  test.each([
    ['has no function', 'export default 7;', /its default export is number, wanted a function/],
    ['cannot be read', 'export default (', /Unexpected/],
  ])('that %s is a failure', (_, body, message) => {
    expect(report(planted(), ...exercise(body))).toMatchObject({
      status: 1,
      threw: { reload: 0, during: 'exercise', message: expect.stringMatching(message) },
    });
  });
});

describe('a command line of check', () => {
  const range = 'a whole number from 1 to 1000000';
  const time = 'a time from 1 ms, such as 200, 200ms, 1.5s or 2m';

  test.each([
    [[], 'Missing argument <file.node>'],
    [['a.node', '--reloads', '0'], `Option "--reloads" wants ${range}, not "0"`],
    [['a.node', '--reloads', '1e3'], `Option "--reloads" wants ${range}, not "1e3"`],
    [['a.node', '--reloads=-5'], `Option "--reloads" wants ${range}, not "-5"`],
    [['a.node', '--reloads', '1000001'], `Option "--reloads" wants ${range}, not "1000001"`],
    [['a.node', '--timeout', 'soon'], `Option "--timeout" wants ${time}, not "soon"`],
    [
      ['a.node', '--max-rss-per-reload', '4k'],
      'Option "--max-rss-per-reload" wants a whole number from 0, not "4k"',
    ],
    [
      ['a.node', '--reloads', '10', '--max-rss-per-reload', '1'],
      'Cannot use option "--max-rss-per-reload" with 10 reloads: memory can be told of from 1000 on',
    ],
  ])('is refused with 2: %j', (words, message) => {
    const error = `${message}\nSee napi-reload check --help\n`;
    expect(check(...words)).toEqual({ status: 2, stdout: '', stderr: error });
  });

  test('is refused for an exercise that is not there', () => {
    const { status, stderr } = check(planted(), '--exercise', 'nobody.mjs');
    expect([status, stderr.split('\n')[0]]).toEqual([
      2,
      `Cannot use option "--exercise": no file at "${scratch.file('nobody.mjs')}"`,
    ]);
  });
});

describe('a check that is stopped', () => {
  /** A check in the midst of its reloads. */
  async function running(): Promise<ChildProcess> {
    const body = "let calls = 0; export default () => { if (calls++ === 3) console.log('ready'); };";
    const words = [
      'check',
      planted(),
      '--reloads',
      '1000000',
      '--exercise',
      scratch.write('ready.mjs', body),
    ];
    const child = spawn(process.execPath, [PROGRAM, ...words], {
      ...options(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await once(child.stderr as NodeJS.ReadableStream, 'data');
    return child;
  }

  test.each(['SIGINT', 'SIGTERM'] as const)('by %s leaves nothing and ends by it', async (signal) => {
    const child = await running();
    expect(processesLeft().length).toBeGreaterThan(1);
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([null, signal]);
  });

  test('by SIGKILL takes the process that is checked along, and the next one removes what it staged', async () => {
    const child = await running();
    // Its stderr is the other one's, too, and is closed by the end of both.
    const closed = once(child, 'close');
    child.stdout?.resume();
    child.stderr?.resume();
    child.kill('SIGKILL');
    await closed;
    expect(report(planted(), '--reloads', '1').status).toBe(0);
  });
});
