/** The workflows, which run where no test looks: what they call is there. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const folder = path.join(root, '.github/workflows');
const { engines, scripts } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
/** Those of test/long/versions.mjs. */
const MAJORS = [20, 22, 24, 26];
const read = (name: string): string => fs.readFileSync(path.join(folder, name), 'utf8');

test('weekly.yml runs scripts that there are, all of the long ones among them', () => {
  const list = /script:\n((?: {10}- .+\n)+)/.exec(read('weekly.yml'))?.[1] ?? '';
  const named = list
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^ +- /, ''));
  const long = Object.keys(scripts).filter((name) => /^(soak|test:)/.test(name));
  expect(long.length).toBeGreaterThan(5);
  expect(named.map((name) => name.split(' ')[0])).toEqual(expect.arrayContaining(long));
  expect(named.filter((name) => name.startsWith('test:versions'))).toEqual(
    MAJORS.map((major) => `test:versions -- ${major}`),
  );
  expect(named.filter((name) => scripts[name.split(' ')[0] ?? ''] === undefined)).toEqual([]);
});

/** What its steps run: what stands behind `run:`, or below it where that is a block. */
function commandsOf(text: string): readonly string[] {
  const steps = text.matchAll(/^( *)(?:- )?run: (?:[|>]\S*((?:\n(?:\1 +.*)?)+)|(.+))$/gm);
  return [...steps].map(([, , block, line]) => block ?? line ?? '');
}

/** Files of this repository that a command names. */
function filesIn(command: string): readonly string[] {
  return command.match(/(?<![\w./-])(?:\.\/)?(?:\.ci|bench|examples|native|site|src|test)\/[\w./-]+/g) ?? [];
}

test('the files of this repository that workflows run are there', () => {
  const commands = fs.readdirSync(folder).flatMap((name) => commandsOf(read(name)));
  const files = commands.flatMap(filesIn);
  expect(files).toContain('.ci/run');
  expect(files.filter((file) => !fs.existsSync(path.join(root, file)))).toEqual([]);
});

test('files are found in a step of one line, and in a block', () => {
  const text =
    '    - run: .ci/run one\n    - name: two\n      run: |\n        cd x\n        node test/run.mjs\n    - run: a/test/no\n';
  expect(commandsOf(text).flatMap(filesIn)).toEqual(['.ci/run', 'test/run.mjs']);
});

test.each(fs.readdirSync(folder))('%s gets no more rights than it needs', (name) => {
  expect(read(name)).toMatch(/^permissions:\n {2}contents: read$/m);
});

test.each(fs.readdirSync(folder))('%s names actions by commit, as tags can be moved', (name) => {
  const uses = [...read(name).matchAll(/uses: (.+)/g)].map(([, action]) => action);
  expect(uses.length).toBeGreaterThan(0);
  for (const action of uses) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v[\d.]+$/);
});

test('ci.yml runs the first and the newest Node.js of each line that the package is for', () => {
  const list = /node: \[(.+)\]/.exec(read('ci.yml'))?.[1]?.replaceAll(/["\s]/g, '').split(',') ?? [];
  expect(engines.node).toBe('^20.19.0 || >=22.12.0');
  expect(list).toEqual(['20.19', '22.12', '22', '24', '26']);
});
