/** The example of the README and of "Getting started", run and edited as a reader would do it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { open } from '../../../src/index.ts';
import { compileAddon } from '../../support/addons.ts';
import { cxxObject } from '../../support/cxx.ts';
import { blocksOf, readDocument } from './markdown.ts';
import { createProject, type Project } from './project.ts';

const GETTING_STARTED = 'docs/getting-started.md';

let project: Project;
let child: ChildProcess | null = null;

beforeEach(() => {
  project = createProject(GETTING_STARTED);
});

afterEach(async () => {
  if (child !== null && child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  child = null;
  project[Symbol.dispose]();
});

/** Starts a script of the project; its output by the line. */
function start(script: string): { readonly child: ChildProcess; nextLine(): Promise<string> } {
  const started = spawn(process.execPath, [script], {
    cwd: project.path,
    env: project.env,
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

const fileOf = (document: string, name: string): string | undefined =>
  blocksOf(readDocument(document)).find(({ file }) => file === name)?.text;

function edit(find: string, replace: string): void {
  const file = path.join(project.path, 'counter.cc');
  const before = fs.readFileSync(file, 'utf8');
  expect(before.split(find), `"${find}" is in counter.cc once`).toHaveLength(2);
  fs.writeFileSync(file, before.replace(find, replace));
}

describe('the example of the README', () => {
  test('is that of "Getting started", and has at most ten lines', () => {
    for (const name of ['main.mjs', 'output.txt']) {
      expect(fileOf('README.md', name)).toBe(fileOf(GETTING_STARTED, name));
    }
    expect(fileOf('README.md', 'main.mjs')?.trimEnd().split('\n').length).toBeLessThanOrEqual(10);
  });

  // Built by the binding.gyp of the page.
  test('prints what it says, survives a mistake, and ends well', async () => {
    const [first, second] = fileOf(GETTING_STARTED, 'output.txt')?.trimEnd().split('\n') ?? [];
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
    const staged = path.join(project.path, 'cache/napi-reload');
    expect(fs.readdirSync(staged).filter((name) => name !== '.lock')).toEqual([]);
  });
});

test('the addon without a class carries its state over, too', async () => {
  const object = cxxObject(path.join(project.path, 'plain.cc'));
  const built = path.join(project.path, 'plain.node');
  fs.copyFileSync(compileAddon([object], ['-lstdc++']), built);
  const addon = await open<{ add(n: number): number }>(built, { stageDir: path.join(project.path, 'stage') });
  expect([addon.exports.add(1), addon.exports.add(2)]).toEqual([1, 3]);
  expect(await addon.reload({ force: true })).toMatchObject({ status: 'reloaded', state: 'carried' });
  expect(addon.exports.add(4)).toBe(7);
  await addon.close();
});
