import { tracingChannel } from 'node:diagnostics_channel';
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import {
  type Addon,
  type AddonGroup,
  type GroupMemberOptions,
  type OpenOptions,
  openGroup,
  type TraceContext,
} from '../../src/index.ts';
import { createScratch, install, type Scratch, scriptedAddon } from '../support/addons.ts';

interface Counter {
  version(): number;
  increment(): number;
  /** What `save()` returns. */
  state(): string;
}
interface Three {
  a: Counter;
  b: Counter;
  c: Counter;
}
type Name = keyof Three;
const NAMES: readonly Name[] = ['a', 'b', 'c'];

declare global {
  var trace: string[] | undefined;
  /** What a hook of a test waits for. */
  var gate: Promise<void> | undefined;
}

/** Hooks that write down each call as `<name><version>.<hook>`; `hooks` replaces some of them. */
function counter(name: Name, version: number, hooks = ''): string {
  return scriptedAddon(`
    const log = (hook) => { (globalThis.trace ??= []).push('${name}${version}.' + hook); };
    let state = { count: 0, log: [] };
    exports.version = () => ${version};
    exports.increment = () => { state.log.push('v${version}'); return ++state.count; };
    exports.state = () => JSON.stringify(state);
    exports.napiReload = {
      prepare() { log('prepare'); },
      init(context) { log('init'); if (context.state) state = context.state; },
      save() { log('save'); return structuredClone(state); },
      dispose() { log('dispose'); },
      resume() { log('resume'); },
      ${hooks}
    };
  `);
}

const THROWS = (hook: string): string => `${hook}() { log('${hook}'); throw new Error('no'); },`;

let scratch: Scratch;
const fileOf = (name: Name): string => scratch.file(`build/${name}.node`);
const put = (name: Name, version: number, hooks?: string): void =>
  install(counter(name, version, hooks), fileOf(name));

beforeEach(() => {
  scratch = createScratch();
  globalThis.trace = [];
  for (const name of NAMES) put(name, 1);
});
afterEach(() => scratch[Symbol.dispose]());

const members = (): GroupMemberOptions<Three> => ({
  a: { file: fileOf('a') },
  b: { file: fileOf('b'), after: ['a'] },
  c: { file: fileOf('c'), after: ['b'] },
});
const openThree = (options: OpenOptions = {}): Promise<AddonGroup<Three>> =>
  openGroup(members(), { stageDir: scratch.file('stage'), history: 0, ...options });

const versions = (group: AddonGroup<Three>): readonly number[] =>
  NAMES.map((name) => group.members[name].exports.version());
const states = (group: AddonGroup<Three>): readonly string[] =>
  NAMES.map((name) => group.members[name].exports.state());

/** What is logged while `work` runs. */
async function logOf(work: () => Promise<unknown>): Promise<readonly string[]> {
  globalThis.trace = [];
  await work();
  return globalThis.trace;
}

function staged(): readonly string[] {
  const folder = scratch.file('stage');
  if (!fs.existsSync(folder)) return [];
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.node')).map((name) => scratch.file(`stage/${name}`));
}

function mapped(): readonly string[] {
  const maps = fs.readFileSync('/proc/self/maps', 'utf8');
  return [...new Set(maps.match(new RegExp(`${scratch.path}\\S*`, 'g')))].sort();
}

/** Nothing is staged or in memory but the versions that serve. */
function expectOnly(group: AddonGroup<Three> | null): void {
  const current = group === null ? [] : NAMES.map((name) => group.members[name].current.path).sort();
  expect([...staged()].sort()).toEqual(current);
  expect(mapped()).toEqual(current);
}

