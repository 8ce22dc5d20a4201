import { createHash } from 'node:crypto';
import { tracingChannel } from 'node:diagnostics_channel';
import fs from 'node:fs';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StagedPath } from '../../src/brands.ts';
import { type Addon, type AddonEvents, type OpenOptions, open, type TraceContext } from '../../src/index.ts';
import { realOutside } from '../../src/outside.ts';
import {
  compileAddon,
  createScratch,
  FIXTURES,
  install,
  type Scratch,
  scriptedAddon,
} from '../support/addons.ts';

/** Hooks that write down each call as `<version>.<hook>`; `extra` is code that runs before the hook object is made. */
function counter(version: number, { schema = 1, hooks = '', extra = '' } = {}): string {
  return scriptedAddon(`
    const log = (hook, value) => { (globalThis.trace ??= []).push('v${version}.' + hook); return value; };
    let count = 0;
    let seen;
    exports.context = () => seen;
    exports.version = () => ${version};
    exports.increment = () => ++count;
    exports.count = () => count;
    ${extra}
    exports.napiReload = {
      schema: ${schema},
      prepare(context) { log('prepare:' + context.reason); },
      init(context) { log('init'); seen = context; if (context.state) count = context.state.count; },
      save() { return log('save', { count }); },
      dispose() { log('dispose'); },
      resume() { log('resume'); },
      ${hooks}
    };
  `);
}

interface Counter {
  version(): number;
  increment(): number;
  count(): number;
  context(): unknown;
}

declare global {
  var trace: string[] | undefined;
}

let scratch: Scratch;
let file: string;

beforeEach(() => {
  scratch = createScratch();
  file = scratch.file('build/kernel.node');
  globalThis.trace = [];
});
afterEach(() => scratch[Symbol.dispose]());

function openCounter(built = counter(1), options: OpenOptions = {}): Promise<Addon<Counter>> {
  install(built, file);
  return open<Counter>(file, { stageDir: scratch.file('stage'), ...options });
}

function nextEvent<K extends keyof AddonEvents>(addon: Addon<unknown>, event: K): Promise<AddonEvents[K]> {
  return new Promise((resolve) => {
    addon.once(event, (...args) => resolve(args));
  });
}

