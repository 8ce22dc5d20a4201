/** Versions that run in a Worker or in a process: calls, objects and reloads, the same for both. */
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import { type Addon, open, type Remote, type RemoteObject } from '../../../src/index.ts';
import { createScratch, install, type Scratch, scriptedAddon } from '../../support/addons.ts';

interface Thing {
  get(): number;
  set(value: number): Thing;
  value: number;
  double(): Thing;
  sum(other: Thing): number;
}

interface Kernel {
  version(): number;
  label: string;
  bump(): number;
  fail(): never;
  echo(value: unknown): unknown;
  double(values: Float64Array): Float64Array;
  later(callback: (value: number) => number): Promise<number>;
  adder(by: number): (value: number) => number;
  count(to: number): AsyncIterable<number>;
  hidden(): { name(): string };
  stats: { mean(values: readonly number[]): number };
  memory(): number;
  slow(): Promise<number>;
  finish(): void;
  Thing: new (value: number) => Thing;
}

/** Each version multiplies what its things hold. */
const versionOf = (version: number, hooks = ''): string =>
  scriptedAddon(`
    let count = 0;
    let bytes = new Uint8Array(1);
    let finish;
    exports.version = () => ${version};
    exports.label = 'v${version}';
    exports.bump = () => ++count;
    exports.fail = () => { throw Object.assign(new RangeError('no', { cause: new TypeError('why') }), { code: 'E_NO', at: 3 }); };
    exports.echo = (value) => value;
    exports.double = (values) => { for (let i = 0; i < values.length; i++) values[i] *= 2; return values; };
    exports.later = async (callback) => 1 + await callback(${version});
    exports.adder = (by) => (value) => value + by;
    exports.count = async function* (to) { for (let i = 0; i < to; i++) yield i; };
    class Hidden { name() { return 'hidden'; } }
    exports.hidden = () => ({ name: () => 'nested' });
    exports.stats = { mean: (values) => values.reduce((a, b) => a + b, 0) / values.length };
    exports.memory = () => bytes[0];
    exports.slow = () => new Promise((resolve) => { finish = () => resolve(${version}); });
    exports.finish = () => finish();
    exports.Thing = class Thing {
      constructor(value) { if (value < 0) throw new RangeError('below 0'); this.held = value; }
      get() { return this.held * ${version}; }
      set(value) { this.held = value; return this; }
      get value() { return this.held; }
      set value(value) { this.held = value; }
      double() { return new exports.Thing(this.held * 2); }
      sum(other) { return this.held + other.held; }
    };
    exports.napiReload = {
      save: () => ({ count }),
      init({ state, memory }) {
        if (state) count = state.count;
        bytes = memory('bytes', 64);
        bytes[0] += 1;
      },
      classes: { Thing: { save: (thing) => thing.held } },
      ${hooks}
    };
  `);

