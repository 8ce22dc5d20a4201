/** Crashes of the process that runs a version: what is lost, what comes back, and that nothing stays. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Addon } from '../../src/index.ts';
import { until } from '../support/until.ts';
import { eventOf, type Fatal, hostsOf, refusalOf, Stand, staged } from './hosted.ts';

/** No checkpoint comes unless a test asks for it; a spare host waits, as it does by default. */
const WITH_SPARE = { checkpoint: false } as const;
/** Without the spare one, which most tests show nothing of. */
const QUIET = { ...WITH_SPARE, host: { spare: false } } as const;
const FAST = { backoffMs: 1, backoffMaxMs: 4 } as const;

let stand: Stand;
beforeEach(() => {
  stand = new Stand();
});
afterEach(() => stand[Symbol.asyncDispose]());

/** Has what it counts in a checkpoint: one is made with each reload. */
async function openCounting(options: Parameters<Stand['open']>[1] = QUIET): Promise<Addon<Fatal>> {
  const addon = await stand.open(1, options);
  await addon.exports.bump();
  await addon.exports.bump();
  stand.install(2);
  await addon.reload();
  return addon;
}

describe('a host that ends in a call', () => {
  test.each([
    ['segv', null, 'SIGSEGV'],
    ['abort', null, 'SIGABRT'],
    ['kill', null, 'SIGKILL'],
    ['thread', null, 'SIGSEGV'],
    ['exit', 7, null],
  ])('by %s is told of, and started again from the last checkpoint', async (how, exitCode, signal) => {
    const addon = await openCounting(WITH_SPARE);
    const { exports } = addon;
    await exports.mark();
    await exports.bump();
    const before = await exports.pid();
    const crashed = eventOf(addon, 'crashed');
    const restarted = eventOf(addon, 'restarted');
    const [first, second] = await Promise.all([refusalOf(exports.die(how)), refusalOf(exports.bump())]);
    const details = { version: 2, exitCode, signal, reason: 'exit' };
    expect(first).toMatchObject({ code: 'ERR_HOST_CRASHED', details });
    expect(second).toMatchObject({ code: 'ERR_HOST_CRASHED', details });
    expect(await crashed).toMatchObject({ id: 2, next: 'restart', delayMs: 0, error: { details } });
    expect(await exports.count()).toBe(2);
    expect(await restarted).toEqual({ id: 2 });
    expect(await exports.mark()).toBe(2);
    expect(await exports.pid()).not.toBe(before);
    expect(addon.current).toMatchObject({ id: 2, state: 'live' });
    await stand.end();
  });

  test('tells the last lines that it wrote to its standard error', async () => {
    const addon = await openCounting();
    const { details, message } = await refusalOf(addon.exports.die('say'));
    const lines = Array.from({ length: 20 }, (_, index) => `line ${index + 11}`);
    expect((details as { stderr: string }).stderr.split('\n')).toEqual(lines);
    expect(message).toContain('was ended by SIGSEGV; it wrote "line 30" last');
    expect(await addon.exports.count()).toBe(2);
    await stand.end();
  });

  test('by a loop without end is ended after callTimeoutMs, which counts as a crash', async () => {
    const addon = await openCounting({ ...QUIET, callTimeoutMs: 300 });
    const { exports } = addon;
    const refusal = await refusalOf(exports.die('loop'));
    expect(refusal).toMatchObject({
      code: 'ERR_HOST_CRASHED',
      details: { reason: 'call-timeout', signal: 'SIGKILL' },
    });
    expect(await exports.count()).toBe(2);
    const never = await refusalOf(exports.never());
    expect(never).toMatchObject({ code: 'ERR_HOST_CRASHED', details: { reason: 'call-timeout' } });
    expect(await exports.count()).toBe(2);
    await stand.end();
  });

  test('by taking memory is ended at host.maxRssBytes', async () => {
    const addon = await openCounting({ ...QUIET, host: { ...QUIET.host, maxRssBytes: 256 << 20 } });
    expect(await refusalOf(addon.exports.die('storm'))).toMatchObject({
      code: 'ERR_HOST_CRASHED',
      details: { reason: 'memory-limit', signal: 'SIGKILL' },
    });
    expect(await addon.exports.count()).toBe(2);
    await stand.end();
  });
});

test('a host that is killed while no call is in flight is started again', async () => {
  const addon = await openCounting();
  const restarted = eventOf(addon, 'restarted');
  process.kill(await addon.exports.pid(), 'SIGKILL');
  await restarted;
  expect(await addon.exports.count()).toBe(2);
  await stand.end();
});

