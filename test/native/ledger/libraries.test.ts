/** Shapes in which private libraries come, loaded by the loader's own rules. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Addon, type OpenOptions, open, type ReloadedReport } from '../../../src/index.ts';
import { createScratch, type Scratch } from '../../support/addons.ts';
import { compiledUrl } from '../../support/compiled.ts';
import {
  type LibraryUser,
  LinkFolder,
  NO_SONAME,
  RPATH,
  RUNPATH,
  versionCode,
} from '../../support/libraries.ts';

const CHAIN = 65;

let scratch: Scratch;
let built: LinkFolder;

beforeEach(() => {
  scratch = createScratch();
  built = new LinkFolder(scratch);
});

afterEach(() => scratch[Symbol.dispose]());

const openUser = (options: OpenOptions = {}): Promise<Addon<LibraryUser>> =>
  open<LibraryUser>(scratch.file('addon.node'), { stageDir: scratch.file('stage'), ...options });

const namesOf = ({ current }: Addon<LibraryUser>): readonly string[] =>
  current.libraries.map(({ source }) => path.basename(source));

/** Each of the libraries, rebuilt, changes what the addon returns. */
async function expectRenewed(
  rebuild: (version: number) => void,
  libraries: readonly string[],
): Promise<void> {
  rebuild(1);
  await using addon = await openUser();
  expect(addon.exports.libraryVersion()).toBe(1);
  expect(namesOf(addon)).toEqual(libraries);
  rebuild(2);
  const report = await addon.reload();
  expect(report).toMatchObject({ status: 'reloaded', retired: { outcome: 'unloaded' } });
  expect(addon.exports.libraryVersion()).toBe(2);
}

describe('a private library is renewed', () => {
  test('when another library needs it', () =>
    expectRenewed(
      (version) => {
        built.library('libleaf.so', `int leaf(void) { return ${version}; }`);
        built.library('libcore.so', versionCode('leaf()', 'leaf'), [
          ...built.against('libleaf.so'),
          ...RUNPATH,
        ]);
        built.addon([...built.against('libcore.so'), ...RUNPATH]);
      },
      ['libleaf.so', 'libcore.so'],
    ));

  test('when two need it, which share one copy', () =>
    expectRenewed(
      (version) => {
        const calls = `int leaf(void) { static int calls = ${version - 2}; return ++calls; }`;
        built.library('libleaf.so', calls);
        const leaf = [...built.against('libleaf.so'), ...RUNPATH];
        built.library('libleft.so', 'int leaf(void); int left(void) { return leaf(); }', leaf);
        const needs = [...leaf, ...built.against('libleft.so')];
        // The first call of one copy gives one less than the second.
        built.library('libcore.so', versionCode('(left(), leaf())', 'left', 'leaf'), needs);
        built.addon([...built.against('libcore.so'), ...RUNPATH]);
      },
      ['libleaf.so', 'libleft.so', 'libcore.so'],
    ));

  test('when it needs the one that needs it', () =>
    expectRenewed(
      (version) => {
        const code = `int library_version(void); int (*kept)(void) = library_version; int other(void) { return ${version}; }`;
        built.library('libother.so', code);
        const other = [...built.against('libother.so'), ...RUNPATH];
        built.library('libcore.so', versionCode('other()', 'other'), other);
        built.library('libother.so', code, [...built.against('libcore.so'), ...RUNPATH]);
        built.addon([...built.against('libcore.so'), ...RUNPATH]);
      },
      ['libother.so', 'libcore.so'],
    ));

  test('when links lead to it under two names', () =>
    expectRenewed(
      (version) => {
        built.library('libcore.so.1.2', versionCode(version), ['-Wl,-soname,libcore.so.1']);
        for (const name of ['libcore.so.1', 'libcore.so']) {
          fs.rmSync(scratch.file(name), { force: true });
          fs.symlinkSync('libcore.so.1.2', scratch.file(name));
        }
        built.addon([...built.against('libcore.so'), ...RUNPATH]);
      },
      ['libcore.so.1.2'],
    ));

  test('when it is needed by its absolute path, without a name or a run path', () =>
    expectRenewed(
      (version) => {
        built.library('libcore.so', versionCode(version), [NO_SONAME]);
        built.addon([scratch.file('libcore.so')]);
      },
      ['libcore.so'],
    ));

  test('when it has no name of its own and is found by a run path', () =>
    expectRenewed(
      (version) => {
        built.library('libcore.so', versionCode(version), [NO_SONAME]);
        built.addon([`-L${scratch.path}`, '-lcore', ...RUNPATH]);
      },
      ['libcore.so'],
    ));

  test('when the run path says ORIGIN in braces, behind folders that hold nothing', () =>
    expectRenewed(
      (version) => {
        built.library('lib/libcore.so', versionCode(version));
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the braces are the loader's
        built.addon([...built.against('lib/libcore.so'), '-Wl,-rpath,/nowhere:$ORIGIN/none:${ORIGIN}/lib']);
      },
      ['libcore.so'],
    ));

  test('when the RPATH of the addon is what leads a library to it', () =>
    expectRenewed(
      (version) => {
        built.library('libleaf.so', `int leaf(void) { return ${version}; }`);
        built.library('sub/libcore.so', versionCode('leaf()', 'leaf'), built.against('libleaf.so'));
        built.addon([...built.against('sub/libcore.so'), ...RPATH, '-Wl,-rpath,$ORIGIN/sub']);
      },
      ['libleaf.so', 'libcore.so'],
    ));
});

