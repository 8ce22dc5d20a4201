/** Memory of this process in another one, and in another thread. */
import { type ChildProcess, fork } from 'node:child_process';
import { type EventEmitter, once } from 'node:events';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test } from 'vitest';
import { realOutside } from '../../../src/outside.ts';
import { createMemoryBlock, type MemoryBlock, type MemoryFile } from '../../../src/state/memory-block.ts';
import { NamedMemory } from '../../../src/state/memory.ts';
import { openMemoryView } from '../../../src/state/memory-view.ts';
import { FIXTURES } from '../../support/addons.ts';
import { compiledUrl } from '../../support/compiled.ts';
import { openFiles, sum, without } from './memory-support.ts';

const { native } = realOutside;
const subject = { addon: 'kernel.node', name: 'ring' };
const CHILD = path.join(FIXTURES, 'isolate/memory-view.mjs');

function makeBlock(bytes: number, name = 'ring'): MemoryBlock {
  const block = createMemoryBlock({ ...subject, name }, bytes, native);
  onTestFinished(() => block.close());
  return block;
}

const fileOf = (block: MemoryBlock): MemoryFile => block.file() ?? expect.unreachable();

interface Peer {
  /** Sends it, and gives the answer. */
  ask(message: unknown): Promise<unknown>;
}

async function peerOf(source: EventEmitter, send: (message: unknown) => void): Promise<Peer> {
  const answer = async (): Promise<unknown> => {
    const [message]: unknown[] = await once(source, 'message');
    return message;
  };
  expect(await answer()).toBe('ready');
  return {
    ask(message) {
      const answered = answer();
      send(message);
      return answered;
    },
  };
}

const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  NATIVE_MODULE: compiledUrl('native.js'),
  VIEW_MODULE: compiledUrl('state/memory-view.js'),
});

async function forkPeer(): Promise<Peer & { readonly child: ChildProcess }> {
  const child = fork(CHILD, { env: environment(), serialization: 'advanced' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, ...(await peerOf(child, (message) => child.send(message as object))) };
}

async function threadPeer(): Promise<Peer> {
  const worker = new Worker(CHILD, { env: environment() });
  onTestFinished(async () => void (await worker.terminate()));
  return peerOf(worker, (message) => worker.postMessage(message));
}

describe.each([
  ['a forked process', forkPeer],
  ['a worker', threadPeer],
])('memory in %s', (where, start) => {
  test('is the same bytes on both sides, and grows', async () => {
    const peer = await start();
    const block = makeBlock(100);
    block.view().fill(1);
    expect(await peer.ask({ file: fileOf(block), name: 'ring' })).toEqual({ sum: 100 });
    expect(sum(block.view())).toBe(200);
    const grown = block.grow(100_000);
    grown.view()[99_999] = 5;
    expect(await peer.ask({ file: fileOf(grown), name: 'ring' })).toEqual({ sum: 205 });
    expect([grown.view()[0], grown.view()[50_000], grown.view()[99_999]]).toEqual([3, 1, 6]);
  });

  test('leaves no file and no mapping there once its last view was collected', async () => {
    const peer = await start();
    const block = makeBlock(100, where);
    await peer.ask({ file: fileOf(block), name: where });
    // A thread sees those of the process it is in.
    const own = where === 'a worker' ? 1 : 0;
    expect(await peer.ask({ left: where })).toEqual({ files: own, mappings: own });
  });
});

test('the bytes survive a process that was killed while it used them', async () => {
  const files = openFiles();
  const { child, ask } = await forkPeer();
  const block = makeBlock(5_000);
  await ask({ file: fileOf(block), name: 'ring' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(sum(block.view())).toBe(5_000);
  block.close();
  expect(openFiles()).toBe(files);
});

test('a view stays good when its block is closed', () => {
  const block = makeBlock(100);
  const view = openMemoryView(subject, fileOf(block), native);
  block.view().fill(2);
  block.close();
  expect(sum(view)).toBe(200);
});

test('a claim gives a file instead of a view', () => {
  const memory = new NamedMemory('kernel.node', native);
  onTestFinished(() => memory.close());
  const claim = memory.claim(1, false);
  const file = claim.askForFile('ring', 100) ?? expect.unreachable();
  claim.ask('ring', 100).fill(1);
  expect(file.bytes).toBe(100);
  expect(sum(openMemoryView(subject, file, native))).toBe(100);
  claim.keep();
  expect(() => claim.askForFile('ring', 100)).toThrow(expect.objectContaining({ code: 'ERR_MEMORY_LATE' }));
});

test('where external buffers are not allowed, there is no file and no view', () => {
  const { native: fake } = without({ memoryBuffer: () => null });
  expect(createMemoryBlock(subject, 100, fake).file()).toBeNull();
  const details = { ...subject, wanted: 100, operation: 'napi_create_external_arraybuffer' };
  expect(() => openMemoryView(subject, fileOf(makeBlock(100)), fake)).toThrow(
    expect.objectContaining({ code: 'ERR_MEMORY_UNAVAILABLE', details: expect.objectContaining(details) }),
  );
});
