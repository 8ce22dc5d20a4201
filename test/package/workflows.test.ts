/** The workflows, which run where no test looks: what they call is there. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const folder = path.join(root, '.github/workflows');
const { scripts } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
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
  for (const [, folders = ''] of list.matchAll(/ -- (.+)/g)) {
    expect(fs.existsSync(path.join(root, folders)), folders).toBe(true);
  }
  expect(named.filter((name) => scripts[name.split(' ')[0] ?? ''] === undefined)).toEqual([]);
});

test.each(fs.readdirSync(folder))('%s gets no more rights than it needs, and its files are there', (name) => {
  const text = read(name);
  expect(text).toMatch(/^permissions:\n {2}contents: read$/m);
  const called = [...text.matchAll(/run: (\.ci\/\S+)/g)].map(([, file = '']) => file);
  expect(called.filter((file) => !fs.existsSync(path.join(root, file)))).toEqual([]);
});