describe('openGroup', () => {
  test('opens each step for all members, those that others need first', async () => {
    await using group = await openGroup<Three>(
      {
        c: { file: fileOf('c'), after: ['b'] },
        b: { file: fileOf('b'), after: ['a'] },
        a: { file: fileOf('a') },
      },
      { stageDir: scratch.file('stage') },
    );
    expect(globalThis.trace).toEqual([
      ...['a1.prepare', 'b1.prepare', 'c1.prepare'],
      ...['a1.init', 'b1.init', 'c1.init'],
      ...['a1.save', 'b1.save', 'c1.save'],
    ]);
    expect(Object.keys(group.members)).toEqual(['a', 'b', 'c']);
    expect(group.members.b.current).toMatchObject({ id: 1, source: fileOf('b'), state: 'live' });
    expectOnly(group);
  });

  test('leaves nothing open when the last member fails', async () => {
    put('c', 1, THROWS('init'));
    const log = await logOf(() =>
      expect(openThree()).rejects.toMatchObject({ code: 'ERR_HOOK_THREW', details: { addon: fileOf('c') } }),
    );
    expect(log.slice(3)).toEqual(['a1.init', 'b1.init', 'c1.init', 'c1.dispose', 'b1.dispose', 'a1.dispose']);
    expectOnly(null);
    expect(fs.readdirSync(scratch.file('stage')).filter((name) => name !== '.lock')).toEqual([]);
  });

  test('leaves nothing open when the parts of a later member cannot be made', async () => {
    const given = { ...members(), c: { file: fileOf('c'), stageDir: scratch.write('file', '') } };
    await expect(openGroup<Three>(given, { stageDir: scratch.file('stage') })).rejects.toMatchObject({
      code: 'ERR_STAGE_IO',
    });
    expect(fs.readdirSync(scratch.file('stage')).filter((name) => name !== '.lock')).toEqual([]);
  });

  test("takes a member's own option before the shared one", async () => {
    const given = { ...members(), b: { file: fileOf('b'), integrity: () => true } };
    const opening = openGroup<Three>(given, {
      stageDir: scratch.file('stage'),
      integrity: (_, path) => !path.endsWith('/a.node'),
    });
    await expect(opening).rejects.toMatchObject({ code: 'ERR_INTEGRITY', details: { addon: fileOf('a') } });
    await using group = await openGroup<Three>(
      { ...given, a: { file: fileOf('a'), integrity: () => true } },
      { stageDir: scratch.file('stage'), integrity: (_, path) => path.endsWith('/c.node') },
    );
    expect(versions(group)).toEqual([1, 1, 1]);
  });

  const a = { file: 'a.node' };
  test.each<[string, unknown, unknown, string, string]>([
    ['no object', null, {}, 'members', 'null'],
    ['no members', {}, {}, 'members', 'none'],
    ['a member that is no object', { a: 'a.node' }, {}, 'a', 'a.node'],
    ['a member without a file', { a: {} }, {}, 'a.file', 'undefined'],
    ['a file of another', { a, b: a }, {}, 'b.file', 'the file of member "a"'],
    ['an unknown name to come after', { a, b: { file: 'b', after: ['x'] } }, {}, 'b.after', '"x"'],
    ['names that are no array', { a, b: { file: 'b', after: 'a' } }, {}, 'b.after', 'a'],
    ['an unknown option of a member', { a: { ...a, speed: 1 } }, {}, 'a.speed', 'an option of that name'],
    ['an option of a member', { a: { ...a, hookTimeoutMs: -1 } }, {}, 'a.hookTimeoutMs', '-1 (number)'],
    ['a shared option', { a }, { hookTimeoutMs: -1 }, 'hookTimeoutMs', '-1 (number)'],
  ])('refuses %s', async (_, given, options, option, found) => {
    const opening = (async () =>
      openGroup(given as GroupMemberOptions<{ a: unknown }>, options as OpenOptions))();
    await expect(opening).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', details: { option, found } });
  });

  test('refuses members that wait for each other', async () => {
    const given = { ...members(), a: { file: fileOf('a'), after: ['c'] as const } };
    await expect(openGroup<Three>(given)).rejects.toMatchObject({
      code: 'ERR_GROUP_CYCLE',
      details: { path: ['a', 'c', 'b', 'a'] },
    });
  });

  test('stops, and leaves nothing, when a signal fires while a hook is pending', async () => {
    const controller = new AbortController();
    put('b', 1, 'prepare: () => new Promise(() => {}),');
    const opening = openThree({
      signal: controller.signal,
      onProgress: ({ phase }) => {
        if (phase === 'prepare') queueMicrotask(() => controller.abort('enough'));
      },
    });
    await expect(opening).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: 'enough' });
    expectOnly(null);
    await expect(openThree({ signal: controller.signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });

  test('closes all when the signal of one member fires later', async () => {
    const controller = new AbortController();
    const given = { ...members(), b: { file: fileOf('b'), signal: controller.signal } };
    const group = await openGroup<Three>(given, { stageDir: scratch.file('stage') });
    const closed = new Promise<void>((resolve) => group.on('closed', resolve));
    controller.abort();
    await closed;
    await expect(group.members.a.reload()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expectOnly(null);
  });
});

describe('a reload of a group', () => {
  test('takes each step for all members, and ends old versions in reverse', async () => {
    await using group = await openThree();
    const { increment } = group.members.b.exports;
    increment();
    for (const name of NAMES) put(name, 2);
    const log = await logOf(() => group.reload());
    expect(log).toEqual([
      ...['a2.prepare', 'b2.prepare', 'c2.prepare'],
      ...['a1.save', 'b1.save', 'c1.save'],
      ...['a2.init', 'b2.init', 'c2.init'],
      ...['a2.save', 'b2.save', 'c2.save'],
      ...['c1.dispose', 'b1.dispose', 'a1.dispose'],
    ]);
    expect(versions(group)).toEqual([2, 2, 2]);
    expect(increment()).toBe(2);
    expectOnly(group);
  });

  test('leaves members alone whose file did not change', async () => {
    await using group = await openThree();
    put('b', 2);
    let report = {};
    const log = await logOf(async () => {
      report = await group.reload();
    });
    expect(log).toEqual(['b2.prepare', 'b1.save', 'b2.init', 'b2.save', 'b1.dispose']);
    const unchanged = { status: 'unchanged', reason: 'live', from: 1, to: 1 };
    expect(report).toMatchObject({
      status: 'reloaded',
      members: {
        a: unchanged,
        b: { status: 'reloaded', from: 1, to: 2, state: 'carried', retired: { id: 1, outcome: 'unloaded' } },
        c: unchanged,
      },
    });
    await expect(group.reload()).resolves.toMatchObject({ status: 'unchanged', members: { b: { to: 2 } } });
    expect(versions(group)).toEqual([1, 2, 1]);
  });

  test('makes new versions of all when it is forced', async () => {
    await using group = await openThree();
    group.members.a.exports.increment();
    await group.reload({ force: true, discardState: true });
    expect(NAMES.map((name) => group.members[name].current.id)).toEqual([2, 2, 2]);
    expect(group.members.a.exports.increment()).toBe(1);
  });

  const resumed = ['c1.resume', 'b1.resume', 'a1.resume'];
  const disposed = ['c2.dispose', 'b2.dispose', 'a2.dispose'];
  const failures: [string, readonly [Name, string], string, readonly string[]][] = [
    ['save of the second', ['b', 'old save'], 'ERR_HOOK_THREW', ['b1.resume', 'a1.resume', ...disposed]],
    ['init of the first', ['a', THROWS('init')], 'ERR_HOOK_THREW', [...resumed, ...disposed]],
    ['init of the third', ['c', THROWS('init')], 'ERR_HOOK_THREW', [...resumed, ...disposed]],
    ['verify of the third', ['c', THROWS('save')], 'ERR_STATE_ROUNDTRIP', [...resumed, ...disposed]],
    ['the schema of the third', ['c', 'schema: 2,'], 'ERR_STATE_SCHEMA', [...resumed, ...disposed]],
    ['prepare of the first', ['a', THROWS('prepare')], 'ERR_HOOK_THREW', disposed],
    ['prepare of the second', ['b', THROWS('prepare')], 'ERR_HOOK_THREW', disposed],
    [
      'a prepare that hangs',
      ['b', "prepare: () => { log('prepare'); return new Promise(() => {}); },"],
      'ERR_HOOK_TIMEOUT',
      disposed,
    ],
    ['load of the second', ['b', '}; throw 1; ({'], 'ERR_INIT_THREW', ['a2.dispose']],
    ['hooks of the second', ['b', 'save: 1,'], 'ERR_HOOK_INVALID', ['a2.dispose']],
  ];
  test.each(failures)('that fails in %s leaves all as they were', async (_, [name, hooks], code, undone) => {
    const isOldSave = hooks === 'old save';
    if (isOldSave) put(name, 1, "save() { log('save'); if (globalThis.trace[0]?.includes('2.')) throw 1; },");
    await using group = await openThree({ hookTimeoutMs: 20 });
    const kept = NAMES.map((each) => group.members[each].exports);
    for (const each of NAMES) group.members[each].exports.increment();
    const before = states(group);
    const current = NAMES.map((each) => group.members[each].current);
    for (const each of NAMES) put(each, 2, each === name && !isOldSave ? hooks : '');
    const log = await logOf(() =>
      expect(group.reload()).rejects.toMatchObject({ code, details: { addon: fileOf(name) } }),
    );
    expect(log.filter((line) => /dispose|resume/.test(line))).toEqual(undone);
    expect(states(group)).toEqual(before);
    expect(NAMES.map((each) => group.members[each].current)).toEqual(current);
    expect(NAMES.map((each) => group.members[each].exports)).toEqual(kept);
    expectOnly(group);

    globalThis.trace = [];
    if (isOldSave) return;
    put(name, 3);
    await group.reload();
    expect(versions(group)).toEqual(NAMES.map((each) => (each === name ? 3 : 2)));
    expect(states(group)).toEqual(before);
    expectOnly(group);
  });

  test('tells each member and the group of what came of it', async () => {
    await using group = await openThree();
    const told: string[] = [];
    for (const event of ['reloaded', 'unchanged', 'failed', 'closed'] as const) {
      for (const name of NAMES) group.members[name].on(event, () => told.push(`${name} ${event}`));
      group.on(event, () => told.push(`group ${event}`));
    }
    put('b', 2);
    await group.reload();
    await group.reload();
    put('b', 3, THROWS('init'));
    await group.reload().catch(() => undefined);
    await group.close();
    expect(told).toEqual([
      ...['a unchanged', 'b reloaded', 'c unchanged', 'group reloaded'],
      ...['a unchanged', 'b unchanged', 'c unchanged', 'group unchanged'],
      ...['a failed', 'b failed', 'c failed', 'group failed'],
      ...['c closed', 'b closed', 'a closed', 'group closed'],
    ]);
  });

  test('is one for all calls that come while another runs', async () => {
    await using group = await openThree();
    for (const name of NAMES) put(name, 2);
    const first = group.reload();
    await null;
    const [one, two] = await Promise.all([group.reload(), group.reload()]);
    expect(await first).toMatchObject({ status: 'reloaded' });
    expect(one).toBe(two);
    expect(one).toMatchObject({ status: 'unchanged' });
  });

  test('is told to the tracing channel once, with all addons', async () => {
    const seen: unknown[] = [];
    const note = (context: unknown) => {
      const { operation, addon, group } = context as TraceContext;
      seen.push([operation, addon, group]);
    };
    const channel = tracingChannel('napi-reload');
    channel.asyncEnd.subscribe(note);
    try {
      await (await openThree()).close();
    } finally {
      channel.asyncEnd.unsubscribe(note);
    }
    const files = NAMES.map(fileOf);
    expect(seen).toEqual(['reload', 'open', 'close'].map((operation) => [operation, files[0], files]));
  });
});

describe('a member', () => {
  test('reloads with its group only', async () => {
    await using group = await openThree();
    put('a', 2);
    put('c', 2);
    await expect(group.members.c.reload()).resolves.toMatchObject({ status: 'reloaded', from: 1, to: 2 });
    expect(versions(group)).toEqual([2, 1, 2]);
    put('a', 3, THROWS('init'));
    put('c', 3);
    await expect(group.members.c.reload()).rejects.toMatchObject({ details: { addon: fileOf('a') } });
    expect(versions(group)).toEqual([2, 1, 2]);
  });

  test('closes all of its group, the last one first', async () => {
    const group = await openThree();
    const { version } = group.members.a.exports;
    const log = await logOf(() => group.members.b.close());
    expect(log).toEqual(['c1.dispose', 'b1.dispose', 'a1.dispose']);
    expect(() => version()).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }));
    await expect(group.reload()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await group.close();
    expectOnly(null);
  });
});