test('a finalizer that crashes is a crash like another', async () => {
  const addon = await openCounting({
    ...QUIET,
    host: { ...QUIET.host, execArgv: ['--max-semi-space-size=1'] },
  });
  const crashed = eventOf(addon, 'crashed');
  let isDown = false;
  void crashed.then(() => {
    isDown = true;
  });
  await addon.exports.doom();
  // Garbage, until V8 collects.
  while (!isDown)
    await Promise.all(Array.from({ length: 1000 }, () => addon.exports.version())).catch(() => 0);
  expect((await crashed).error.details).toMatchObject({ signal: 'SIGSEGV' });
  expect(await addon.exports.count()).toBe(2);
  await stand.end();
});

test('calls that come while it is down wait, and are answered once and in order', async () => {
  const addon = await openCounting();
  const { exports } = addon;
  const crashed = eventOf(addon, 'crashed');
  void refusalOf(exports.die('segv'));
  await crashed;
  const counts = await Promise.all(Array.from({ length: 50 }, () => exports.bump()));
  expect(counts).toEqual(Array.from({ length: 50 }, (_, index) => index + 3));
  expect(await exports.count()).toBe(52);
  await stand.end();
});

test('a call in flight is refused once, and not made again', async () => {
  const addon = await openCounting();
  const settled: unknown[] = [];
  const calls = Array.from({ length: 20 }, (_, index) =>
    (index === 10 ? addon.exports.die('segv') : addon.exports.mark()).then(
      () => settled.push('answered'),
      () => settled.push('refused'),
    ),
  );
  await Promise.all(calls);
  expect(settled.toSorted()).toEqual([...Array(10).fill('answered'), ...Array(10).fill('refused')]);
  expect(await addon.exports.mark()).toBe(11);
  await stand.end();
});

describe('checkpoints', () => {
  test('are made from time to time where calls were made', async () => {
    const addon = await stand.open(1, { checkpoint: { everyMs: 20 } });
    const { exports } = addon;
    await exports.bump();
    await exports.bump();
    // In its second save: the first one was that of the load.
    stand.plan(1, 'save', 'hang');
    await exports.bump();
    await stand.at(1, 'save');
    stand.goOn(1, 'save');
    // It comes after the save.
    await exports.version();
    await refusalOf(exports.die('kill'));
    expect(await exports.count()).toBeGreaterThan(0);
    await stand.end();
  });

  test('that fail are told of, and those before them are kept', async () => {
    const addon = await openCounting({ checkpoint: { everyMs: 5 } });
    stand.plan(2, 'save', 'throw');
    const warned = eventOf(addon, 'warning');
    await addon.exports.bump();
    expect(await warned).toMatchObject({ code: 'checkpoint-failed' });
    await refusalOf(addon.exports.die('kill'));
    expect(await addon.exports.count()).toBe(2);
    await stand.end();
  });

  test('in which it crashes are crashes', async () => {
    const addon = await openCounting({ checkpoint: { everyMs: 5 } });
    stand.plan(2, 'save', 'segv');
    const crashed = eventOf(addon, 'crashed');
    await addon.exports.bump();
    await crashed;
    expect(await addon.exports.count()).toBe(2);
    await stand.end();
  });

  test('have the objects of described classes; others are lost', async () => {
    const addon = await openCounting();
    const { exports } = addon;
    const [cell, loose] = [new exports.Cell(5), new exports.Loose(7)];
    expect([await cell.add(), await loose.add()]).toEqual([6, 8]);
    stand.install(3);
    expect(await addon.reload()).toMatchObject({ instances: { moved: { Cell: 1 } } });
    const young = new exports.Cell(1);
    await young.get();
    const fresh = new exports.Loose(9);
    await fresh.get();
    await refusalOf(exports.die('segv'));
    expect(await cell.add()).toBe(7);
    expect(await loose.get()).toBe(8);
    expect(await refusalOf(young.get())).toMatchObject({ code: 'ERR_HOST_CRASHED' });
    expect(await refusalOf(fresh.get())).toMatchObject({ code: 'ERR_HOST_CRASHED' });
    expect(await new exports.Loose(3).get()).toBe(3);
    await stand.end();
  });

  test('do not lose an object that is made while it is down', async () => {
    const addon = await openCounting();
    const crashed = eventOf(addon, 'crashed');
    void refusalOf(addon.exports.die('segv'));
    await crashed;
    const [cell, loose] = [new addon.exports.Cell(5), new addon.exports.Loose(7)];
    expect([await cell.get(), await loose.get()]).toEqual([5, 7]);
    await stand.end();
  });
});

