/** The program itself, as a process. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { expect, test } from 'vitest';
import { compiledSource } from '../../support/compiled.ts';

const main = path.join(compiledSource(), 'cli/main.js');

test.each([
  [['--version'], 0, /^\d+\.\d+\.\d+\n$/, /^$/],
  [['include', '--help'], 0, /^Usage: napi-reload include \[options\]\n/, /^$/],
  [['inclde'], 2, /^$/, /^Unknown command "inclde"; did you mean "include"\?\n/],
  [[], 2, /^$/, /^Usage: napi-reload <command>/],
])('for %j ends with its exit code, and writes to where that belongs', (words, code, out, error) => {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [main, ...words], {
    encoding: 'utf8',
  });
  expect([status, signal]).toEqual([code, null]);
  expect(stdout).toMatch(out);
  expect(stderr).toMatch(error);
});

test('does not fail when nobody reads what it prints', async () => {
  // It writes when its input ends, and by then its output has lost its reader.
  const late = `process.stdin.resume(); process.stdin.on('end', () => {
    process.argv.push('--help'); import(${JSON.stringify(main)}); });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', late, '--', '-'], {
    stdio: 'pipe',
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdout.destroy();
  await once(child.stdout, 'close');
  child.stdin.end();
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  expect([code, signal, stderr]).toEqual([0, null, '']);
});
