/** kill -9 of either process at each stage of a reload: the handle answers again, with what was saved. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Addon } from '../../src/index.ts';
import { until } from '../support/until.ts';
import { eventOf, type Fatal, isRunning, refusalOf, Stand } from './hosted.ts';

/** Hooks of the new version, in their order. Its `save` is the check before the swap. */
const STAGES = ['load', 'prepare', 'init', 'save'] as const;

let stand: Stand;
beforeEach(() => {
  stand = new Stand();
});
afterEach(() => stand[Symbol.asyncDispose]());

/** Version 2 serves; 2 is in its checkpoint, and 3 was counted since. */
async function openCounting(): Promise<Addon<Fatal>> {
  const addon = await stand.open(1, { checkpoint: false, host: { spare: false } });
  await addon.exports.bump();
  await addon.exports.bump();
  stand.install(2);
  await addon.reload();
  await addon.exports.bump();
  await addon.exports.mark();
  stand.install(3);
  return addon;
}

/** Hooks after the swap are not asked for what was saved before. */
async function serves(addon: Addon<Fatal>, version: number, count: number): Promise<void> {
  expect(await addon.exports.version()).toBe(version);
  expect(await addon.exports.count()).toBe(count);
  expect(await addon.exports.bump()).toBe(count + 1);
  expect(await addon.exports.mark()).toBe(2);
  expect(addon.current.id).toBe(version);
}

describe('the new process is killed', () => {
  test.each(STAGES)('at %s: the reload is refused, and nothing is lost', async (stage) => {
    const addon = await openCounting();
    const cell = new addon.exports.Cell(5);
    stand.plan(3, stage, 'hang');
    const refused = refusalOf(addon.reload());
    const pid = await stand.at(3, stage);
    const waiting = addon.exports.version();
    process.kill(pid, 'SIGKILL');
    const refusal = await refused;
    const crash = stage === 'save' ? refusal['cause'] : refusal;
    expect(crash).toMatchObject({ code: 'ERR_HOST_CRASHED', details: { version: 3, signal: 'SIGKILL' } });
    expect(await waiting).toBe(2);
    await serves(addon, 2, 3);
    expect(await cell.add()).toBe(6);
    // The same bytes are tried again by whoever asks for it.
    expect(await addon.reload()).toMatchObject({ status: 'reloaded', state: 'carried' });
    expect(await addon.exports.count()).toBe(4);
    await stand.end();
  });

  test('at its first call: it is started again from what it was given', async () => {
    const addon = await openCounting();
    await addon.reload();
    expect(await refusalOf(addon.exports.die('kill'))).toMatchObject({ details: { version: 3 } });
    await serves(addon, 3, 3);
    await stand.end();
  });
});