test('the RUNPATH of the addon leads its libraries nowhere', async () => {
  built.library('libleaf.so', 'int leaf(void) { return 1; }');
  built.library('libcore.so', versionCode('leaf()', 'leaf'), built.against('libleaf.so'));
  built.addon([...built.against('libcore.so'), ...RUNPATH]);
  await expect(openUser()).rejects.toMatchObject({
    code: 'ERR_LOAD_FAILED',
    details: { found: expect.stringContaining('libleaf.so') },
  });
});

test('an addon with more than 64 libraries is refused with that reason', async () => {
  let needs: readonly string[] = [];
  for (let index = CHAIN; index > 0; index -= 1) {
    const name = `libchain${index}.so`;
    built.library(name, `int chain${index}(void) { return ${index}; }`, ['-Wl,--no-as-needed', ...needs]);
    needs = [...built.against(name), ...RUNPATH];
  }
  built.library('libcore.so', versionCode(1), ['-Wl,--no-as-needed', ...needs]);
  built.addon([...built.against('libcore.so'), ...RUNPATH]);
  await expect(openUser()).rejects.toMatchObject({
    code: 'ERR_LOAD_FAILED',
    details: { found: expect.stringContaining('it has more than 64 private libraries') },
  });
});

interface Child {
  readonly environment?: NodeJS.ProcessEnv;
  /** Run by the shell before it. */
  readonly before?: string;
  /** What ends it. */
  readonly signal?: NodeJS.Signals | null;
}

/** What a process prints that opens the addon. */
function inChild(script: string, { environment = {}, before = '', signal = null }: Child = {}): string {
  const code = `
    import { open } from ${JSON.stringify(compiledUrl('index.js'))};
    const say = (text) => console.log(text);
    const openUser = () => open(process.argv[1], { stageDir: process.argv[2] });
    ${script}`;
  const command = `${before} exec "$0" "$@"`;
  const args = ['-c', command, process.execPath, '--input-type=module', '--eval', code];
  const ended = spawnSync('bash', [...args, scratch.file('addon.node'), scratch.file('stage')], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  });
  expect(ended).toMatchObject({ stderr: '', status: signal === null ? 0 : null, signal });
  return ended.stdout;
}

test('a library that LD_LIBRARY_PATH leads to is none of the addon, unless RPATH comes before', () => {
  built.library('libcore.so', versionCode(1));
  built.library('system/libcore.so', versionCode(7));
  const script = `
    const addon = await openUser();
    say(addon.exports.libraryVersion() + ' ' + addon.current.libraries.length);
    await addon.close();`;
  const environment = { LD_LIBRARY_PATH: scratch.file('system') };
  built.addon([...built.against('libcore.so'), ...RUNPATH]);
  expect(inChild(script, { environment })).toBe('7 0\n');
  built.addon([...built.against('libcore.so'), ...RPATH]);
  expect(inChild(script, { environment })).toBe('1 1\n');
});

