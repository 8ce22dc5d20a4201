/** The test suite of a published addon, as its authors wrote it, with and without the register. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createScratch, FIXTURES, type Scratch } from '../../support/addons.ts';
import { compiledUrl } from '../../support/compiled.ts';

const MODULES = path.resolve(import.meta.dirname, '../../../node_modules');
/** Of bcrypt's suite, the file that hashes for 10 s to see whether it is slow enough is left out. */
const SUITES = ['async', 'implementation', 'promise', 'sync'];

let scratch: Scratch;
beforeEach(() => {
  scratch = createScratch();
});
afterEach(() => scratch[Symbol.dispose]());

/** Notes in each process that ends how many handles it has. */
const NOTE_HANDLES = `
import fs from 'node:fs';
const { openHandles } = await import(process.env.HANDLES);
process.on('exit', () => fs.appendFileSync(process.env.NOTES, openHandles().length + ' '));
`;

/** @returns how many tests passed, failed and so on, by the last lines of the reporter */
async function runSuite(execArgv: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const files = SUITES.map((name) => path.join('test', `${name}.test.js`));
  const imports = [scratch.file('jest-globals.mjs'), scratch.file('note-handles.mjs')];
  const args = [...execArgv, ...imports.flatMap((file) => ['--import', file])];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...args, '--test', '--test-reporter=tap', ...files],
    {
      cwd: scratch.file('bcrypt'),
      env: { ...process.env, HANDLES: compiledUrl('handles.js'), NOTES: scratch.file('notes') },
    },
  );
  const counts = stdout.matchAll(/^# (\w+) (\d+)$/gm);
  return new Map([...counts].map(([, name = '', count]) => [name, Number(count)]));
}

/** Of the processes that had some. */
function takeNotes(): readonly number[] {
  const notes = fs.readFileSync(scratch.file('notes'), 'utf8').trim().split(' ').map(Number);
  fs.rmSync(scratch.file('notes'));
  return notes.filter((count) => count > 0);
}

test("bcrypt's own tests pass unchanged, with its addon in a handle", async () => {
  // A copy, since what lies in node_modules is left alone.
  fs.cpSync(path.join(MODULES, 'bcrypt'), scratch.file('bcrypt'), { recursive: true });
  fs.symlinkSync(MODULES, scratch.file('node_modules'));
  scratch.write('jest-globals.mjs', fs.readFileSync(path.join(FIXTURES, 'register/jest-globals.mjs')));
  scratch.write('note-handles.mjs', NOTE_HANDLES);
  const plain = await runSuite([]);
  expect(takeNotes()).toEqual([]);
  const registered = await runSuite(['--import', compiledUrl('register/register.js')]);
  expect(takeNotes()).toEqual([1, 1, 1, 1]);
  expect(plain.get('pass')).toBeGreaterThan(50);
  expect(plain.get('fail')).toBe(0);
  expect(registered).toEqual(plain);
});
