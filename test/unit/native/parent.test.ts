/** A process that ends with the one that started it. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SHIM_PATH, scratch, shim, startNode } from './shim.ts';

const LOAD = `const shim = require(${JSON.stringify(SHIM_PATH)});`;
const run = (script: string): string =>
  `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(script)}], { stdio: 'inherit' });`;

test('a process in an endless loop dies when its parent is killed', async () => {
  const loop = `${LOAD} console.log(shim.dieWithParent(process.ppid)); for (;;);`;
  const [parent, answer] = await startNode(run(loop));
  expect(answer).toBe('true');
  parent.kill('SIGKILL');
  // The pipe ends with the last process that can write to it.
  await once(parent, 'close');
});

test('a process dies with the thread that started it', async () => {
  const fifo = join(scratch(), 'fifo');
  execFileSync('mkfifo', [fifo]);
  const open = `const file = require('node:fs').openSync(${JSON.stringify(fifo)}, 'w');`;
  const loop = `${LOAD} ${open} fs.writeSync(file, String(shim.dieWithParent(process.ppid))); for (;;);`;
  const thread = `${run(loop)} setInterval(() => {}, 1000);`;
  const [parent, line] = await startNode(`
    const { Worker } = require('node:worker_threads');
    const thread = new Worker(${JSON.stringify(thread)}, { eval: true });
    let answer = '';
    // It ends with the process that writes to it. Until then this one waits.
    const stream = require('node:fs').createReadStream(${JSON.stringify(fifo)}, 'utf8');
    stream.on('data', (text) => { answer += text; thread.terminate(); });
    stream.on('end', () => console.log(answer));
  `);
  expect(line).toBe('true');
  await once(parent, 'close');
});

test('what is no number is an exception', () => {
  expect(() => shim.dieWithParent('1' as never)).toThrow('dieWithParent takes a number');
});

test('a process that is not the parent is told from it', async () => {
  const [, answer] = await startNode('console.log(shim.dieWithParent(process.pid));');
  expect(answer).toBe('false');
});