test('a disk that is full when a library is copied is ERR_STAGE_IO, and no file stays', () => {
  built.library('libcore.so', versionCode(1));
  built.addon([...built.against('libcore.so'), ...RUNPATH]);
  fs.appendFileSync(scratch.file('libcore.so'), Buffer.alloc(2 ** 20));
  const script = `
    const { code, details: { operation, errno } } = await openUser().catch((error) => error);
    say([code, operation, errno].join(' '));`;
  expect(inChild(script, { before: 'ulimit -f 512;' })).toBe('ERR_STAGE_IO write EFBIG\n');
  expect(fs.readdirSync(scratch.file('stage'))).toEqual(['.lock']);
});

test('the copies of a process that was killed are swept by the next one', async () => {
  built.library('libcore.so', versionCode(1));
  built.addon([...built.against('libcore.so'), ...RUNPATH]);
  const killed = `
    await openUser();
    process.kill(process.pid, 'SIGKILL');`;
  inChild(killed, { signal: 'SIGKILL' });
  const [left = ''] = fs.readdirSync(scratch.file('stage')).filter((name) => name !== '.lock');
  expect(fs.readdirSync(path.join(scratch.file('stage'), left))).toHaveLength(3);
  await using addon = await openUser();
  expect(addon.exports.libraryVersion()).toBe(1);
  expect(fs.existsSync(path.join(scratch.file('stage'), left))).toBe(false);
});

test('the copies of a version that is kept at the exit are deleted', () => {
  built.library('libcore.so', versionCode(1));
  built.addon([...built.against('libcore.so'), ...RUNPATH]);
  expect(inChild(`await openUser(); process.exit(0);`)).toBe('');
  expect(fs.readdirSync(scratch.file('stage'))).toEqual(['.lock']);
});

test('a thread that a library starts pins the version until it ends, without its copies', async () => {
  const pipe = scratch.file('pipe');
  execFileSync('mkfifo', [pipe]);
  // The thread waits until somebody opens the other end.
  const threads = (version: number) => `
    #include <fcntl.h>
    #include <pthread.h>
    #include <unistd.h>
    static void* run(void* data) {
      close(open("${pipe}", O_RDONLY));
      return data;
    }
    int library_version(void) {
      pthread_t thread;
      if (${version} == 1 && pthread_create(&thread, 0, run, 0) == 0) pthread_detach(thread);
      return ${version};
    }`;
  built.library('libcore.so', threads(1));
  built.addon([...built.against('libcore.so'), ...RUNPATH]);
  await using addon = await openUser({ history: 0 });
  expect(addon.exports.libraryVersion()).toBe(1);
  const first = addon.current;
  built.library('libcore.so', threads(2));
  const report = (await addon.reload()) as ReloadedReport;
  expect(report.retired).toMatchObject({ outcome: 'pinned', pins: [{ kind: 'thread', count: 1 }] });
  const folder = path.dirname(first.path);
  const now = fs.readdirSync(folder).filter((name) => name !== '.lock');
  expect(now).toHaveLength(2);
  expect(now).not.toContain(path.basename(first.path));
  const unloaded = new Promise((resolve) => addon.once('unloaded', resolve));
  fs.writeFileSync(pipe, '');
  expect(await unloaded).toEqual({ id: 1 });
});

test('inline statics of a library start anew with each version', () =>
  expectRenewed(
    (version) => {
      const code = `
      struct Count { static int next() { static int count = ${version - 1}; return ++count; } };
      template <typename T> struct Of { static inline int count = Count::next(); };
      extern "C" int library_version() { return Of<int>::count; }`;
      built.library('libcore.so', code);
      built.addon([...built.against('libcore.so'), ...RUNPATH]);
    },
    ['libcore.so'],
  ));
