/** A thread, or the whole process, that ends while arrays are shared both ways. In a process of its own: it may crash. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { FIXTURES } from '../../support/addons.ts';
import { compiledUrl } from '../../support/compiled.ts';

const NOTHING_LEFT = '1 and 5 MiB\n0 left\n';

test.each([
  ['exit', NOTHING_LEFT],
  ['leave', NOTHING_LEFT],
  ['fail', NOTHING_LEFT],
  ['terminate', NOTHING_LEFT],
  ['main exits', ''],
  ['main ends', ''],
])('arrays shared with a thread, whose end is: %s', async (how, output) => {
  const child = spawn(process.execPath, [path.join(FIXTURES, 'isolate/segments-ends.mjs'), how], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NATIVE_MODULE: compiledUrl('native.js'),
      SEGMENTS_MODULE: compiledUrl('isolate/segments.js'),
      LOAN_MODULE: compiledUrl('isolate/loan.js'),
    },
  });
  const [said, errors, [exitCode, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<unknown[]>,
  ]);
  expect({ said, errors, exitCode, signal }).toEqual({ said: output, errors: '', exitCode: 0, signal: null });
});