test('a group that is closed while it reloads ends all, and the reload with ERR_CLOSED', async () => {
  const group = await openThree();
  put('a', 2);
  put('b', 2, "prepare: () => { log('prepare'); return new Promise(() => {}); },");
  const reloading = group.reload();
  await new Promise<void>((resolve) => {
    group.members.b.on('progress', ({ phase }) => {
      if (phase === 'prepare') setImmediate(resolve);
    });
  });
  const log = await logOf(async () => {
    await Promise.all([group.close(), expect(reloading).rejects.toMatchObject({ code: 'ERR_CLOSED' })]);
  });
  expect(log).toEqual(['b2.dispose', 'a2.dispose', 'c1.dispose', 'b1.dispose', 'a1.dispose']);
  expectOnly(null);
});

test('the types of a group are those of its members', async () => {
  await using group = await openThree();
  expectTypeOf(group.members.a).toEqualTypeOf<Addon<Counter>>();
  expectTypeOf(group.reload).returns.resolves.toHaveProperty('members').toHaveProperty('c');
  const open = (): unknown => {
    // @ts-expect-error: there is no member "d"
    const members: GroupMemberOptions<Three> = { a: { file: '' }, b: { file: '' }, d: { file: '' } };
    // @ts-expect-error: "x" is no member
    void openGroup({ a: { file: '' }, b: { file: '', after: ['x'] } });
    // @ts-expect-error: a member cannot come after itself
    void openGroup<Three>({ ...members, a: { file: '', after: ['a'] } });
    return openGroup({ a: { file: '' }, b: { file: '', after: ['a'] } });
  };
  expectTypeOf(open).returns.toBeUnknown();
  const inferred = () => openGroup({ a: { file: '' }, b: { file: '', after: ['a'] } });
  expectTypeOf(inferred).returns.resolves.toEqualTypeOf<AddonGroup<{ a: unknown; b: unknown }>>();
});
