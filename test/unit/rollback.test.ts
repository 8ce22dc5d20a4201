/** Going back to versions that were live before, through the public API. */
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Addon, type AddonEvents, type OpenOptions, open, openGroup } from '../../src/index.ts';
import { createScratch, install, type Scratch, scriptedAddon } from '../support/addons.ts';

interface Counter {
  version(): number;
  increment(): number;
  reasons(): readonly string[];
}

/** The count is `count * scale` in its state, so that one that no step took along is wrong. */
const counter = (version: number, { schema = 1, hooks = '' } = {}): string =>
  scriptedAddon(`
    let count = 0;
    const reasons = [];
    exports.version = () => ${version};
    exports.increment = () => ++count;
    exports.reasons = () => reasons;
    exports.napiReload = {
      schema: ${schema},
      prepare({ reason }) { reasons.push(reason); },
      init({ reason, state }) { reasons.push(reason); count = (state ?? 0) / ${10 ** schema}; },
      save: () => count * ${10 ** schema},
      ${hooks}
    };
  `);

let scratch: Scratch;
let addon: Addon<Counter>;

beforeEach(() => {
  scratch = createScratch();
});
afterEach(async () => {
  await addon.close();
  expect(fs.readdirSync(scratch.file('stage')).filter((name) => name !== '.lock')).toEqual([]);
  scratch[Symbol.dispose]();
});

const file = (): string => scratch.file('kernel.node');

