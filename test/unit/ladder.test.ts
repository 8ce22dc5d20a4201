/** What is done where a version cannot be reloaded in place. */
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Addon, open, type OpenOptions, type Warning } from '../../src/index.ts';
import { createScratch, FIXTURES, install, type Scratch, scriptedAddon } from '../support/addons.ts';

interface Counter {
  version(): number;
  bump(): number;
  Thing: new () => { version(): number };
}

/** Only the first version of a process finds room for its thread-local storage. */
const greedy = (version: number, hooks = ''): string =>
  scriptedAddon(
    `
    let count = 0;
    exports.version = () => ${version};
    exports.bump = () => ++count;
    exports.Thing = class { version() { return ${version}; } };
    exports.napiReload = { save: () => ({ count }), init({ state }) { if (state) count = state.count; }, ${hooks} };
    `,
    ['-DTLS_BYTES=1200', path.join(FIXTURES, 'hosted/tls.c')],
  );

let scratch: Scratch;
let file: string;
let addon: Addon<Counter> | null = null;

beforeEach(() => {
  scratch = createScratch();
  file = scratch.file('kernel.node');
  install(greedy(1), file);
});

afterEach(async () => {
  await addon?.close();
  addon = null;
  expect(fs.readdirSync(scratch.file('stage'))).toEqual(['.lock']);
  scratch[Symbol.dispose]();
});

async function openOne(options: OpenOptions = {}): Promise<Addon<Counter>> {
  addon = await open<Counter>(file, { stageDir: scratch.file('stage'), ...options });
  return addon;
}

test('a version that only a fresh process can load is refused, and the refusal says what would help', async () => {
  const handle = await openOne();
  install(greedy(2), file);
  await expect(handle.reload()).rejects.toMatchObject({
    code: 'ERR_LOAD_FAILED',
    message: expect.stringMatching(/static TLS.*fallback/),
  });
  expect(handle.exports.version()).toBe(1);
});

test('with a fallback it goes live in a process of its own, with the state', async () => {
  const handle = await openOne({ fallback: 'process' });
  const warnings: Warning[] = [];
  handle.on('warning', (warning) => warnings.push(warning));
  const { version, bump, Thing } = handle.exports;
  const old = new Thing();
  expect([version(), bump(), bump()]).toEqual([1, 1, 2]);
  install(greedy(2), file);
  const reload = handle.reload();
  // As long as it loads, calls are answered here.
  expect(bump()).toBe(3);
  await expect(reload).resolves.toMatchObject({ from: 1, to: 2, state: 'carried' });
  expect(warnings.map(({ code }) => code)).toEqual(['fallback']);
  await expect(Promise.all([version(), bump()])).resolves.toEqual([2, 4]);
  expect(old.version()).toBe(1);
  await expect(new Thing().version()).resolves.toBe(2);
  install(greedy(3), file);
  await expect(handle.reload()).resolves.toMatchObject({ from: 2, state: 'carried' });
  await expect(Promise.all([version(), bump()])).resolves.toEqual([3, 5]);
});

test('a version that is refused in its process leaves the one in this thread as it was', async () => {
  const handle = await openOne({ fallback: 'process' });
  const { version, bump } = handle.exports;
  expect(bump()).toBe(1);
  install(greedy(2, 'init() { throw new Error("on purpose"); },'), file);
  const answers: unknown[] = [];
  handle.on('progress', ({ phase }) => {
    // What comes while the new one takes the state waits, and is answered by the old one in the end.
    if (phase === 'prepare') setTimeout(() => answers.push(bump()), 0);
  });
  await expect(handle.reload()).rejects.toMatchObject({ code: 'ERR_HOOK_THREW', details: { version: 2 } });
  await Promise.all(answers);
  expect([version(), bump()]).toEqual([1, 2 + answers.length]);
});