describe('a restart', () => {
  test.each(['load', 'init', 'prepare'])('in which %s throws once is tried again', async (hook) => {
    const addon = await openCounting({ ...QUIET, supervise: FAST });
    const crashes: unknown[] = [];
    addon.on('crashed', ({ error: { details }, delayMs }) => crashes.push({ ...details, delayMs }));
    stand.plan(2, hook, 'throw');
    await refusalOf(addon.exports.die('segv'));
    expect(await addon.exports.count()).toBe(2);
    expect(crashes).toMatchObject([
      { reason: 'exit', delayMs: 0 },
      { reason: 'restart-failed', delayMs: 1 },
    ]);
    await stand.end();
  });

  test.each(['load', 'init', 'prepare'])('in which %s crashes once is tried again', async (hook) => {
    const addon = await openCounting({ ...QUIET, supervise: FAST });
    stand.plan(2, hook, 'segv');
    await refusalOf(addon.exports.die('segv'));
    expect(await addon.exports.count()).toBe(2);
    expect(staged(stand.stageDir)).toHaveLength(1);
    await stand.end();
  });

  test.each(['load', 'init', 'prepare'])(
    'in which %s hangs is given up after hookTimeoutMs',
    async (hook) => {
      const addon = await openCounting({ ...QUIET, supervise: FAST, hookTimeoutMs: 2000 });
      const crashes: unknown[] = [];
      addon.on('crashed', ({ error }) => crashes.push((error.cause as { code?: string })?.code ?? null));
      stand.plan(2, hook, 'hang');
      await refusalOf(addon.exports.die('segv'));
      expect(await addon.exports.count()).toBe(2);
      expect(crashes).toEqual([null, 'ERR_HOOK_TIMEOUT']);
      await stand.end();
    },
  );

  test.each(['load', 'init'])('that a close() meets at %s ends with it', async (hook) => {
    const addon = await openCounting();
    stand.plan(2, hook, 'hang');
    void refusalOf(addon.exports.die('segv'));
    await stand.at(2, hook);
    const waiting = refusalOf(addon.exports.count());
    const closing = addon.close();
    expect(await waiting).toMatchObject({ code: 'ERR_CLOSED' });
    await closing;
    await stand.end();
  });

  test('that waits for its time ends with a close()', async () => {
    const addon = await openCounting({ ...QUIET, supervise: { backoffMs: 1e6, backoffMaxMs: 1e6 } });
    await refusalOf(addon.exports.die('segv'));
    const crashed = eventOf(addon, 'crashed');
    await addon.exports.count().then(() => refusalOf(addon.exports.die('segv')));
    expect(await crashed).toMatchObject({ next: 'restart', delayMs: 1e6 });
    const waiting = refusalOf(addon.exports.count());
    await addon.close();
    expect(await waiting).toMatchObject({ code: 'ERR_CLOSED' });
    await stand.end();
  });

  test('that waits for its time does not keep a reload from coming', async () => {
    const addon = await openCounting({ ...QUIET, supervise: { backoffMs: 1e6, backoffMaxMs: 1e6 } });
    await refusalOf(addon.exports.die('segv'));
    await addon.exports.count();
    const loose = new addon.exports.Loose(1);
    await loose.get();
    await refusalOf(addon.exports.die('segv'));
    const waiting = [addon.exports.bump(), addon.exports.bump()];
    stand.install(3);
    expect(await addon.reload()).toMatchObject({ from: 2, to: 3, retired: { outcome: 'unloaded' } });
    expect(await Promise.all(waiting)).toEqual([3, 4]);
    expect(await refusalOf(loose.get())).toMatchObject({ code: 'ERR_HOST_CRASHED' });
    await stand.end();
  });
});

