/** The project of docs/testing.md, which has installed this package as it is published: its tests, run as its author would. */
import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createScratch, type Scratch } from '../support/addons.ts';
import { snapshot } from '../support/kits.ts';
import { installCopies, installInto, pack } from '../support/tarball.ts';
import { blocksOf, readDocument } from '../unit/docs/markdown.ts';

const RUN_TIMEOUT_MS = 300_000;

interface Result {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

let project: Scratch;

beforeAll(async () => {
  project = createScratch();
  const missing = await installInto(project.path, { type: 'module' });
  if (missing !== null) {
    using packed = createScratch();
    await installCopies(project.path, await pack(packed));
    project.write('package.json', '{ "private": true, "type": "module" }');
  }
  for (const { file, text } of blocksOf(readDocument('docs/testing.md'))) {
    if (file !== null) project.write(file, text);
  }
}, RUN_TIMEOUT_MS);

afterAll(() => project?.[Symbol.dispose]());

/** @returns what it says on standard output, and how it ended */
async function run(
  args: readonly string[],
  cwd = project.path,
): Promise<{ stdout: string; stderr: string; code: number }> {
  const temporary = project.file('tmp');
  fs.mkdirSync(temporary, { recursive: true });
  // Those of the run around it are of no use to it.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(?:VITEST|NODE_OPTIONS|NODE_TEST)/.test(name),
  );
  const env = { ...Object.fromEntries(inherited), TMPDIR: temporary };
  const child = promisify(execFile)(process.execPath, [...args], { cwd, env });
  const ended = await child.then(
    (output) => ({ ...output, code: 0 }),
    (error: { stdout: string; stderr: string; code: number }) => error,
  );
  // No copy, and no copy of a version, is left behind.
  expect(fs.readdirSync(temporary).filter((name) => name.startsWith('napi-reload'))).toEqual([]);
  return ended;
}

async function runVitest(...args: string[]): Promise<Result> {
  return runVitestIn(project.path, ...args);
}