describe.each(['worker', 'process'] as const)('a version in a %s', (isolation) => {
  let scratch: Scratch;
  let file: string;
  let addon: Addon<Remote<Kernel>>;

  beforeEach(async () => {
    scratch = createScratch();
    file = scratch.file('kernel.node');
    install(versionOf(1), file);
    const options = { isolation, stageDir: scratch.file('stage'), host: { spare: false } };
    addon = await open<Kernel>(file, options);
  });

  afterEach(async () => {
    await addon.close();
    scratch[Symbol.dispose]();
  });

  test('answers calls of functions, of nested ones too, with promises', async () => {
    const { version, stats } = addon.exports;
    await expect(Promise.all([version(), stats.mean([1, 2, 3])])).resolves.toEqual([1, 2]);
    expect(addon.exports.label).toBe('v1');
  });

  test('rejects with what was thrown, cause and all', async () => {
    const error = await addon.exports.fail().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({
      message: 'no',
      code: 'E_NO',
      at: 3,
      cause: { name: 'TypeError', message: 'why' },
    });
    expect((error as Error).stack).toContain('exports.fail');
  });

  test.each([
    ['undefined', undefined],
    ['a bigint', 1n],
    ['dates and maps', [new Date(5), new Map([[1, { a: new Set([2]) }]])]],
    ['typed arrays', { list: [new Float32Array([1.5, 2]), new Uint8Array(100_000).fill(7)] }],
    ['what looks like our own marks', { value: 1, parts: [{ at: [], is: { kind: 'function', id: 1 } }] }],
    ['holes and negative zero', [-0, Number.NaN]],
  ])('brings over %s', async (_, value) => {
    expect(await addon.exports.echo(value)).toEqual(value);
  });

  test('refuses what cannot be cloned, and leaves nothing behind', async () => {
    await expect(addon.exports.echo(Symbol('no'))).rejects.toThrow(/could not be cloned/);
    await expect(addon.exports.version()).resolves.toBe(1);
  });

  test('calls functions back that were arguments, and gives out functions', async () => {
    await expect(addon.exports.later((value) => value + 10)).resolves.toBe(12);
    await expect(
      addon.exports.later(() => {
        throw new RangeError('from here');
      }),
    ).rejects.toThrow('from here');
    const callback = (): number => 0;
    expect(await addon.exports.echo({ nested: [callback] })).toEqual({ nested: [callback] });
    const add = await addon.exports.adder(5);
    await expect(add(2)).resolves.toBe(7);
  });

  test('gives an asynchronous iterable an item at a time', async () => {
    const seen: number[] = [];
    for await (const item of await addon.exports.count(3)) seen.push(item);
    expect(seen).toEqual([0, 1, 2]);
  });

  test('is not kept by an iterable that was taken to its end, or left', async () => {
    const [ended, left] = [await addon.exports.count(2), await addon.exports.count(2)];
    const seen: number[] = [];
    for await (const item of ended) seen.push(item);
    for await (const item of left) {
      seen.push(item);
      break;
    }
    expect(seen).toEqual([0, 1, 0]);
    install(versionOf(2), file);
    await expect(addon.reload()).resolves.toMatchObject({ retired: { outcome: 'unloaded' } });
    await expect(ended[Symbol.asyncIterator]().next()).resolves.toEqual({ done: true, value: undefined });
  });

  test('has objects that stay where they are', async () => {
    const { Thing } = addon.exports;
    const thing = new Thing(4);
    expect(thing).toBeInstanceOf(Thing);
    await expect(thing.get()).resolves.toBe(4);
    await expect(thing.set(6)).resolves.toBe(thing);
    await expect(thing.value).resolves.toBe(6);
    Reflect.set(thing, 'value', 7);
    await expect(thing.value).resolves.toBe(7);
    const twice = await thing.double();
    expect(twice).toBeInstanceOf(Thing);
    await expect(twice.sum(thing)).resolves.toBe(21);
    class Named extends Thing {
      readonly name = 'mine';
    }
    const named = new Named(1);
    await expect(named.get()).resolves.toBe(1);
    expect([named.name, named instanceof Thing]).toEqual(['mine', true]);
  });

  test('tells of a constructor that threw when the object is used', async () => {
    const broken = new addon.exports.Thing(-1);
    await expect(broken.get()).rejects.toThrow('below 0');
  });

  test('lets go of an object by using', async () => {
    const { Thing } = addon.exports;
    let left: RemoteObject<Thing>;
    {
      using thing = new Thing(1);
      left = thing;
      await expect(thing.get()).resolves.toBe(1);
    }
    await expect(left.get()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });

  test('shares arrays that were allocated for that, and copies others', async () => {
    const { double } = addon.exports;
    const shared = new Float64Array(addon.allocate(8 * 100_000)).fill(1.5);
    const ordinary = new Float64Array(100_000).fill(1.5);
    for (const version of [1, 2]) {
      const result = await double(shared);
      expect([shared[0], shared[99_999], result.length]).toEqual([
        1.5 * 2 ** version,
        1.5 * 2 ** version,
        100_000,
      ]);
      expect((await double(ordinary))[99_999]).toBe(3);
      expect(ordinary[0]).toBe(1.5);
      install(versionOf(2), file);
      await addon.reload();
    }
  });

  test('is reloaded with its state, its objects and its memory', async () => {
    const { version, bump, Thing, memory } = addon.exports;
    await bump();
    const thing = new Thing(5);
    await thing.get();
    install(versionOf(2), file);
    const report = await addon.reload();
    expect(report).toMatchObject({
      status: 'reloaded',
      from: 1,
      to: 2,
      state: 'carried',
      instances: { moved: { Thing: 1 }, stayed: {} },
      retired: { id: 1, outcome: 'unloaded' },
    });
    await expect(Promise.all([version(), bump(), thing.get(), memory()])).resolves.toEqual([2, 2, 10, 2]);
    expect(addon.exports.label).toBe('v2');
    expect(addon.memory()).toEqual([{ name: 'bytes', bytes: 64 }]);
    expect(addon.versions().map(({ id, state }) => [id, state])).toEqual([[2, 'live']]);
    await expect(addon.rollback()).resolves.toMatchObject({ restored: 1 });
    await expect(Promise.all([version(), bump(), thing.get()])).resolves.toEqual([1, 3, 5]);
  });

  test('answers each call once while it is reloaded, and none is lost', async () => {
    const counts: Promise<number>[] = [];
    for (let index = 0; index < 500; index++) counts.push(addon.exports.bump());
    install(versionOf(2), file);
    const reload = addon.reload();
    for (let index = 0; index < 500; index++) {
      counts.push(addon.exports.bump());
      if (index % 50 === 0) await new Promise(setImmediate);
    }
    await reload;
    expect(await Promise.all(counts)).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
  });

  test('sends a call that had to wait with the arguments that it was made with', async () => {
    install(versionOf(2), file);
    const reload = addon.reload();
    const answers: Promise<unknown>[] = [];
    const list = [0];
    addon.on('reloaded', () => list.push(-1));
    while (addon.current.id === 1) {
      list[0] = answers.length;
      answers.push(addon.exports.echo({ list, at: answers.length }));
      await new Promise(setImmediate);
    }
    await reload;
    expect(await Promise.all(answers)).toEqual(answers.map((_, at) => ({ list: [at], at })));
  });

  test('ends calls in flight on the version that they entered', async () => {
    const slow = addon.exports.slow();
    await addon.exports.finish();
    install(versionOf(2), file);
    await addon.reload();
    await expect(slow).resolves.toBe(1);
  });

  test.each([
    ['prepare', 'prepare() { throw new Error("on purpose"); },', 'ERR_HOOK_THREW'],
    ['init', 'init() { throw new Error("on purpose"); },', 'ERR_HOOK_THREW'],
    ['save', 'save() { throw new Error("on purpose"); },', 'ERR_STATE_ROUNDTRIP'],
    [
      'a class',
      'classes: { Thing: { save: () => { throw new Error("on purpose"); } } },',
      'ERR_STATE_ROUNDTRIP',
    ],
  ])('serves on when the %s of the new one fails', async (_, hooks, code) => {
    const thing = new addon.exports.Thing(3);
    await addon.exports.bump();
    install(versionOf(2, hooks), file);
    const reload = addon.reload();
    const during = addon.exports.bump();
    await expect(reload).rejects.toMatchObject({ name: 'ReloadError', code });
    await expect(during).resolves.toBe(2);
    await expect(Promise.all([addon.exports.version(), thing.get()])).resolves.toEqual([1, 3]);
    expect(addon.versions()).toHaveLength(1);
  });

  test('keeps objects of a class that the new version does not describe on the old one', async () => {
    const thing = new addon.exports.Thing(3);
    await thing.get();
    install(versionOf(2, 'classes: {},'), file);
    const report = await addon.reload();
    const pins = [{ kind: 'wrapped-object', count: 1, bytes: 0 }];
    expect(report).toMatchObject({
      instances: { moved: {}, stayed: { Thing: 1 } },
      retired: { outcome: 'pinned', pins },
    });
    await expect(Promise.all([thing.get(), addon.exports.version()])).resolves.toEqual([3, 2]);
    const unloaded = new Promise((resolve) => addon.once('unloaded', resolve));
    thing[Symbol.dispose]();
    await expect(unloaded).resolves.toEqual({ id: 1 });
    expect(addon.versions().map(({ id }) => id)).toEqual([2]);
  });

  test('is gone once its handle is closed, whoever holds objects of it', async () => {
    const thing = new addon.exports.Thing(3);
    await thing.get();
    await addon.close();
    expect([addon.versions(), addon.current.state]).toEqual([[], 'unloaded']);
    expect(() => thing.get()).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }));
  });

  test('refuses calls of what is gone', async () => {
    const { version } = addon.exports;
    const { mean } = addon.exports.stats;
    install(
      scriptedAddon('exports.version = () => 3; exports.napiReload = { save: () => 1, init() {} };'),
      file,
    );
    await addon.reload();
    expect(() => mean([1])).toThrow(expect.objectContaining({ code: 'ERR_EXPORT_REMOVED' }));
    await expect(version()).resolves.toBe(3);
    await addon.close();
    expect(() => version()).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }));
  });
});