function staged(): readonly string[] {
  const names = fs.readdirSync(scratch.file('stage'), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.node')).sort();
}

async function openCounter(built = counter(1), options: OpenOptions = {}): Promise<void> {
  install(built, file());
  addon = await open<Counter>(file(), { stageDir: scratch.file('stage'), ...options });
}

async function reload(...versions: number[]): Promise<void> {
  for (const version of versions) {
    install(counter(version), file());
    await addon.reload();
  }
}

function nextEvent<K extends keyof AddonEvents>(event: K): Promise<AddonEvents[K]> {
  return new Promise((resolve) => {
    addon.once(event, (...args) => resolve(args));
  });
}

const state = (): readonly number[] => [addon.current.id, addon.exports.version()];
const ids = (): readonly number[] => addon.history().map(({ id }) => id);

describe('rollback', () => {
  test('makes the bytes before live again as a new version, with the state carried back', async () => {
    await openCounter();
    const [first] = [addon.current];
    const { increment } = addon.exports;
    await reload(2);
    increment();
    const report = await addon.rollback();
    expect(report).toMatchObject({
      status: 'reloaded',
      from: 2,
      to: 3,
      restored: 1,
      state: 'carried',
      retired: { id: 2, outcome: 'unloaded' },
    });
    expect(report.phasesMs).not.toHaveProperty('build');
    expect(increment()).toBe(2);
    const { id, hash, libraries, bytes, schema } = addon.current;
    expect({ id, hash, libraries, bytes, schema }).toEqual({ ...pick(first), id: 3 });
    expect(addon.current.path).not.toBe(first?.path);
    expect(addon.exports.reasons()).toEqual(['rollback', 'rollback']);
  });

  test('called again goes further back, and is refused at the first version', async () => {
    await openCounter();
    await reload(2, 3);
    await addon.rollback();
    expect(state()).toEqual([4, 2]);
    await addon.rollback();
    expect(state()).toEqual([5, 1]);
    await expect(addon.rollback()).rejects.toMatchObject({
      code: 'ERR_NO_SUCH_VERSION',
      details: { addon: file(), id: null, available: [1, 2, 3, 4] },
    });
    expect(state()).toEqual([5, 1]);
    await reload(4);
    await addon.rollback();
    expect(state()).toEqual([7, 1]);
  });

  test('undoes a step that went to a version by its id', async () => {
    await openCounter();
    await reload(2, 3);
    expect(await addon.reload({ to: 1 })).toMatchObject({ to: 4, restored: 1 });
    expect(addon.exports.reasons()).toEqual(['rollback', 'rollback']);
    await addon.rollback();
    expect(state()).toEqual([5, 3]);
  });

  test('calls that do not wait for each other go back by one each', async () => {
    await openCounter();
    await reload(2, 3);
    const reports = await Promise.all([addon.rollback(), addon.rollback()]);
    expect(reports.map(({ to }) => to)).toEqual([4, 5]);
    expect(state()).toEqual([5, 1]);
  });

  test('and a reload that is asked for behind it are two things', async () => {
    await openCounter();
    await reload(2);
    const reports = await Promise.all([addon.rollback(), addon.reload(), addon.reload()]);
    expect(reports.map(({ to }) => to)).toEqual([3, 4, 4]);
    expect(state()).toEqual([4, 2]);
  });

  test('carries the state down by the steps, and is refused where one is missing', async () => {
    const up = (total: number) => total * 10;
    await openCounter(counter(1), { migrate: { 1: { up, down: (total: number) => total / 10 }, 2: up } });
    for (const schema of [2, 3]) {
      install(counter(schema, { schema }), file());
      await addon.reload();
      addon.exports.increment();
    }
    await expect(addon.rollback()).rejects.toMatchObject({
      code: 'ERR_STATE_SCHEMA',
      details: { from: 3, to: 2, step: [3, 2] },
    });
    expect(state()).toEqual([3, 3]);
    expect(await addon.rollback({ discardState: true })).toMatchObject({ state: 'discarded' });
    addon.exports.increment();
    await addon.rollback();
    expect([...state(), addon.exports.increment()]).toEqual([6, 1, 2]);
  });

  test('that fails leaves the version that serves, and can be tried again', async () => {
    const failing =
      'resume() { globalThis.isMended = true; }, save() { if (!globalThis.isMended) throw 1; return 0; }';
    Object.assign(globalThis, { isMended: true });
    await openCounter(counter(1));
    install(counter(2, { hooks: failing }), file());
    await addon.reload();
    Object.assign(globalThis, { isMended: false });
    await expect(addon.rollback()).rejects.toMatchObject({ code: 'ERR_HOOK_THREW', details: { version: 2 } });
    expect(state()).toEqual([2, 2]);
    expect(await addon.rollback()).toMatchObject({ to: 4, restored: 1 });
  });

  test('is refused by close(), which leaves nothing behind', async () => {
    await openCounter(
      counter(1, { hooks: 'prepare: ({ reason }) => reason === "first" ? null : new Promise(() => {}),' }),
    );
    await reload(2);
    const rollback = addon.rollback().catch(({ code }) => code);
    while ((await nextEvent('progress'))[0].phase !== 'prepare');
    await addon.close();
    expect(await rollback).toBe('ERR_CLOSED');
    expect(addon.history()).toEqual([]);
    await expect(addon.rollback()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });

  test('runs no build', async () => {
    const build = {
      command: 'sh',
      args: ['-c', 'echo >> builds; cp next.node kernel.node.new && mv kernel.node.new kernel.node'],
      cwd: scratch.path,
    };
    fs.copyFileSync(counter(1), scratch.file('next.node'));
    addon = await open<Counter>(file(), { stageDir: scratch.file('stage'), build });
    fs.copyFileSync(counter(2), scratch.file('next.node'));
    await addon.reload();
    const heard: string[] = [];
    addon.on('building', () => heard.push('building'));
    await addon.rollback();
    expect([state(), heard, fs.readFileSync(scratch.file('builds'), 'utf8')]).toEqual([[3, 1], [], '\n\n']);
  });

  test('works for a file that is copied on another thread, and one that is loaded plainly', async () => {
    const large = (version: number): string => {
      const padded = Buffer.concat([fs.readFileSync(counter(version)), Buffer.alloc(2 ** 21)]);
      return scratch.write(`large-${version}.node`, padded);
    };
    for (const options of [{}, { reclaim: 'never' }, { integrity: () => true }] as const) {
      for (const make of [counter, large]) {
        await openCounter(make(1), options);
        const { hash } = addon.current;
        install(make(2), file());
        await addon.reload();
        expect(await addon.rollback()).toMatchObject({ to: 3, restored: 1, retired: { id: 2 } });
        expect([...state(), addon.current.hash]).toEqual([3, 1, hash]);
        // What was gone back to can itself be staged once more.
        expect(await addon.reload({ to: 3, force: true })).toMatchObject({ to: 4, restored: 3 });
        expect([...state(), addon.current.hash]).toEqual([4, 1, hash]);
        await addon.close();
      }
    }
  });

  test('asks the option integrity about the bytes as they were built', async () => {
    const asked: string[] = [];
    const allowed = { all: true };
    const built = [counter(1), counter(2)].map((name) => fs.readFileSync(name));
    const integrity = (bytes: Uint8Array): boolean => {
      asked.push(`v${built.findIndex((each) => each.equals(bytes)) + 1}`);
      return allowed.all;
    };
    await openCounter(counter(1), { integrity });
    await reload(2);
    allowed.all = false;
    await expect(addon.rollback()).rejects.toMatchObject({ code: 'ERR_INTEGRITY' });
    expect([asked, state()]).toEqual([
      ['v1', 'v2', 'v1'],
      [2, 2],
    ]);
  });

  test('works with an image that is shared, after others have gone', async () => {
    await openCounter(counter(1), { scope: 'process' });
    const other = await open<Counter>(file(), { stageDir: scratch.file('stage'), scope: 'process' });
    await addon.close();
    addon = other;
    await reload(2);
    expect(await addon.rollback()).toMatchObject({ restored: 1, retired: { outcome: 'unloaded' } });
    expect(state()).toEqual([3, 1]);
  });
});

function pick(info: Addon<unknown>['current'] | undefined): object {
  const { id, hash, libraries, bytes, schema } = info ?? addon.current;
  return { id, hash, libraries, bytes, schema };
}

describe('reload({ to })', () => {
  test('goes to any version that is held, also forward', async () => {
    await openCounter();
    await reload(2, 3);
    await addon.reload({ to: 1 });
    expect(state()).toEqual([4, 1]);
    await addon.reload({ to: 3 });
    expect(state()).toEqual([5, 3]);
    expect(ids()).toEqual([1, 2, 3, 4]);
  });

  test('is unchanged for the bytes that are live, unless forced', async () => {
    await openCounter();
    await reload(2);
    await addon.rollback();
    for (const to of [1, 3]) {
      expect(await addon.reload({ to })).toMatchObject({ status: 'unchanged', reason: 'live', to: 3 });
    }
    expect(await addon.reload({ to: 3, force: true })).toMatchObject({
      status: 'reloaded',
      to: 4,
      restored: 3,
    });
  });

  test('is refused for an id that nothing is staged of, and says which there are', async () => {
    await openCounter(counter(1), { history: 1 });
    await reload(2, 3);
    for (const to of [1, 7]) {
      await expect(addon.reload({ to })).rejects.toMatchObject({
        code: 'ERR_NO_SUCH_VERSION',
        details: { id: to, available: [2] },
        message: expect.stringMatching(`version ${to}.* there are 2$`),
      });
    }
    expect(state()).toEqual([3, 3]);
  });

  test('is refused when somebody deleted or changed the staged file, which is then no version any more', async () => {
    const paths: string[] = [];
    await openCounter();
    for (const version of [2, 3, 4]) {
      paths.push(addon.current.path);
      await reload(version);
    }
    const [first = '', second = ''] = paths;
    fs.rmSync(first);
    fs.chmodSync(second, 0o600);
    const bytes = fs.readFileSync(second);
    bytes.writeUInt8(bytes.readUInt8(2_000) ^ 1, 2_000);
    fs.writeFileSync(second, bytes);
    for (const to of [1, 2]) {
      await expect(addon.reload({ to })).rejects.toMatchObject({
        code: 'ERR_NO_SUCH_VERSION',
        details: { id: to },
      });
    }
    expect([ids(), state()]).toEqual([[3], [4, 4]]);
    expect(await addon.rollback()).toMatchObject({ restored: 3 });
  });
});

describe('the history', () => {
  test('holds five versions by default, and their files, whole and read-only', async () => {
    await openCounter();
    await reload(2, 3, 4, 5, 6, 7);
    expect(ids()).toEqual([2, 3, 4, 5, 6]);
    expect(staged().map((name) => path.basename(name).split('-')[0])).toEqual(['2', '3', '4', '5', '6', '7']);
    for (const name of staged()) expect(fs.statSync(scratch.file(`stage/${name}`)).mode & 0o777).toBe(0o400);
    expect(addon.history()[0]).toMatchObject({ id: 2, schema: 1, libraries: [], bytes: addon.current.bytes });
    expect(addon.versions()).toEqual([addon.current]);
  });

  test('lets go first of what rollback() would not come to', async () => {
    await openCounter(counter(1), { history: 2 });
    await reload(2, 3);
    await addon.rollback();
    // Of 1, 2 and 3, version 2 is live again as 4.
    expect([ids(), staged().length]).toEqual([[1, 3], 3]);
    await addon.rollback();
    expect([state(), ids()]).toEqual([
      [5, 1],
      [3, 4],
    ]);
    await reload(6, 7, 8);
    expect(ids()).toEqual([6, 7]);
  });

  test('of none holds no files, and there is nothing to go back to', async () => {
    await openCounter(counter(1), { history: 0 });
    await reload(2);
    expect([ids(), staged().length]).toEqual([[], 1]);
    await expect(addon.rollback()).rejects.toMatchObject({
      code: 'ERR_NO_SUCH_VERSION',
      details: { id: 1, available: [] },
      message: expect.stringContaining('"history"'),
    });
  });

  test('does not hold what was refused', async () => {
    await openCounter();
    install(counter(2, { hooks: 'init() { throw 1; },' }), file());
    await expect(addon.reload()).rejects.toMatchObject({ code: 'ERR_HOOK_THREW' });
    expect([ids(), staged().length]).toEqual([[], 1]);
  });
});

describe('a watcher, after a rollback', () => {
  const touch = (): void => install(file(), file());

  test('does not go forward to the bytes that were gone back from, but to others', async () => {
    await openCounter(counter(1), { watch: { debounceMs: 5 } });
    for (const version of [2, 3]) {
      const reloaded = nextEvent('reloaded');
      install(counter(version), file());
      await reloaded;
    }
    await addon.rollback();
    await addon.rollback();
    const unchanged = nextEvent('unchanged');
    touch();
    expect((await unchanged)[0]).toMatchObject({ reason: 'rejected', to: 5 });
    // The bytes of version 2 were gone back from, too, but now somebody has put them there.
    const reloaded = nextEvent('reloaded');
    install(counter(2), file());
    await reloaded;
    // What was not tried had an id, too.
    expect(state()).toEqual([7, 2]);
  });

  test('leaves it to reload() to go forward', async () => {
    await openCounter(counter(1), { watch: { debounceMs: 5 } });
    const reloaded = nextEvent('reloaded');
    install(counter(2), file());
    await reloaded;
    await addon.rollback();
    expect(await addon.reload()).toMatchObject({ status: 'reloaded', to: 4, restored: null });
    expect(state()).toEqual([4, 2]);
  });
});

describe('a group', () => {
  interface Two {
    a: Counter;
    b: Counter;
  }
  const fileOf = (name: string): string => scratch.file(`${name}.node`);

  async function openTwo(options: OpenOptions = {}): ReturnType<typeof openGroup<Two>> {
    for (const name of ['a', 'b']) install(counter(1), fileOf(name));
    const members = { a: { file: fileOf('a') }, b: { file: fileOf('b') } };
    const group = await openGroup<Two>(members, { stageDir: scratch.file('stage'), ...options });
    addon = group.members.a;
    return group;
  }

  const versions = (group: Awaited<ReturnType<typeof openTwo>>): readonly number[] =>
    [group.members.a, group.members.b].map((member) => member.exports.version());

  test('undoes its changes one by one, each for the members that it changed', async () => {
    const group = await openTwo();
    for (const [name, version] of [
      ['a', 2],
      ['b', 3],
    ] as const) {
      install(counter(version), fileOf(name));
      await group.reload();
    }
    for (const name of ['a', 'b']) install(counter(4), fileOf(name));
    await group.reload();
    const seen: (readonly number[])[] = [versions(group)];
    for (let count = 0; count < 3; count += 1) {
      await group.rollback();
      seen.push(versions(group));
    }
    expect(seen).toEqual([
      [4, 4],
      [2, 3],
      [2, 1],
      [1, 1],
    ]);
    await expect(group.rollback()).rejects.toMatchObject({
      code: 'ERR_NO_SUCH_VERSION',
      details: { id: null },
    });
  });

  test('stays as it is when one of its members cannot go back', async () => {
    const group = await openTwo();
    install(counter(2, { schema: 2 }), fileOf('a'));
    install(counter(2), fileOf('b'));
    await group.reload({ discardState: true });
    await expect(group.rollback()).rejects.toMatchObject({
      code: 'ERR_STATE_SCHEMA',
      details: { addon: fileOf('a') },
    });
    expect(versions(group)).toEqual([2, 2]);
    const { status, members } = await group.rollback({ discardState: true });
    expect([status, members.a, members.b]).toMatchObject(['reloaded', { restored: 1 }, { restored: 1 }]);
  });

  test('lets a member go to a version of its own while the others stay', async () => {
    const group = await openTwo();
    for (const name of ['a', 'b']) install(counter(2), fileOf(name));
    await group.reload();
    expect(await group.members.a.reload({ to: 1 })).toMatchObject({ status: 'reloaded', restored: 1 });
    expect(versions(group)).toEqual([1, 2]);
    expect(await group.members.b.rollback()).toMatchObject({ status: 'unchanged' });
    expect(versions(group)).toEqual([2, 2]);
  });

  test('takes no id, as those are of a member', async () => {
    const group = await openTwo();
    await expect(group.reload({ to: 1 } as object)).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      details: { option: 'reload.to' },
    });
  });

  test('does not go forward by itself when one member is touched', async () => {
    const group = await openTwo({ watch: { debounceMs: 5 } });
    const reloaded = new Promise((resolve) => group.once('reloaded', resolve));
    install(counter(2), fileOf('b'));
    await reloaded;
    await group.rollback();
    const unchanged = new Promise((resolve) => group.once('unchanged', resolve));
    install(fileOf('b'), fileOf('b'));
    expect(await unchanged).toMatchObject({ members: { a: { reason: 'live' }, b: { reason: 'rejected' } } });
    expect(versions(group)).toEqual([1, 1]);
  });
});
