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

test.each(fs.readdirSync(folder))('%s gets no more rights than it needs, and its files are there', (name) => {
  const text = read(name);
  expect(text).toMatch(/^permissions:\n {2}contents: read$/m);
  const called = [...text.matchAll(/run: (\.ci\/\S+)/g)].map(([, file = '']) => file);
  expect(called.filter((file) => !fs.existsSync(path.join(root, file)))).toEqual([]);
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
