/** `napi-reload/hot`: Vite's words over the events of handles. */
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import type { ViteHotContext } from 'vite/types/hot.js';
import { createHot, hot, type HotContext } from '../../src/hot.ts';
import { onInvalidated } from '../../src/handles.ts';
import { type Addon, open } from '../../src/index.ts';
import { createScratch, install, type Scratch, scriptedAddon } from '../support/addons.ts';

interface Kernel {
  version(): number;
  bytes(): ArrayBuffer;
}

let scratch: Scratch;
let addon: Addon<Kernel>;
let context: HotContext;
let trace: string[];

const build = (version: number | string): string =>
  scriptedAddon(`exports.version = () => ${version}; exports.napiReload = { init() { ${version}; } };`);

const openKernel = (name: string): Promise<Addon<Kernel>> => {
  install(build(1), scratch.file(name));
  return open<Kernel>(scratch.file(name), { stageDir: scratch.file('stage') });
};

async function reload(version: number | string, name = 'kernel.node', of: Addon<Kernel> = addon) {
  install(build(version), scratch.file(name));
  return of.reload();
}

beforeEach(async () => {
  scratch = createScratch();
  trace = [];
  context = createHot();
  addon = await openKernel('kernel.node');
});
afterEach(async () => {
  context[Symbol.dispose]();
  await addon.close();
  scratch[Symbol.dispose]();
});

const say =
  (...words: readonly unknown[]) =>
  (): void =>
    void trace.push(words.join(' '));

describe('an update', () => {
  test('is told of in the order: before, dispose, accept, after, and then the old version ends', async () => {
    context.on('napi-reload:beforeUpdate', () => trace.push(`before ${addon.exports.version()}`));
    context.on('napi-reload:afterUpdate', ({ from, to }) => trace.push(`after ${from} ${to}`));
    context.accept((exports) => trace.push(`accept ${(exports as Kernel).version()}`));
    context.dispose(() => trace.push(`dispose ${addon.exports.version()}`));
    addon.on('reloaded', ({ retired }) => trace.push(`reloaded ${retired?.outcome}`));
    await reload(2);
    expect(trace).toEqual(['before 1', 'dispose 2', 'accept 2', 'after 1 2', 'reloaded unloaded']);
  });

  test('hands data from dispose to accept, in each context its own', async () => {
    using other = createHot();
    context.dispose((data) => {
      data['window'] = addon.exports.version() * 10;
    });
    context.accept(() => trace.push(`${context.data['window']} ${other.data['window']}`));
    await reload(2);
    await reload(3);
    expect(trace).toEqual(['20 undefined', '30 undefined']);
  });

  test('is told to who accepts that addon, by exports, by path or by URL', async () => {
    const second = await openKernel('second.node');
    context.accept(addon.exports, say('exports'));
    context.accept(scratch.file('kernel.node'), say('path'));
    context.accept(new URL(`file://${scratch.file('kernel.node')}`), say('url'));
    context.accept(second.exports, say('second'));
    await reload(2);
    await reload(2, 'second.node', second);
    await second.close();
    expect(trace).toEqual(['exports', 'path', 'url', 'second']);
  });

  test('of one of several gives undefined for the others', async () => {
    const second = await openKernel('second.node');
    context.accept([scratch.file('second.node'), addon.exports], (changed) => {
      trace.push(changed.map((exports) => (exports === undefined ? '-' : 'changed')).join(' '));
    });
    await reload(2);
    await reload(2, 'second.node', second);
    await second.close();
    expect(trace).toEqual(['- changed', 'changed -']);
  });

  test('of an addon that is opened later is told too', async () => {
    context.accept(scratch.file('late.node'), say('late'));
    const late = await openKernel('late.node');
    await reload(2, 'late.node', late);
    await late.close();
    expect(trace).toEqual(['late']);
  });

  test('that is refused is an error, and disposes of nothing', async () => {
    context.dispose(say('dispose'));
    context.on('napi-reload:error', ({ error, addon: of }) => trace.push(`${error.code} ${of.current.id}`));
    await expect(reload('(() => { throw new Error("no") })()')).rejects.toThrow();
    expect(trace).toEqual(['ERR_HOOK_THREW 1']);
  });

  test('goes on where one who is told throws, and says so', async () => {
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    context.accept(() => {
      throw new Error('not mine');
    });
    context.accept(say('mine'));
    await reload(2);
    expect(trace).toEqual(['mine']);
    expect((await warned).message).toContain('not mine');
  });
});

test('listeners that were taken off hear nothing', async () => {
  const listener = say('after');
  context.on('napi-reload:afterUpdate', listener);
  context.off('napi-reload:afterUpdate', listener);
  await reload(2);
  expect(trace).toEqual([]);
});

test('a handle that closes is pruned', async () => {
  context.prune((data) => trace.push(`prune ${Object.keys(data).length}`));
  context.on('napi-reload:beforePrune', say('before'));
  await addon.close();
  expect(trace).toEqual(['before', 'prune 0']);
});

describe('invalidate', () => {
  test('asks whoever restarts the app', () => {
    const off = onInvalidated((message) => trace.push(`restart ${message}`));
    context.on('napi-reload:invalidate', ({ message }) => trace.push(`told ${message}`));
    context.invalidate('the layout changed');
    off();
    expect(trace).toEqual(['told the layout changed', 'restart the layout changed']);
  });

  test('says that nobody does, where nobody does', async () => {
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    context.invalidate('the layout changed');
    expect((await warned).message).toBe(
      'A restart was asked for: the layout changed; start the app with "napi-reload dev" to have it',
    );
  });
});

test("has the types of Vite's context, where they mean the same", () => {
  type Same = 'accept' | 'data' | 'dispose' | 'invalidate' | 'prune';
  expectTypeOf(hot.accept).toBeCallableWith(() => undefined);
  expectTypeOf<Parameters<HotContext['dispose']>[0]>().toExtend<Parameters<ViteHotContext['dispose']>[0]>();
  expectTypeOf<Parameters<HotContext['invalidate']>>().toEqualTypeOf<
    Parameters<ViteHotContext['invalidate']>
  >();
  expectTypeOf<Same>().toExtend<keyof ViteHotContext & keyof HotContext>();
  expect(hot).toBeTypeOf('object');
});