test('the types say what each export becomes', () => {
  type R = Remote<Kernel>;
  expectTypeOf<R['version']>().returns.resolves.toBeNumber();
  expectTypeOf<R['label']>().toBeString();
  expectTypeOf<R['stats']['mean']>().returns.resolves.toBeNumber();
  expectTypeOf<R['later']>().parameter(0).toEqualTypeOf<(value: number) => number | Promise<number>>();
  expectTypeOf<R['count']>().returns.resolves.toEqualTypeOf<AsyncIterableIterator<number>>();
  expectTypeOf<InstanceType<R['Thing']>>().toEqualTypeOf<RemoteObject<Thing>>();
  expectTypeOf<RemoteObject<Thing>['get']>().returns.resolves.toBeNumber();
  expectTypeOf<RemoteObject<Thing>['value']>().toEqualTypeOf<Promise<number>>();
  expectTypeOf<RemoteObject<Thing>['sum']>().parameter(0).toEqualTypeOf<RemoteObject<Thing>>();
  const hosted = () => open<Kernel>('', { isolation: 'process' });
  expectTypeOf(hosted).returns.resolves.toEqualTypeOf<Addon<R>>();
  const inline = () => open<Kernel>('', { watch: true });
  expectTypeOf(inline).returns.resolves.toEqualTypeOf<Addon<Kernel>>();
});