describe('the old process is killed', () => {
  test.each(['load', 'prepare'] as const)(
    'while the new one is at %s: the last checkpoint goes over',
    async (stage) => {
      const addon = await openCounting();
      stand.plan(3, stage, 'hang');
      const reloading = addon.reload();
      await stand.at(3, stage);
      const restarted = eventOf(addon, 'restarted');
      process.kill(await addon.exports.pid(), 'SIGKILL');
      await restarted;
      // Calls are answered meanwhile.
      expect(await addon.exports.bump()).toBe(3);
      stand.goOn(3, stage);
      expect(await reloading).toMatchObject({ from: 2, to: 3, state: 'carried' });
      await serves(addon, 3, 3);
      await stand.end();
    },
  );

  test.each(['load', 'prepare'] as const)(
    'and cannot be started again while the new one is at %s: the last checkpoint goes over',
    async (stage) => {
      const addon = await openCounting();
      stand.plan(3, stage, 'hang');
      stand.plan(2, 'init', 'hang');
      const reloading = addon.reload();
      await stand.at(3, stage);
      const old = await addon.exports.pid();
      process.kill(old, 'SIGKILL');
      const started = await stand.at(2, 'init');
      const waiting = addon.exports.bump();
      stand.goOn(3, stage);
      expect(await reloading).toMatchObject({ from: 2, to: 3, state: 'carried' });
      expect(await waiting).toBe(3);
      await until('the one that was started again has ended', () => !isRunning(started));
      await serves(addon, 3, 3);
      await stand.end();
    },
  );

  test('as it saves: the reload is refused, and it is started again', async () => {
    const addon = await openCounting();
    stand.plan(2, 'save', 'hang');
    const refused = refusalOf(addon.reload());
    const pid = await stand.at(2, 'save');
    const waiting = addon.exports.bump();
    process.kill(pid, 'SIGKILL');
    expect(await refused).toMatchObject({ code: 'ERR_HOST_CRASHED', details: { version: 2 } });
    expect(await waiting).toBe(3);
    await serves(addon, 2, 3);
    expect(await addon.reload()).toMatchObject({ status: 'reloaded', to: 4 });
    await stand.end();
  });

  test.each(['init', 'save'] as const)(
    'while the new one is at %s: what it had saved goes over',
    async (stage) => {
      const addon = await openCounting();
      const cell = new addon.exports.Cell(5);
      const old = await addon.exports.pid();
      stand.plan(3, stage, 'hang');
      const reloading = addon.reload();
      await stand.at(3, stage);
      const crashed = eventOf(addon, 'crashed');
      process.kill(old, 'SIGKILL');
      await crashed;
      const waiting = addon.exports.bump();
      stand.goOn(3, stage);
      expect(await reloading).toMatchObject({ from: 2, to: 3, retired: { outcome: 'unloaded' } });
      expect(await waiting).toBe(4);
      await serves(addon, 3, 4);
      expect(await cell.add()).toBe(6);
      await stand.end();
    },
  );

  test.each(['init', 'save'] as const)(
    'and then the new one at %s: it is started again from what it had saved',
    async (stage) => {
      const addon = await openCounting();
      const cell = new addon.exports.Cell(5);
      const old = await addon.exports.pid();
      stand.plan(3, stage, 'hang');
      const refused = refusalOf(addon.reload());
      const pid = await stand.at(3, stage);
      const waiting = addon.exports.bump();
      for (const each of [old, pid]) process.kill(each, 'SIGKILL');
      await refused;
      expect(await waiting).toBe(4);
      await serves(addon, 2, 4);
      expect(await cell.add()).toBe(6);
      await stand.end();
    },
  );

  test('as it is disposed of: the new one serves', async () => {
    const addon = await openCounting();
    stand.plan(2, 'dispose', 'hang');
    addon.on('warning', () => undefined);
    const reloading = addon.reload();
    process.kill(await stand.at(2, 'dispose'), 'SIGKILL');
    expect(await reloading).toMatchObject({ to: 3, retired: { outcome: 'unloaded' } });
    await serves(addon, 3, 3);
    await stand.end();
  });

  test('as it resumes after a refusal: it is started again from what it had saved', async () => {
    const addon = await openCounting();
    stand.plan(3, 'init', 'throw');
    stand.plan(2, 'resume', 'hang');
    addon.on('warning', () => undefined);
    const refused = refusalOf(addon.reload());
    process.kill(await stand.at(2, 'resume'), 'SIGKILL');
    expect(await refused).toMatchObject({ code: 'ERR_HOOK_THREW' });
    await serves(addon, 2, 3);
    await stand.end();
  });
});

describe('a close()', () => {
  test.each(STAGES)('while the new version is at %s leaves nothing', async (stage) => {
    const addon = await openCounting();
    stand.plan(3, stage, 'hang');
    const refused = refusalOf(addon.reload());
    const pid = await stand.at(3, stage);
    const closing = addon.close();
    process.kill(pid, 'SIGKILL');
    await closing;
    await refused;
    await stand.end();
  });
});
