/** The package as people get it: packed, checked, and installed into an empty project that runs no install scripts. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData, type ProblemKind } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createScratch, type Scratch } from '../support/addons.ts';
import { entryDeclarations, reachable } from '../../.ci/declarations.mjs';
import { installInto, pack } from '../support/tarball.ts';
import { blocksOf, readDocument } from '../unit/docs/markdown.ts';

const root = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
/** What has the files of the example. */
const EXAMPLE = ['README.md', 'docs/getting-started.md'];
/** Below the promised megabyte: the shim of a release comes from another compiler. */
const BYTES_MAX = 990_000;
const ENTRIES = ['.', './register', './hot', './testing', './vitest'];

let scratch: Scratch;
let tarball: string;
let files: readonly string[];
/** Why it could not be installed; null when it was. */
let missing: string | null = null;

const inProject = (...names: string[]): string => path.join(scratch.file('project'), ...names);

// It is made where its shim is made.
describe.runIf(process.platform === 'linux' && process.arch === 'x64')('the package', () => {
  beforeAll(async () => {
    scratch = createScratch();
    ({ path: tarball, files } = await pack(scratch));
    missing = await installInto(inProject());
    for (const { file, text } of EXAMPLE.flatMap((name) => blocksOf(readDocument(name)))) {
      if (file !== null) scratch.write(`project/${file}`, text);
    }
  }, 300_000);

  afterAll(() => scratch[Symbol.dispose]());

  describe('the tarball', () => {
    test('is small', () => {
      expect(fs.statSync(tarball).size).toBeLessThan(BYTES_MAX);
    });

    test('has what is needed at run time, and nothing that a package manager would compile at once', () => {
      const tops = new Set(files.map((file) => file.split('/')[0]));
      expect([...tops].toSorted()).toEqual(
        [
          'CHANGELOG.md',
          'LICENSE',
          'README.md',
          'SECURITY.md',
          'dist',
          'docs',
          'native',
          'package.json',
          'prebuilds',
          'src',
        ].toSorted(),
      );
      expect(files).toContain('prebuilds/linux-x64/napi_reload.node');
      expect(files.filter((file) => file.startsWith('src/'))).toEqual(['src/config/schema.json']);
      const { scripts, gypfile } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
      expect([scripts.preinstall, scripts.install, scripts.postinstall, gypfile]).toEqual([
        undefined,
        undefined,
        undefined,
        false,
      ]);
    });

    test('has each file of src/ compiled, and no other', () => {
      const sources = fs
        .readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => `dist/${name.slice(0, -'.ts'.length)}`);
      const compiled = files.filter((file) => file.startsWith('dist/') && file.endsWith('.js'));
      expect(compiled.map((file) => file.slice(0, -'.js'.length)).toSorted()).toEqual(sources.toSorted());
    });

    test('has the declarations that its types lead to, and no other', () => {
      const typed = files.filter((file) => file.endsWith('.d.ts'));
      const needed = [...reachable(entryDeclarations())].map((file) => path.relative(root, file));
      expect(typed.toSorted()).toEqual(needed.toSorted());
      expect(typed).toContain('dist/index.d.ts');
    });

    test('has nothing that publint would mend', async () => {
      const bytes = fs.readFileSync(tarball);
      const content = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
      const { messages, pkg } = await publint({ pack: { tarball: content }, level: 'suggestion' });
      expect(messages.map((message) => formatMessage(message, pkg ?? {}))).toEqual([]);
    });

    test('has types that every resolution finds, and that are those of what it finds', async () => {
      const checked = await checkPackage(createPackageFromTarballData(fs.readFileSync(tarball)));
      if (checked.types === false) throw new Error('No types were found');
      // It is ESM, which require() loads on every Node.js of "engines".
      const allowed: readonly ProblemKind[] = ['CJSResolvesToESM'];
      const problems = checked.problems.filter(
        (problem) =>
          !allowed.includes(problem.kind) &&
          // It knows no "exports", and is not for packages that have some.
          !('resolutionKind' in problem && problem.resolutionKind === 'node10'),
      );
      expect(problems).toEqual([]);
      expect(Object.keys(checked.entrypoints)).toEqual(expect.arrayContaining(ENTRIES));
    });
  });

  describe('an empty project that installs it', () => {
    beforeEach(({ skip }) => {
      if (missing !== null) skip(missing);
    });

    /** Runs the example of the README, edits the addon once, and ends it as a person does. */
    async function runExample(script: string): Promise<readonly string[]> {
      const env = { ...process.env, XDG_CACHE_HOME: scratch.file('cache') };
      const stdio = ['ignore', 'pipe', 'inherit'] as const;
      const child = spawn(process.execPath, [script], { cwd: inProject(), env, stdio: [...stdio] });
      const source = fs.readFileSync(inProject('counter.cc'), 'utf8');
      const said: string[] = [];
      for await (const line of createInterface({ input: child.stdout })) {
        said.push(line);
        if (said.length === 1) {
          scratch.write('project/counter.cc', source.replace('total_ += n;', 'total_ += 10 * n;'));
        } else child.kill('SIGINT');
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      scratch.write('project/counter.cc', source);
      expect([child.exitCode, child.signalCode]).toEqual([0, null]);
      return said;
    }

    const example = (): string => fs.readFileSync(inProject('main.mjs'), 'utf8');
    const promised = (): readonly string[] =>
      fs.readFileSync(inProject('output.txt'), 'utf8').trimEnd().split('\n');

    test('runs the example of the README', async () => {
      expect(await runExample('main.mjs')).toEqual(promised());
    });

    test('runs it as CommonJS', async () => {
      const [first = '', ...rest] = example().split('\n');
      expect(first).toBe("import { open } from 'napi-reload';");
      const body = ["const { open } = require('napi-reload');", '(async () => {', ...rest, '})();'];
      scratch.write('project/main.cjs', body.join('\n'));
      expect(await runExample('main.cjs')).toEqual(promised());
    });

    test('takes the shim that came along, and compiles none', async () => {
      const program = inProject('node_modules/.bin/napi-reload');
      const { stdout, stderr } = await run(program, ['setup'], { cwd: inProject() });
      const installed = fs.realpathSync(inProject('node_modules/napi-reload'));
      expect([stdout, stderr]).toEqual([`${installed}/prebuilds/linux-x64/napi_reload.node\n`, '']);
      expect(fs.existsSync(path.join(installed, 'build'))).toBe(false);
    });

    test.each([
      ['mts', 'node16', 'node16'],
      ['mts', 'nodenext', 'nodenext'],
      ['mts', 'preserve', 'bundler'],
      ['cts', 'nodenext', 'nodenext'],
    ])(
      'checks the types of a .%s with --module %s --moduleResolution %s',
      async (suffix, module, resolution) => {
        const text = `import { open, isReloadError, type Addon } from 'napi-reload';
        interface Counter { add(n: number): number }
        export async function main(): Promise<number> {
          const counter: Addon<Counter> = await open<Counter>('build/Release/counter.node', { watch: true });
          counter.on('failed', (error) => { if (isReloadError(error, 'ERR_BUILD_FAILED')) error.details.diagnostics; });
          return counter.exports.add(1);
        }`;
        scratch.write(`project/typed.${suffix}`, text);
        scratch.write(
          `project/wrong.${suffix}`,
          `import { open } from 'napi-reload';\nvoid open('x.node', { watsh: 1 });\n`,
        );
        const flags = [
          '--noEmit',
          '--strict',
          '--types',
          'node',
          '--module',
          module,
          '--moduleResolution',
          resolution,
        ];
        const entries = ENTRIES.map((entry) => path.posix.join('napi-reload', entry));
        const imports = entries.map((name, at) => `export * as entry${at} from '${name}';\n`);
        scratch.write(`project/entries.${suffix}`, imports.join(''));
        const files = ['typed', 'entries', 'wrong'].map((name) => `${name}.${suffix}`);
        const tsc = inProject('node_modules/.bin/tsc');
        const { stdout } = spawnSync(tsc, [...flags, ...files], { cwd: inProject(), encoding: 'utf8' });
        // One error, where the option is written wrong.
        expect(stdout.match(/^\w+\.[cm]ts\(\d+/gm), stdout).toEqual([`wrong.${suffix}(2`]);
        expect(stdout).toContain('watsh');
      },
    );
  });
});