async function runVitestIn(cwd: string, ...args: string[]): Promise<Result> {
  const vitest = project.file('node_modules/vitest/vitest.mjs');
  const { stdout, stderr } = await run([vitest, 'run', '--reporter=json', '--maxWorkers=1', ...args], cwd);
  expect(stdout, stderr).toMatch(/^\{/);
  return JSON.parse(stdout) as Result;
}

/** Name of each test, and how it ended. */
function ends({ testResults }: Result): Readonly<Record<string, string>> {
  return Object.fromEntries(
    testResults.flatMap(({ assertionResults }) =>
      assertionResults.map(({ title, status }) => [title, status]),
    ),
  );
}

const sources = (): readonly string[] => [...snapshot(project.file('src')), ...fs.readdirSync(project.path)];

describe('the project of docs/testing.md', () => {
  test.each(['forks', 'threads'])('passes in the pool "%s"', { timeout: RUN_TIMEOUT_MS }, async (pool) => {
    fs.mkdirSync(project.file('tmp'), { recursive: true });
    const before = sources();
    expect(ends(await runVitest(`--pool=${pool}`, 'total.test', 'crash.test'))).toEqual({
      'an edit keeps the total': 'passed',
      'a mistake leaves the version before serving': 'passed',
      'a version that was replaced leaves nothing behind': 'passed',
      'a crash loses nothing that was saved': 'passed',
    });
    expect(sources()).toEqual(before);
  });

  test('passes where tests run at the same time, each with a copy of its own', {
    timeout: RUN_TIMEOUT_MS,
  }, async () => {
    project.write(
      'concurrent/concurrent.test.mjs',
      `import { reloadable } from 'napi-reload/vitest';
       const test = reloadable({ addon: 'build/Release/total.node', source: 'src', build: 'node-gyp' });
       const roots = new Set();
       for (const factor of [2, 3, 4]) {
         test.concurrent(\`times \${factor}\`, async ({ kit, addon, edit, expect }) => {
           roots.add(kit.root);
           addon.exports.add(1);
           await edit('src/total.c', (text) => text.replace('total += n', \`total += \${factor} * n\`));
           await expect(addon).toKeepState(({ add }) => add(0));
           expect(addon.exports.add(1)).toBe(1 + factor);
         });
       }
       test('each in its own copy', ({ expect }) => { expect(roots.size).toBe(3); });`,
    );
    expect(ends(await runVitest('concurrent/'))).toEqual({
      'times 2': 'passed',
      'times 3': 'passed',
      'times 4': 'passed',
      'each in its own copy': 'passed',
    });
  });

  test('passes where files that share a test function are not isolated', {
    timeout: RUN_TIMEOUT_MS,
  }, async () => {
    project.write(
      'shared/kit.mjs',
      `import { reloadable } from 'napi-reload/vitest';
       export const roots = [];
       export const test = reloadable({ addon: 'build/Release/total.node', source: 'src', build: 'node-gyp' });`,
    );
    for (const name of ['one', 'two']) {
      project.write(
        `shared/${name}.test.mjs`,
        `import fs from 'node:fs';
         import { expect } from 'vitest';
         import { roots, test } from './kit.mjs';
         const mine = [];
         test('${name} first', ({ kit }) => { mine.push(kit.root); roots.push(kit.root); });
         test('${name} again', ({ kit }) => { expect(mine).toEqual([kit.root]); });
         test('${name} says how many there were', () => { fs.appendFileSync('roots.log', \`\${roots.length} \`); });`,
      );
    }
    const found = ends(await runVitest('--no-isolate', '--no-file-parallelism', 'shared/'));
    expect(Object.keys(found)).toHaveLength(6);
    expect(fs.readFileSync(project.file('roots.log'), 'utf8')).toBe('1 2 ');
    expect(new Set(Object.values(found))).toEqual(new Set(['passed']));
  });

  test('is the one in the root of vitest where nothing else is said', {
    timeout: RUN_TIMEOUT_MS,
  }, async () => {
    const elsewhere = project.file('elsewhere');
    fs.mkdirSync(elsewhere, { recursive: true });
    const result = await runVitestIn(elsewhere, `--root=${project.path}`, 'total.test');
    expect(new Set(Object.values(ends(result)))).toEqual(new Set(['passed']));
  });

  test('passes with node:test', { timeout: RUN_TIMEOUT_MS }, async () => {
    const { stdout, stderr, code } = await run(['--test', '--test-reporter=tap', 'total.node-test.mjs']);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/^# pass 2$/m);
  });

  test('fails, test by test, where the addon does', { timeout: RUN_TIMEOUT_MS }, async () => {
    const text = fs.readFileSync(project.file('src/total.c'), 'utf8');
    project.write('src/total.c', text.replace('NULL) napi_get', 'NULL && total > 0) napi_get'));
    let result: Result;
    try {
      result = await runVitest('total.test');
    } finally {
      project.write('src/total.c', text);
    }
    expect(ends(result)).toEqual({
      'an edit keeps the total': 'failed',
      'a mistake leaves the version before serving': 'passed',
      'a version that was replaced leaves nothing behind': 'passed',
    });
    const [message] = result.testResults[0]?.assertionResults[0]?.failureMessages ?? [];
    expect(message).toMatch(
      /Expected state to be kept over a reload\nreloaded: version 1 -> 2, state carried\n {2}phases \(ms\): build /,
    );
  });
});

describe('types', () => {
  test('know the exports, the fixtures and the matchers', () => {
    project.write(
      'types.mts',
      `import { assertKeepsState, createReloadable } from 'napi-reload/testing';
       import { reloadable } from 'napi-reload/vitest';
       import { expect } from 'vitest';
       interface Total { add(n: number): number }
       const options = { addon: 'build/Release/total.node' } as const;
       reloadable<Total>(options)('inline', async ({ addon, crash, edit, kit, rebuild, reload }) => {
         const total: number = addon.exports.add(1);
         await edit('src/total.c', (text: string) => text + total);
         const found: boolean = (await rebuild()).skipped;
         await expect(addon).toKeepState((exports) => exports.add(0), { force: found });
         await expect(kit).not.toUnload({ withinMs: 10 });
         await expect(addon).toStayOnVersion(1, { code: 'ERR_BUILD_FAILED' });
         // @ts-expect-error there is no such code
         await expect(addon).toStayOnVersion(1, { code: 'ERR_BUILD' });
         // @ts-expect-error there is no such export
         await expect(addon).toKeepState((exports) => exports.subtract(0));
         // @ts-expect-error a number is nothing that could be reloaded
         await expect(1).toReload();
         expect(addon.exports).not.toEqual({ add: expect.any(Function) });
         const { status } = await reload();
         const next: 'restart' | 'rollback' = (await crash()).next;
         console.log(status, next);
       });
       reloadable<Total>({ ...options, isolation: 'process' })('process', async ({ addon }) => {
         const total: Promise<number> = addon.exports.add(1);
         console.log(await total);
       });
       const kit = await createReloadable<Total>(options);
       await assertKeepsState(kit, (exports) => exports.add(0));
       // @ts-expect-error a test says itself when it reloads
       await createReloadable({ ...options, watch: true });`,
    );
    const tsc = project.file('node_modules/typescript/bin/tsc');
    // Those of the libraries are checked, too: ours merge with those of vitest.
    const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023'];
    const lib = ['--lib', 'es2023,esnext.disposable,dom', '--types', 'node', 'types.mts'];
    const { stdout, status } = spawnSync(process.execPath, [tsc, '--ignoreConfig', ...flags, ...lib], {
      cwd: project.path,
      encoding: 'utf8',
    });
    expect(status, stdout).toBe(0);
  });
});

describe('matchers', () => {
  test('fail where they must, with a message each', { timeout: RUN_TIMEOUT_MS }, async () => {
    project.write(
      'failing/failing.test.mjs',
      `import { reloadable } from 'napi-reload/vitest';
       import { expect } from 'vitest';
       const test = reloadable({ addon: 'build/Release/total.node', source: 'src', build: 'node-gyp' });
       test('reload', async ({ addon }) => { await expect(addon).toReload(); });
       test('state', async ({ addon, edit }) => {
         await edit('src/total.c', (text) => text.replace('state != NULL', 'state == NULL'));
         addon.exports.add(1);
         await expect(addon).toKeepState(({ add }) => add(0));
       });
       test('unload', async ({ addon }) => { await expect(addon).not.toUnload({ force: true }); });
       test('stay', async ({ addon }) => { await expect(addon).toStayOnVersion(1, { force: true }); });
       test('leak', async ({ addon }) => { await expect(addon).not.toLeakLessThan(2 ** 30, { reloads: 5 }); });
       test('edit', async ({ edit }) => { await edit('src/total.c', (text) => text); });
       test('crash', async ({ crash }) => { await crash(); });`,
    );
    const result = await runVitest('failing');
    const found = Object.fromEntries(
      result.testResults.flatMap(({ assertionResults }) =>
        assertionResults.map(({ title, failureMessages }) => [title, failureMessages[0]?.split('\n')[0]]),
      ),
    );
    expect(found).toEqual({
      reload: expect.stringContaining('Expected a new version to go live'),
      state: expect.stringContaining('Expected state to be kept'),
      unload: expect.stringContaining('Expected not the version that was replaced to be unloaded'),
      stay: expect.stringContaining('Expected version 1 to serve after a reload; version 2 serves'),
      leak: expect.stringContaining('Expected not 5 reloads to leak less than 1073741824 bytes'),
      edit: expect.stringContaining('left "src/total.c" as it was'),
      crash: expect.stringContaining('where a crash ends the process of the test itself'),
    });
  });
});
