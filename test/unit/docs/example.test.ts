/** The code in the README, run as a reader would run it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { include } from '../../../src/headers.ts';
import { NODE_INCLUDE } from '../../support/addons.ts';
import { compiledUrl } from '../../support/compiled.ts';
import { type Block, blocksOf, readDocument, ROOT } from './markdown.ts';

const blocks = blocksOf(readDocument('README.md'));
const files = blocks.filter((block): block is Block & { file: string } => block.file !== null);

let project: string;
let child: ChildProcess | null = null;

beforeEach(() => {
  project = fs.mkdtempSync(path.join(os.tmpdir(), 'napi-reload-docs-'));
  const modules = path.join(project, 'node_modules');
  const library = path.join(modules, 'napi-reload');
  fs.mkdirSync(library, { recursive: true });
  fs.writeFileSync(path.join(library, 'package.json'), '{ "type": "module", "exports": "./index.js" }');
  fs.writeFileSync(
    path.join(library, 'index.js'),
    `export * from ${JSON.stringify(compiledUrl('index.js'))};`,
  );
  fs.symlinkSync(path.join(ROOT, 'node_modules/node-addon-api'), path.join(modules, 'node-addon-api'));
  fs.writeFileSync(path.join(project, 'package.json'), '{ "private": true }');
  for (const { file, text } of files) fs.writeFileSync(path.join(project, file), text);
});

afterEach(async () => {
  if (child !== null && child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  child = null;
  fs.rmSync(project, { recursive: true, force: true });
});

const env = (): NodeJS.ProcessEnv => ({ ...process.env, XDG_CACHE_HOME: path.join(project, 'cache') });

/** Starts a script of the project; its output by the line. */
function start(script: string): { readonly child: ChildProcess; nextLine(): Promise<string> } {
  const started = spawn(process.execPath, [script], {
    cwd: project,
    env: env(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child = started;
  const lines = createInterface({ input: started.stdout })[Symbol.asyncIterator]();
  return {
    child: started,
    nextLine: async () => {
      const { value, done } = await lines.next();
      if (done) throw new Error('The example ended early');
      return value;
    },
  };
}

function edit(find: string, replace: string): void {
  const file = path.join(project, 'counter.cc');
  const before = fs.readFileSync(file, 'utf8');
  expect(before.split(find), `"${find}" is in counter.cc once`).toHaveLength(2);
  fs.writeFileSync(file, before.replace(find, replace));
}

describe('the example of the README', () => {
  test('has at most ten lines', () => {
    const main = files.find(({ file }) => file === 'main.mjs');
    expect(main?.text.trimEnd().split('\n').length).toBeLessThanOrEqual(10);
  });

  test('prints what the README says, survives a mistake, and ends well', async () => {
    const [first, second] = fs.readFileSync(path.join(project, 'output.txt'), 'utf8').trimEnd().split('\n');
    const example = start('main.mjs');
    expect(await example.nextLine()).toBe(first);
    edit('total_ += n;', 'total_ += 10 * n;');
    expect(await example.nextLine()).toBe(second);
    edit('total_ += 10 * n;', 'total_ += 10 * n');
    expect(await example.nextLine()).toMatch(/^ERR_BUILD_FAILED: .*counter\.cc:\d+:\d+: expected/);
    edit('total_ += 10 * n', 'total_ += 100 * n;');
    expect(await example.nextLine()).toBe('version 3 is live, state carried: 111');
    example.child.kill('SIGINT');
    expect(await once(example.child, 'exit')).toEqual([0, null]);
    expect(
      fs.readdirSync(path.join(project, 'cache/napi-reload')).filter((name) => name !== '.lock'),
    ).toEqual([]);
  });

  test('in C does what the one in C++ does', () => {
    const flags = ['-std=c99', '-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter', '-fPIC', '-shared'];
    const args = [...flags, `-I${NODE_INCLUDE}`, `-I${include}`, 'total.c', '-o', 'total.node'];
    execFileSync('gcc', args, { cwd: project, stdio: 'pipe' });
    fs.writeFileSync(
      path.join(project, 'total.mjs'),
      `import { open } from 'napi-reload';
       const total = await open('total.node');
       const { add } = total.exports;
       const before = add(2);
       const { state, retired } = await total.reload({ force: true });
       console.log(before, state, retired.outcome, add(1));
       await total.close();`,
    );
    const options = { cwd: project, env: env(), encoding: 'utf8' } as const;
    expect(execFileSync(process.execPath, ['total.mjs'], options)).toBe('2 carried unloaded 3\n');
  });

  test('that only opens runs on the addon of the README', () => {
    const scripts = blocks.filter(({ runs }) => runs);
    expect(scripts).not.toEqual([]);
    fs.writeFileSync(
      path.join(project, 'build.mjs'),
      `import { open } from 'napi-reload';
       await (await open('build/Release/counter.node', { build: 'node-gyp' })).close();`,
    );
    const run = (script: string): void =>
      void execFileSync(process.execPath, [script], { cwd: project, env: env(), stdio: 'pipe' });
    run('build.mjs');
    for (const [index, { text }] of scripts.entries()) {
      fs.writeFileSync(path.join(project, `script-${index}.mjs`), text);
      // Whatever they call their addons.
      for (const [name] of text.matchAll(/build\/Release\/\w+\.node/g)) {
        if (fs.existsSync(path.join(project, name))) continue;
        fs.copyFileSync(path.join(project, 'build/Release/counter.node'), path.join(project, name));
      }
      run(`script-${index}.mjs`);
    }
  });
});
