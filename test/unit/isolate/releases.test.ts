/** Numbers of objects and functions: one that is let go of while it is sent once more is still held. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Addon, open } from '../../../src/index.ts';
import { createScratch, install, type Scratch, scriptedAddon } from '../../support/addons.ts';
import { collect as collectNow } from '../../fault/hosted.ts';
import { collect } from './peer.ts';

interface Thing {
  get(): Promise<number>;
}

type Callback = (value: number) => unknown;

interface Kernel {
  same(): Promise<Thing>;
  handler(): Promise<(value: number) => Promise<number>>;
  use(callback: Callback): Promise<number>;
  forget(flag: Uint8Array): Promise<void>;
  Thing: new () => Thing;
}

const KERNEL = `
  exports.Thing = class Thing { get() { return 7; } };
  const thing = new exports.Thing();
  const handler = (value) => value + 1;
  exports.same = () => thing;
  exports.handler = () => handler;
  exports.use = (callback) => callback(5);
  exports.forget = (flag) => {
    let turns = 0;
    const turn = () => { gc(); if (++turns === 10) flag[0] = 1; else setImmediate(turn); };
    setImmediate(turn);
  };
`;

let scratch: Scratch;
let addon: Addon<Kernel>;

beforeEach(async () => {
  scratch = createScratch();
  const file = scratch.file('kernel.node');
  install(scriptedAddon(KERNEL), file);
  const options = { isolation: 'process', stageDir: scratch.file('stage') } as const;
  addon = (await open(file, { ...options, host: { execArgv: ['--expose-gc'] } })) as unknown as typeof addon;
});

afterEach(async () => {
  await addon.close();
  scratch[Symbol.dispose]();
});

test('an object that is sent as it is let go of answers', async () => {
  for (let round = 0; round < 3; round++) {
    await addon.exports.same();
    await new Promise(setImmediate);
    const again = addon.exports.same();
    collectNow();
    const thing = await again;
    await collect();
    await expect(thing.get()).resolves.toBe(7);
  }
});

test('an object that is sent as it is disposed of answers', async () => {
  const thing = await addon.exports.same();
  const again = addon.exports.same();
  (thing as unknown as Disposable)[Symbol.dispose]();
  await expect((await again).get()).resolves.toBe(7);
});

test('a function that was sent twice stays until both are let go of', async () => {
  const handler = await addon.exports.handler();
  await addon.exports.handler();
  await collect();
  await expect(handler(1)).resolves.toBe(2);
});

test('a callback that is sent as the host lets go of it is called', async () => {
  const callback: Callback = (value) => value * 2;
  await expect(addon.exports.use(callback)).resolves.toBe(10);
  const flag = new Uint8Array(addon.allocate(2 ** 18));
  const forgotten = addon.exports.forget(flag);
  // Nothing is received in this turn: what the host says crosses the next call.
  for (const endMs = performance.now() + 5_000; flag[0] === 0 && performance.now() < endMs; );
  expect(flag[0]).toBe(1);
  await expect(Promise.all([addon.exports.use(callback), forgotten])).resolves.toEqual([10, undefined]);
  await expect(addon.exports.use(callback)).resolves.toBe(10);
});
