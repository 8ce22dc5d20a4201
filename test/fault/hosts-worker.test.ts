/** Ends of the Worker that runs a version. What crashes the process is not among them. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Addon } from '../../src/index.ts';
import { scriptedAddon } from '../support/addons.ts';
import { until } from '../support/until.ts';
import { eventOf, refusalOf, Stand } from './hosted.ts';

interface Scripted {
  version(): Promise<number>;
  bump(): Promise<number>;
  count(): Promise<number>;
  exit(): Promise<never>;
  throwLater(): Promise<never>;
  fill(): Promise<never>;
  loop(): Promise<never>;
  readonly Cell: new (value: number) => { add(): Promise<number> };
}

const LIMITS = { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 };
const WORKER = { isolation: 'worker', checkpoint: false, host: { resourceLimits: LIMITS } } as const;

const scripted = (version: number, init = ''): string =>
  scriptedAddon(`
    let count = 0;
    exports.version = () => ${version};
    exports.bump = () => ++count;
    exports.count = () => count;
    exports.exit = () => process.exit(5);
    exports.throwLater = () => new Promise(() => setImmediate(() => { throw new RangeError('thrown later'); }));
    exports.fill = () => { const all = []; for (;;) all.push(new Array(1000).fill(Math.random())); };
    exports.loop = () => { for (;;); };
    exports.Cell = class { constructor(value) { this.value = value; } add() { return ++this.value; } };
    exports.napiReload = {
      save: () => count,
      init({ state, reason, memory }) { count = state ?? 0; memory('marks', 64); ${init} },
      classes: { Cell: { save: (cell) => cell.value } },
    };
  `);

let stand: Stand;
beforeEach(() => {
  stand = new Stand();
});
afterEach(() => stand[Symbol.asyncDispose]());

async function openCounting(options: Parameters<Stand['open']>[1] = WORKER): Promise<Addon<Scripted>> {
  const addon = await stand.open<Scripted>(scripted(1), options);
  await addon.exports.bump();
  await addon.exports.bump();
  stand.install(scripted(2));
  await addon.reload();
  return addon;
}

const images = (): number => new Set(stand.mapped().flatMap((line) => line.match(/\S+\.node/) ?? [])).size;

describe('a Worker that ends', () => {
  test.each([
    ['exit', { exitCode: 5, reason: 'exit' }, undefined],
    ['throwLater', { exitCode: 1, reason: 'exit' }, { name: 'RangeError', message: 'thrown later' }],
    ['fill', { exitCode: 1, reason: 'exit' }, { code: 'ERR_WORKER_OUT_OF_MEMORY' }],
    ['loop', { exitCode: 1, reason: 'call-timeout' }, undefined],
  ] as const)('by %s is told of, and started again from the last checkpoint', async (how, details, cause) => {
    const addon = await openCounting({ ...WORKER, callTimeoutMs: 3_000 });
    const { exports } = addon;
    const cell = new exports.Cell(3);
    await cell.add();
    await exports.bump();
    const crashed = eventOf(addon, 'crashed');
    const calls = [refusalOf(exports[how]()), refusalOf(exports.bump())];
    const [first, second] = await Promise.all(calls);
    expect(first).toMatchObject({
      code: 'ERR_HOST_CRASHED',
      details: { version: 2, signal: null, ...details },
    });
    if (cause !== undefined) expect(first?.['cause']).toMatchObject(cause);
    // A promise of the first one lets the second be answered.
    if (how !== 'throwLater') expect(second).toMatchObject({ code: 'ERR_HOST_CRASHED' });
    expect(await crashed).toMatchObject({ id: 2, next: 'restart' });
    expect(await exports.count()).toBe(2);
    expect(await refusalOf(cell.add())).toMatchObject({ code: 'ERR_HOST_CRASHED' });
    await until('only what runs is mapped', () => images() === 1);
    await stand.end();
  });

  test('with what was thrown in it tells its stack', async () => {
    const addon = await openCounting();
    const { details } = await refusalOf(addon.exports.throwLater());
    expect((details as { stderr: string }).stderr).toContain('RangeError: thrown later\n    at ');
    await stand.end();
  });

  test('again and again is rolled back', async () => {
    const supervise = { maxCrashes: 2, backoffMs: 1 };
    const addon = await openCounting({ ...WORKER, supervise });
    for (let crash = 0; crash < 2; crash += 1) await refusalOf(addon.exports.exit());
    expect(await addon.exports.version()).toBe(1);
    expect(await addon.exports.bump()).toBe(3);
    await stand.end();
  });

  test('again and again with none before it is given up, until a reload', async () => {
    const supervise = { maxCrashes: 1 };
    const addon = await stand.open<Scripted>(scripted(1), { ...WORKER, supervise });
    const gaveUp = eventOf(addon, 'gave-up');
    await refusalOf(addon.exports.exit());
    await gaveUp;
    expect(await refusalOf(addon.exports.bump())).toMatchObject({ code: 'ERR_HOST_CRASHED' });
    expect(await addon.reload()).toMatchObject({ status: 'reloaded' });
    expect(await addon.exports.bump()).toBe(1);
    await stand.end();
  });
});

test('a restart whose init throws is tried again, and given up', async () => {
  const init = `if (reason === 'restart') throw new Error('no');`;
  const addon = await stand.open<Scripted>(scripted(1, init), {
    ...WORKER,
    supervise: { maxCrashes: 3, backoffMs: 1 },
  });
  const gaveUp = eventOf(addon, 'gave-up');
  await refusalOf(addon.exports.exit());
  expect((await gaveUp).error).toMatchObject({
    details: { reason: 'restart-failed' },
    cause: { code: 'ERR_HOOK_THREW' },
  });
  await stand.end();
});

test('native code that does not return is left alone: another Worker answers', async () => {
  const addon = await stand.open(1, { ...WORKER, callTimeoutMs: 100 });
  const stuck = await refusalOf(addon.exports.die('doze'));
  expect(stuck).toMatchObject({
    code: 'ERR_HOST_CRASHED',
    details: { reason: 'call-timeout', exitCode: null },
  });
  expect(await addon.exports.bump()).toBe(1);
  await stand.end();
});

test.each(['exit', 'loop'] as const)('a close() while a call is about to %s leaves nothing', async (how) => {
  const addon = await openCounting({ ...WORKER, drainTimeoutMs: 50, hookTimeoutMs: 1_000 });
  const refusal = refusalOf(addon.exports[how]());
  await addon.close();
  expect(await refusal).toMatchObject({ code: how === 'exit' ? 'ERR_HOST_CRASHED' : 'ERR_VERSION_UNLOADED' });
  await stand.end();
});