describe('a version that crashes too often', () => {
  test('is rolled back to the one before, with the state of the checkpoint', async () => {
    const addon = await openCounting({ ...QUIET, supervise: { ...FAST, maxCrashes: 3 } });
    const { exports } = addon;
    const cell = new exports.Cell(5);
    await cell.get();
    await addon.reload({ force: true });
    const young = new exports.Cell(6);
    await young.get();
    const next: string[] = [];
    addon.on('crashed', (crash) => next.push(crash.next));
    const reloaded = eventOf(addon, 'reloaded');
    for (let crash = 0; crash < 3; crash += 1) await refusalOf(exports.die('segv'));
    const waiting = exports.bump();
    expect(await reloaded).toMatchObject({ from: 3, to: 4, restored: 2, state: 'carried' });
    expect(await waiting).toBe(3);
    expect(await cell.add()).toBe(6);
    expect(await refusalOf(young.get())).toMatchObject({ code: 'ERR_HOST_CRASHED' });
    expect(next).toEqual(['restart', 'restart', 'rollback']);
    await stand.end();
  });

  test('is rolled back as well when it crashes as it is started again', async () => {
    const addon = await openCounting({ ...QUIET, supervise: { ...FAST, maxCrashes: 4 } });
    stand.plan(2, 'init', '!segv');
    const reloaded = eventOf(addon, 'reloaded');
    await refusalOf(addon.exports.die('segv'));
    expect(await addon.exports.version()).toBe(1);
    expect(await reloaded).toMatchObject({ restored: 1 });
    expect(await addon.exports.count()).toBe(2);
    await stand.end();
  });

  test('is given up when there is none before it, until a reload', async () => {
    const addon = await stand.open(1, { ...QUIET, supervise: { ...FAST, maxCrashes: 2 } });
    const { exports } = addon;
    await exports.bump();
    const gaveUp = eventOf(addon, 'gave-up');
    await refusalOf(exports.die('abort'));
    await refusalOf(exports.die('abort'));
    const waiting = refusalOf(exports.bump());
    expect(await gaveUp).toMatchObject({
      id: 1,
      error: { code: 'ERR_HOST_CRASHED' },
      cause: { code: 'ERR_NO_SUCH_VERSION' },
    });
    const refused = { code: 'ERR_HOST_CRASHED', details: { signal: 'SIGABRT' } };
    expect(await waiting).toMatchObject(refused);
    expect(await refusalOf(exports.bump())).toMatchObject(refused);
    await until('no host is left', () => hostsOf(process.pid).length === 0);
    expect(await addon.reload()).toMatchObject({ status: 'reloaded', from: 1, to: 2 });
    expect(await exports.bump()).toBe(1);
    await stand.end();
  });

  test('undoes no reload that has replaced it meanwhile', async () => {
    const addon = await openCounting({ ...QUIET, supervise: { ...FAST, maxCrashes: 1 } });
    stand.install(3);
    stand.plan(3, 'prepare', 'hang');
    const reloading = addon.reload();
    await stand.at(3, 'prepare');
    const crashed = eventOf(addon, 'crashed');
    await refusalOf(addon.exports.die('segv'));
    expect(await crashed).toMatchObject({ next: 'rollback' });
    stand.goOn(3, 'prepare');
    expect(await reloading).toMatchObject({ from: 2, to: 3 });
    expect(await addon.reload({ force: true })).toMatchObject({ from: 3, to: 4 });
    expect(await addon.exports.version()).toBe(3);
    await stand.end();
  });
});

test('the first version may crash as it is loaded: nothing is left of the handle', async () => {
  for (const hook of ['load', 'prepare', 'init', 'save']) {
    stand.plan(1, hook, 'segv');
    const refusal = await refusalOf(stand.open());
    const known = hook === 'save' ? refusal['cause'] : refusal;
    expect(known, hook).toMatchObject({ code: 'ERR_HOST_CRASHED', details: { signal: 'SIGSEGV' } });
    await stand.end();
  }
});

test('a host that crashes as it is disposed of is no crash, and its version has ended', async () => {
  const addon = await openCounting();
  let crashes = 0;
  addon.on('crashed', () => {
    crashes += 1;
  });
  const warned = eventOf(addon, 'warning');
  stand.plan(2, 'dispose', 'segv');
  stand.install(3);
  expect(await addon.reload()).toMatchObject({ to: 3, retired: { outcome: 'unloaded' } });
  expect(await warned).toMatchObject({ code: 'dispose-failed' });
  expect([await addon.exports.count(), crashes]).toEqual([2, 0]);
  await stand.end();
});

test('an old version that objects hold may crash: they are lost, and no other', async () => {
  const addon = await openCounting();
  const { exports } = addon;
  const old = await exports.pid();
  const [loose, cell] = [new exports.Loose(4), new exports.Cell(5)];
  await loose.get();
  stand.install(3);
  expect(await addon.reload()).toMatchObject({ retired: { outcome: 'pinned' } });
  const unloaded = eventOf(addon, 'unloaded');
  process.kill(old, 'SIGKILL');
  expect(await unloaded).toEqual({ id: 2 });
  expect(await refusalOf(loose.get())).toMatchObject({ code: 'ERR_HOST_CRASHED' });
  expect([await cell.get(), await exports.count()]).toEqual([5, 2]);
  await stand.end();
});

test('calls of a version that is replaced are refused as unloaded when they outlast the drain', async () => {
  const addon = await stand.open(1, { ...QUIET, drainTimeoutMs: 20 });
  const never = refusalOf(addon.exports.never());
  stand.install(2);
  await addon.reload();
  expect(await never).toMatchObject({ code: 'ERR_VERSION_UNLOADED' });
  await stand.end();
});

test('no host is left by a spare one that is killed', async () => {
  const addon = await openCounting(WITH_SPARE);
  await until('there is a spare one', () => hostsOf(process.pid).length === 2);
  const live = await addon.exports.pid();
  for (const pid of hostsOf(process.pid)) if (pid !== live) process.kill(pid, 'SIGKILL');
  stand.install(3);
  await until('it is gone', () => hostsOf(process.pid).length === 1);
  await addon.reload();
  expect(await addon.exports.count()).toBe(2);
  await stand.end();
});