const staged = (): string[] =>
  fs
    .readdirSync(scratch.file('stage'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.node'));

describe('open', () => {
  test('loads a copy, runs the hooks in order and describes the version', async () => {
    await using addon = await openCounter();
    expect(addon.exports.version()).toBe(1);
    expect(addon.exports.context()).toMatchObject({ reason: 'first', state: undefined });
    expect(globalThis.trace).toEqual(['v1.prepare:first', 'v1.init', 'v1.save']);
    const hash = createHash('sha256').update(fs.readFileSync(file)).digest('hex');
    const bytes = fs.statSync(file).size;
    expect(addon.current).toMatchObject({
      id: 1,
      hash,
      bytes,
      source: file,
      schema: 1,
      state: 'live',
      reason: null,
    });
    expect(addon.current.path).toMatch(new RegExp(`/kernel-[^/]+/1-${hash.slice(0, 16)}\\.node$`));
    expect(addon.current.loadedAt.getTime()).toBeLessThanOrEqual(Date.now());
    expect(addon.versions()).toEqual([addon.current]);
  });

  test('accepts the file that its integrity string names', async () => {
    const built = counter(1);
    const digest = createHash('sha384').update(fs.readFileSync(built)).digest('base64');
    await using addon = await openCounter(built, { integrity: `sha384-${digest}` });
    expect(addon.exports.version()).toBe(1);
    install(counter(2), file);
    await expect(addon.reload()).rejects.toMatchObject({ code: 'ERR_INTEGRITY' });
    expect(addon.exports.version()).toBe(1);
  });

  test('gives each of two handles on one file versions of its own', async () => {
    await using one = await openCounter();
    await using two = await open<Counter>(file, { stageDir: scratch.file('stage') });
    one.exports.increment();
    expect(two.exports.count()).toBe(0);
    install(counter(2), file);
    await one.reload();
    expect([one.exports.version(), two.exports.version()]).toEqual([2, 1]);
    expect(one.current.path).not.toBe(two.current.path);
  });

  test('leaves nothing in the stage directory when it fails', async () => {
    await expect(openCounter(counter(1, { hooks: 'init() { throw 1; },' }))).rejects.toThrow('threw: 1');
    expect(staged()).toEqual([]);
    expect(fs.readdirSync(scratch.file('stage')).filter((name) => name !== '.lock')).toEqual([]);
  });

  test('closes the handle when its signal fires later', async () => {
    const controller = new AbortController();
    const addon = await openCounter(undefined, { signal: controller.signal });
    const closed = nextEvent(addon, 'closed');
    controller.abort();
    await closed;
    await expect(addon.reload()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });

  test('stops, and leaves nothing, when its signal fires while a hook is pending', async () => {
    const controller = new AbortController();
    const opening = openCounter(counter(1, { hooks: 'prepare: () => new Promise(() => {}),' }), {
      signal: controller.signal,
      onProgress: ({ phase }) => {
        if (phase === 'prepare') queueMicrotask(() => controller.abort('enough'));
      },
    });
    await expect(opening).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(staged()).toEqual([]);
  });
});

describe('reload', () => {
  test('carries the state, keeps the functions, and reports what it did', async () => {
    await using addon = await openCounter();
    const { version, count, increment } = addon.exports;
    increment();
    increment();
    globalThis.trace = [];
    install(counter(2, { extra: 'exports.extra = () => 1; delete exports.increment;' }), file);
    const report = await addon.reload();
    expect([version(), count()]).toEqual([2, 2]);
    expect(globalThis.trace).toEqual(['v2.prepare:reload', 'v1.save', 'v2.init', 'v2.save', 'v1.dispose']);
    expect(addon.exports.context()).toEqual({
      reason: 'reload',
      state: { count: 2 },
      from: { version: 1, schema: 1 },
      memory: expect.any(Function),
    });
    expect(report).toMatchObject({
      status: 'reloaded',
      from: 1,
      to: 2,
      state: 'carried',
      exports: { added: ['extra'], removed: ['increment'] },
      retired: { id: 1, outcome: 'unloaded' },
    });
    expect(Object.keys(report.phasesMs)).toEqual(
      'stage inspect rebind load prepare save migrate init verify swap retire'.split(' '),
    );
    expect(addon.versions()).toEqual([addon.current]);
    expect(addon.current).toMatchObject({ id: 2, state: 'live', reason: null, pins: [] });
    expect(staged().sort()).toEqual([expect.stringContaining('/1-'), expect.stringContaining('/2-')]);
  });

  test('does nothing when the bytes are those of the live version, unless forced', async () => {
    await using addon = await openCounter();
    await expect(addon.reload()).resolves.toMatchObject({
      status: 'unchanged',
      reason: 'live',
      from: 1,
      to: 1,
    });
    await expect(addon.reload({ force: true })).resolves.toMatchObject({
      status: 'reloaded',
      from: 1,
      to: 2,
    });
  });

  test('counts going back to an earlier build as a change', async () => {
    await using addon = await openCounter(counter(1));
    for (const version of [2, 1, 2]) {
      install(counter(version), file);
      await expect(addon.reload()).resolves.toMatchObject({ status: 'reloaded' });
      expect(addon.exports.version()).toBe(version);
    }
    expect(addon.current.id).toBe(4);
  });

  test('reloads an addon without hooks stateless, and says so', async () => {
    await using addon = await openCounter(scriptedAddon('exports.version = () => 1;'));
    install(scriptedAddon('exports.version = () => 2;'), file);
    await expect(addon.reload()).resolves.toMatchObject({ state: 'stateless' });
    expect(addon.exports.version()).toBe(2);
  });

  test('refuses to lose state to a version that cannot take it, unless told to', async () => {
    await using addon = await openCounter();
    addon.exports.increment();
    install(scriptedAddon('exports.version = () => 2;'), file);
    await expect(addon.reload()).rejects.toMatchObject({
      code: 'ERR_STATE_SCHEMA',
      details: { reason: 'no-init' },
    });
    expect(addon.exports.count()).toBe(1);
    await expect(addon.reload({ discardState: true })).resolves.toMatchObject({ state: 'discarded' });
    expect(addon.exports.version()).toBe(2);
  });

  test('migrates the state up and down by the steps it was given', async () => {
    const migrate = {
      1: {
        up: (s: { count: number }) => ({ count: s.count * 10 }),
        down: (s: { count: number }) => ({ count: s.count / 10 }),
      },
    };
    await using addon = await openCounter(counter(1), { migrate });
    addon.exports.increment();
    install(counter(2, { schema: 2 }), file);
    await addon.reload();
    expect([addon.exports.count(), addon.current.schema]).toEqual([10, 2]);
    install(counter(1), file);
    await addon.reload();
    expect([addon.exports.count(), addon.current.schema]).toEqual([1, 1]);
  });

  test('shares one more run among all calls that come while one runs', async () => {
    await using addon = await openCounter();
    install(counter(2), file);
    const first = addon.reload({ force: true });
    await nextEvent(addon, 'progress');
    const rest = [addon.reload({ force: true }), addon.reload(), addon.reload()];
    expect((await first).to).toBe(2);
    const reports = await Promise.all(rest);
    expect(reports.map((report) => report.to)).toEqual([3, 3, 3]);
    expect(new Set(reports).size).toBe(1);
  });

  test('tells of its outcome by event', async () => {
    await using addon = await openCounter();
    const unchanged = nextEvent(addon, 'unchanged');
    await addon.reload();
    expect((await unchanged)[0].status).toBe('unchanged');
    install(counter(2), file);
    const reloaded = nextEvent(addon, 'reloaded');
    const report = await addon.reload();
    expect((await reloaded)[0]).toBe(report);
    install(scriptedAddon('throw new Error("no")'), file);
    const failed = nextEvent(addon, 'failed');
    const error = await addon.reload().catch((caught: unknown) => caught);
    expect((await failed)[0]).toBe(error);
  });

  test('tells the tracing channel of open, reload and close', async () => {
    const seen: string[] = [];
    const note = (context: unknown) => {
      const { operation, trigger, error } = context as TraceContext;
      seen.push([operation, trigger, error ? 'failed' : 'done'].filter(Boolean).join(' '));
    };
    const channel = tracingChannel('napi-reload');
    channel.asyncEnd.subscribe(note);
    try {
      const addon = await openCounter();
      install(scriptedAddon('throw 1'), file);
      await addon.reload().catch(() => undefined);
      await addon.close();
    } finally {
      channel.asyncEnd.unsubscribe(note);
    }
    expect(seen).toEqual(['reload first done', 'open first done', 'reload call failed', 'close done']);
  });
});

describe('a reload that fails', () => {
  const failures: [string, Parameters<typeof counter>[1], string, string[]][] = [
    ['in init of the module', { extra: 'throw new Error("no");' }, 'ERR_INIT_THREW', []],
    [
      'in the hook object',
      { extra: 'exports.napiReload = 1;', hooks: '...null, save: 1,' },
      'ERR_HOOK_INVALID',
      [],
    ],
    ['in prepare', { hooks: 'prepare() { throw 1; },' }, 'ERR_HOOK_THREW', ['v2.dispose']],
    [
      'in init',
      { hooks: 'init() { throw 1; },' },
      'ERR_HOOK_THREW',
      ['v2.prepare:reload', 'v1.save', 'v1.resume', 'v2.dispose'],
    ],
    [
      'in an init that returns a promise',
      { hooks: 'async init() { throw 1; },' },
      'ERR_HOOK_ASYNC',
      ['v2.prepare:reload', 'v1.save', 'v1.resume', 'v2.dispose'],
    ],
    [
      'in migrate',
      { schema: 2 },
      'ERR_STATE_SCHEMA',
      ['v2.prepare:reload', 'v1.save', 'v1.resume', 'v2.dispose'],
    ],
    [
      'in verify',
      { hooks: 'save() { throw 1; },' },
      'ERR_STATE_ROUNDTRIP',
      ['v2.prepare:reload', 'v1.save', 'v2.init', 'v1.resume', 'v2.dispose'],
    ],
  ];
  test.each(failures)('%s leaves the old version serving with its state', async (_, how, code, trace) => {
    await using addon = await openCounter();
    addon.exports.increment();
    globalThis.trace = [];
    install(counter(2, how), file);
    await expect(addon.reload()).rejects.toMatchObject({ code });
    expect(globalThis.trace).toEqual(trace);
    expect([addon.exports.version(), addon.exports.increment(), addon.current.id]).toEqual([1, 2, 1]);
    expect(staged()).toEqual([expect.stringContaining('/1-')]);
    install(counter(3), file);
    await expect(addon.reload()).resolves.toMatchObject({ from: 1, to: 3, state: 'carried' });
    expect([addon.exports.version(), addon.exports.count()]).toEqual([3, 2]);
  });

  test('in the old save resumes the old version', async () => {
    await using addon = await openCounter(
      counter(1, {
        extra: 'let broken = false; exports.breakSave = () => { broken = true; };',
        hooks: 'save() { if (broken) throw 1; return log("save", { count }); },',
      }),
    );
    (addon.exports as Counter & { breakSave(): void }).breakSave();
    globalThis.trace = [];
    install(counter(2), file);
    await expect(addon.reload()).rejects.toMatchObject({
      code: 'ERR_HOOK_THREW',
      details: { hook: 'save', version: 1 },
    });
    expect(globalThis.trace).toEqual(['v2.prepare:reload', 'v1.resume', 'v2.dispose']);
    expect(addon.exports.version()).toBe(1);
  });

  test('by a dispose or resume that throws is a warning and no more', async () => {
    await using addon = await openCounter(
      counter(1, { hooks: 'dispose() { throw new Error("d"); }, resume() { throw new Error("r"); },' }),
    );
    install(counter(2, { hooks: 'init() { throw 1; },' }), file);
    const resumed = nextEvent(addon, 'warning');
    await expect(addon.reload()).rejects.toMatchObject({ code: 'ERR_HOOK_THREW', details: { version: 2 } });
    expect((await resumed)[0].code).toBe('resume-failed');
    install(counter(3), file);
    const disposed = nextEvent(addon, 'warning');
    await expect(addon.reload()).resolves.toMatchObject({ status: 'reloaded' });
    expect((await disposed)[0]).toMatchObject({ code: 'dispose-failed' });
  });
});

describe('state is not lost', () => {
  test.each([
    ['that exports no save', 'save: undefined,'],
    ['whose save returns nothing', 'save() {},'],
  ])('to a version %s, which would drop it at the next reload', async (_, hooks) => {
    await using addon = await openCounter();
    addon.exports.increment();
    install(counter(2, { hooks }), file);
    await expect(addon.reload()).rejects.toMatchObject({
      code: 'ERR_STATE_ROUNDTRIP',
      details: { reason: 'save-empty' },
    });
    expect([addon.exports.version(), addon.exports.count()]).toEqual([1, 1]);
  });

  test('when the old version cannot save just now: the watcher tries the same bytes again', async () => {
    const busy = 'save() { if (exports.isBusy()) throw new Error("busy"); return log("save", { count }); },';
    const extra = 'let calls = 0; exports.isBusy = () => ++calls === 2;';
    await using addon = await openCounter(counter(1, { extra, hooks: busy }), { watch: true });
    const failed = nextEvent(addon, 'failed');
    install(counter(2), file);
    expect((await failed)[0]).toMatchObject({
      code: 'ERR_HOOK_THREW',
      details: { hook: 'save', version: 1 },
    });
    const reloaded = nextEvent(addon, 'reloaded');
    install(counter(2), file);
    expect((await reloaded)[0]).toMatchObject({ state: 'carried' });
  });
});

describe('a prepare that was given up', () => {
  const late = 'prepare: () => new Promise((resolve) => { exports.settle = globalThis.settle = resolve; }),';
  const settle = (): Promise<void> => {
    (globalThis as unknown as { settle(): void }).settle();
    return new Promise((resolve) => setImmediate(resolve));
  };

  test('is unloaded while it is pending, and not disposed of again when it settles', async () => {
    await using addon = await openCounter(counter(1), { hookTimeoutMs: 5 });
    globalThis.trace = [];
    install(counter(2, { hooks: late }), file);
    await expect(addon.reload()).rejects.toMatchObject({ code: 'ERR_HOOK_TIMEOUT' });
    expect(addon.versions()).toMatchObject([{ id: 1, state: 'live' }]);
    await settle();
    expect(globalThis.trace).toEqual(['v2.dispose']);
  });

  test('is followed by another dispose when it settles after all and its version stayed', async () => {
    await using addon = await openCounter(counter(1), { hookTimeoutMs: 5, reclaim: 'never' });
    globalThis.trace = [];
    install(counter(2, { hooks: late }), file);
    await expect(addon.reload()).rejects.toMatchObject({ code: 'ERR_HOOK_TIMEOUT' });
    expect(addon.versions()).toMatchObject([{ state: 'live' }, { state: 'kept' }]);
    await settle();
    expect(globalThis.trace).toEqual(['v2.dispose', 'v2.dispose']);
  });
});

describe('a file that is written over in place', () => {
  test('is not loaded half old and half new', async () => {
    await using addon = await openCounter();
    const next = fs.readFileSync(counter(2));
    const descriptor = fs.openSync(file, 'r+');
    const half = next.length >> 1;
    fs.writeSync(descriptor, next, 0, half, 0);
    const reloading = addon.reload();
    const rest = new Promise<void>((resolve) => {
      setImmediate(() => {
        fs.writeSync(descriptor, next, half, next.length - half, half);
        fs.ftruncateSync(descriptor, next.length);
        fs.closeSync(descriptor);
        resolve();
      });
    });
    await Promise.all([reloading, rest]);
    expect(addon.current.hash).toBe(createHash('sha256').update(next).digest('hex'));
    expect(addon.exports.version()).toBe(2);
  });
});

describe('a version that was replaced', () => {
  interface Native {
    readonly Counter: new (total: number) => { add(by: number): number };
    version(): number;
  }
  const classes = (version: number): string =>
    compileAddon([path.join(FIXTURES, 'swap/counter.c')], [`-DVERSION=${version}`]);
  const unique = (version: number): string =>
    compileAddon([path.join(FIXTURES, 'unique.cc')], [`-DVERSION=${version}`]);
  const isMapped = ({ path: copy }: { readonly path: string }): boolean =>
    fs.readFileSync('/proc/self/maps', 'utf8').includes(copy);
  const openBuilt = <T>(built: string, options: OpenOptions = {}): Promise<Addon<T>> => {
    install(built, file);
    return open<T>(file, { stageDir: scratch.file('stage'), ...options });
  };

  /** Collects garbage, turn by turn, until the event has come. */
  async function collectUntil(event: Promise<unknown>): Promise<void> {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    let isOver = false;
    void event.then(() => {
      isOver = true;
    });
    while (!isOver) {
      collect();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  test('is unloaded also when its hooks hold native data', async () => {
    const built = compileAddon([path.join(FIXTURES, 'wrapped_hooks.c')]);
    await using addon = await openCounter(built);
    const unloaded = nextEvent(addon, 'unloaded');
    await expect(addon.reload({ force: true })).resolves.toMatchObject({ retired: { outcome: 'pinned' } });
    await collectUntil(unloaded);
    expect(addon.versions().map(({ id }) => id)).toEqual([2]);
  });

  test('is unloaded, and its copy deleted where no history is held, before the reload ends', async () => {
    await using addon = await openCounter(counter(1), { history: 0 });
    const first = addon.current;
    expect(isMapped(first)).toBe(true);
    const unloaded: number[] = [];
    addon.on('unloaded', ({ id }) => unloaded.push(id));
    install(counter(2), file);
    await expect(addon.reload()).resolves.toMatchObject({ retired: { id: 1, outcome: 'unloaded' } });
    expect([isMapped(first), fs.existsSync(first.path), isMapped(addon.current)]).toEqual([
      false,
      false,
      true,
    ]);
    // The report has told of it.
    expect(unloaded).toEqual([]);
  });

  test('is kept when it has lost its pins and something else holds its mapping, and an event tells', async () => {
    await using addon = await openBuilt<Native>(classes(1));
    const first = addon.current;
    const left: { instance: object | null } = { instance: new addon.exports.Counter(1) };
    const probed = realOutside.native.probe(first.path as StagedPath);
    const kept = nextEvent(addon, 'kept');
    install(classes(2), file);
    await expect(addon.reload()).resolves.toMatchObject({ retired: { id: 1, outcome: 'pinned' } });
    left.instance = null;
    await collectUntil(kept);
    expect(await kept).toEqual([{ id: 1, reason: expect.stringContaining('holds its mapping') }]);
    expect(addon.versions()).toMatchObject([{ id: 1, state: 'kept' }, { id: 2 }]);
    if (probed.ok) realOutside.native.probeRelease(probed.handle);
    expect(isMapped(first)).toBe(false);
  });

  test('serves an instance that is left of it, and is unloaded when that has been collected', async () => {
    await using addon = await openBuilt<Native>(classes(1));
    const first = addon.current;
    const left: { instance: { add(by: number): number } | null } = { instance: new addon.exports.Counter(1) };
    expect(left.instance?.add(2)).toBe(3);
    const unloaded = nextEvent(addon, 'unloaded');
    install(classes(2), file);
    const pins = [{ kind: 'wrapped-object', count: 1, bytes: 0 }];
    await expect(addon.reload()).resolves.toMatchObject({ retired: { id: 1, outcome: 'pinned', pins } });
    expect(addon.versions()).toMatchObject([
      { id: 1, state: 'pinned', pins },
      { id: 2, state: 'live', pins: [] },
    ]);
    // Version 2 would count double.
    expect([left.instance?.add(2), new addon.exports.Counter(1).add(2)]).toEqual([5, 5]);
    expect([left.instance?.add(2), addon.exports.version()]).toEqual([7, 2]);
    left.instance = null;
    await collectUntil(unloaded);
    expect(await unloaded).toEqual([{ id: 1 }]);
    expect(addon.versions()).toEqual([addon.current]);
    expect(isMapped(first)).toBe(false);
  });

  test('that was refused is unloaded when what its init left behind has been collected', async () => {
    await using addon = await openCounter();
    const unloaded = nextEvent(addon, 'unloaded');
    install(compileAddon([path.join(FIXTURES, 'refusing.c')]), file);
    await expect(addon.reload()).rejects.toMatchObject({ code: 'ERR_INIT_THREW' });
    const [, refused] = addon.versions();
    expect(refused).toMatchObject({ id: 2, state: 'pinned', pins: [{ kind: 'external-buffer', count: 1 }] });
    expect(staged()).toEqual([expect.stringContaining('/1-')]);
    const read = (): string => (globalThis as unknown as { left: Buffer }).left.toString('latin1', 0, 4);
    expect(read()).toBe('left');
    expect(addon.exports.version()).toBe(1);
    Reflect.deleteProperty(globalThis, 'left');
    await collectUntil(unloaded);
    expect(await unloaded).toEqual([{ id: 2 }]);
    expect(addon.versions()).toEqual([addon.current]);
  });

  test('stays in memory when reclaim is "never", and its functions go on', async () => {
    const extra = 'exports.getAdd = () => native.add;';
    await using addon = await openCounter(counter(1, { extra }), { reclaim: 'never' });
    const first = addon.current;
    const add = (addon.exports as Counter & { getAdd(): (a: number, b: number) => number }).getAdd();
    install(counter(2), file);
    const reason = 'the option reclaim is "never"';
    await expect(addon.reload()).resolves.toMatchObject({ retired: { id: 1, outcome: 'kept', reason } });
    expect(addon.versions().map(({ id, state, reason }) => [id, state, reason])).toEqual([
      [1, 'kept', reason],
      [2, 'live', null],
    ]);
    expect([isMapped(first), add(1, 2)]).toEqual([true, 3]);
  });

  test('throws ERR_VERSION_UNLOADED from a function of it that was kept raw', async () => {
    const extra = 'exports.getAdd = () => native.add;';
    await using addon = await openCounter(counter(1, { extra }));
    const add = (addon.exports as Counter & { getAdd(): (a: number, b: number) => number }).getAdd();
    expect(add(1, 2)).toBe(3);
    install(counter(2, { extra }), file);
    await expect(addon.reload()).resolves.toMatchObject({ retired: { id: 1, outcome: 'unloaded' } });
    expect(() => add(1, 2)).toThrow(expect.objectContaining({ code: 'ERR_VERSION_UNLOADED' }));
    expect(addon.exports.version()).toBe(2);
  });

  test.each([
    ['auto', 1, []],
    ['never', 3, ['unique-symbols']],
  ] as const)('with unique symbols and reclaim "%s" leaves a count of %i', async (reclaim, next, codes) => {
    interface Unique {
      next(): number;
      version(): number;
    }
    await using addon = await openBuilt<Unique>(unique(1), { reclaim });
    const warned: string[] = [];
    addon.on('warning', ({ code }) => warned.push(code));
    expect([addon.exports.next(), addon.exports.next()]).toEqual([1, 2]);
    install(unique(2), file);
    const report = await addon.reload();
    expect([addon.exports.version(), addon.exports.next(), warned]).toEqual([2, next, codes]);
    const because = expect.stringMatching(/^it cannot be unloaded, and shares \d+ variables/);
    const recommended = reclaim === 'never' ? { isolation: 'process', because } : null;
    expect(report).toMatchObject({ recommended });
  });
});

describe('close', () => {
  test('disposes the version that serves, deletes what was staged and ends the exports', async () => {
    const addon = await openCounter();
    const { version } = addon.exports;
    globalThis.trace = [];
    await addon.close();
    expect(globalThis.trace).toEqual(['v1.dispose']);
    expect(() => version()).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }));
    expect(fs.readdirSync(scratch.file('stage'))).toEqual(['.lock']);
    expect(addon.current).toMatchObject({ id: 1, state: 'unloaded' });
    expect(addon.versions()).toEqual([]);
    await addon.close();
    expect(globalThis.trace).toEqual(['v1.dispose']);
  });

  test('ends a reload that waits for a hook, and refuses the one behind it', async () => {
    const addon = await openCounter();
    install(counter(2, { hooks: 'prepare: () => new Promise(() => {}),' }), file);
    const ends = new Promise<PromiseSettledResult<unknown>[]>((resolve) => {
      addon.on('progress', ({ phase }) => {
        if (phase === 'prepare') resolve(Promise.allSettled([running, addon.reload(), addon.close()]));
      });
    });
    const running = addon.reload();
    const closed = { code: 'ERR_CLOSED' };
    expect(await ends).toMatchObject([{ reason: closed }, { reason: closed }, { status: 'fulfilled' }]);
    expect(fs.readdirSync(scratch.file('stage'))).toEqual(['.lock']);
  });
});

describe('watch', () => {
  test('reloads when the built file is replaced', async () => {
    await using addon = await openCounter(counter(1), { watch: true });
    const reloaded = nextEvent(addon, 'reloaded');
    install(counter(2), file);
    expect((await reloaded)[0]).toMatchObject({ from: 1, to: 2 });
    expect(addon.exports.version()).toBe(2);
  });

  test('does not try refused bytes again, but an explicit reload does', async () => {
    const bad = scriptedAddon('globalThis.tries = (globalThis.tries ?? 0) + 1; throw new Error("no");');
    const tries = () => (globalThis as unknown as { tries: number }).tries;
    await using addon = await openCounter(counter(1), { watch: true });
    const failed = nextEvent(addon, 'failed');
    install(bad, file);
    expect((await failed)[0].code).toBe('ERR_INIT_THREW');
    expect(tries()).toBe(1);
    const unchanged = nextEvent(addon, 'unchanged');
    install(bad, file);
    expect((await unchanged)[0].reason).toBe('rejected');
    expect(tries()).toBe(1);
    await expect(addon.reload()).rejects.toMatchObject({ code: 'ERR_INIT_THREW' });
    expect(tries()).toBe(2);
    expect(addon.exports.version()).toBe(1);
  });
});
