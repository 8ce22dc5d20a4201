/**
 * What each operation does in each state of a handle, wherever its versions run, but for what listeners hear: one table,
 * whose cells are all there is to expect.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Addon, open, type OpenOptions } from '../../src/index.ts';
import { createScratch, install, type Scratch, scriptedAddon } from '../support/addons.ts';

const ISOLATIONS = ['inline', 'worker', 'process'] as const;
type Isolation = (typeof ISOLATIONS)[number];

/** In another thread or process, calls return promises. */
type Answer = number | Promise<number>;

interface Thing {
  version(): Answer;
}

interface Counter {
  version(): Answer;
  Thing: new () => Thing;
}

/** v2's `prepare` waits for the gate, v3's `init` throws. */
const versionOf = (version: number, hooks = ''): string =>
  scriptedAddon(`
    exports.version = () => ${version};
    exports.Thing = class { version() { return ${version}; } };
    exports.napiReload = { save: () => 0, init() {}, ${hooks} };
  `);

/** Names the gate: a file, which is seen wherever a hook runs. It is there when the cell has looked. */
const GATE = 'OPERATIONS_GATE';
/** The body of a hook that waits for it. */
const WAIT = `
  async () => {
    const { existsSync } = process.getBuiltinModule('node:fs');
    while (!existsSync(process.env.${GATE})) await new Promise((resolve) => setTimeout(resolve, 10));
  }`;

const STATES = ['open', 'failed', 'building', 'preparing', 'closing', 'closed'] as const;
type State = (typeof STATES)[number];

/** A handle in a state, and how it leaves it. */
interface Handle {
  readonly addon: Addon<Counter>;
  readonly signal: AbortController;
  /** Lets what the state waits for go on. */
  release(): void;
  /** The reload that was running or the last that failed; resolves to what became of it. */
  readonly reload: Promise<unknown>;
}

/** What a cell expects: a value, or the code of the refusal. */
type Cell = unknown;
const refused = (code: string): Cell => expect.objectContaining({ name: 'ReloadError', code });
const reloaded = (from: number, to: number): Cell =>
  expect.objectContaining({ status: 'reloaded', from, to });
const unchanged = (id: number): Cell =>
  expect.objectContaining({ status: 'unchanged', reason: 'live', from: id, to: id });
const closed = refused('ERR_CLOSED');

interface Operation {
  /** What is asked while the state lasts; the answer may need `release`. */
  run(handle: Handle): unknown;
  readonly cells: Readonly<Record<State, Cell>>;
}

const outcome = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

/** Runs it at once. What is thrown and what is rejected are the same here. */
const attempt = (work: () => unknown): Promise<unknown> => outcome((async () => work())());

/** Those that leave the handle as it is: in each state one handle is asked all of them, before anything goes on. */
const looks: Record<string, Operation> = {
  'a call of an export': {
    run: ({ addon }) => attempt(() => addon.exports.version()),
    // Until the handle is closed, the version that serves serves: also while it is being closed.
    cells: { open: 1, failed: 1, building: 1, preparing: 1, closing: 1, closed },
  },
  'a call of an export that was kept': {
    run: ({ addon }) => attempt(() => kept.get(addon)?.version()),
    cells: { open: 1, failed: 1, building: 1, preparing: 1, closing: 1, closed },
  },
  'new of a class': {
    run: ({ addon }) => attempt(() => new addon.exports.Thing().version()),
    cells: { open: 1, failed: 1, building: 1, preparing: 1, closing: 1, closed },
  },
  'a method of an instance': {
    run: ({ addon }) => attempt(() => kept.get(addon)?.thing.version()),
    cells: { open: 1, failed: 1, building: 1, preparing: 1, closing: 1, closed },
  },
  current: {
    run: ({ addon }) => [addon.current.id, addon.current.state],
    cells: {
      open: [1, 'live'],
      failed: [1, 'live'],
      building: [1, 'live'],
      preparing: [1, 'live'],
      closing: [1, 'live'],
      closed: [1, 'unloaded'],
    },
  },
  'versions()': {
    run: ({ addon }) => addon.versions().map(({ id, state }) => `${id} ${state}`),
    cells: {
      open: ['1 live'],
      // What was refused is unloaded at once, what serves no more as soon as it has ended.
      failed: ['1 live'],
      building: ['1 live'],
      preparing: ['1 live', '2 candidate'],
      closing: ['1 live', '2 candidate'],
      closed: [],
    },
  },
};

const operations: Record<string, Operation> = {
  'reload()': {
    run: ({ addon }) => outcome(addon.reload()),
    // Behind a reload that runs, it is one more: by then what that one took is live.
    cells: {
      open: unchanged(1),
      failed: refused('ERR_HOOK_THREW'),
      building: unchanged(2),
      preparing: unchanged(2),
      closing: closed,
      closed,
    },
  },
  'reload({ force })': {
    run: ({ addon }) => outcome(addon.reload({ force: true })),
    cells: {
      open: reloaded(1, 2),
      failed: refused('ERR_HOOK_THREW'),
      building: reloaded(2, 3),
      preparing: reloaded(2, 3),
      closing: closed,
      closed,
    },
  },
  'rollback()': {
    run: ({ addon }) => outcome(addon.rollback()),
    // Behind a reload that runs, it undoes that.
    cells: {
      open: refused('ERR_NO_SUCH_VERSION'),
      failed: refused('ERR_NO_SUCH_VERSION'),
      building: reloaded(2, 3),
      preparing: reloaded(2, 3),
      closing: closed,
      closed,
    },
  },
  'reload({ to })': {
    run: ({ addon }) => outcome(addon.reload({ to: 1 })),
    cells: {
      open: unchanged(1),
      failed: unchanged(1),
      building: reloaded(2, 3),
      preparing: reloaded(2, 3),
      closing: closed,
      closed,
    },
  },
  'close()': {
    async run(handle) {
      await handle.addon.close();
      return [await handle.reload, await attempt(() => handle.addon.exports.version())];
    },
    // A reload that runs is ended by the close, and says so.
    cells: {
      open: [null, closed],
      failed: [refused('ERR_HOOK_THREW'), closed],
      building: [closed, closed],
      preparing: [closed, closed],
      closing: [closed, closed],
      closed: [closed, closed],
    },
  },
  'the abort of the signal': {
    async run(handle) {
      handle.signal.abort();
      await handle.addon.close();
      return [await handle.reload, await attempt(() => handle.addon.exports.version())];
    },
    cells: {
      open: [null, closed],
      failed: [refused('ERR_HOOK_THREW'), closed],
      building: [closed, closed],
      preparing: [closed, closed],
      closing: [closed, closed],
      closed: [closed, closed],
    },
  },
};

/** What listeners hear, which the handle tells by itself wherever its versions run: asked inline alone. */
const listening: Record<string, Operation> = {
  'on() and once(), told of the next end of a reload': {
    async run(handle) {
      const { addon } = handle;
      const heard: string[] = [];
      for (const event of ['reloaded', 'failed', 'unchanged'] as const) {
        addon.on(event, () => heard.push(`on ${event}`)).once(event, () => heard.push(`once ${event}`));
      }
      handle.release();
      await handle.reload;
      await outcome(addon.reload());
      return heard;
    },
    cells: {
      open: ['on unchanged', 'once unchanged'],
      failed: ['on failed', 'once failed'],
      building: ['on reloaded', 'once reloaded', 'on unchanged', 'once unchanged'],
      preparing: ['on reloaded', 'once reloaded', 'on unchanged', 'once unchanged'],
      // What a close ends is no failure of the addon.
      closing: [],
      closed: [],
    },
  },
  'off(), told of nothing': {
    async run(handle) {
      const { addon } = handle;
      const heard: string[] = [];
      const listener = (): void => void heard.push('told');
      for (const event of ['reloaded', 'failed', 'unchanged', 'closed'] as const) {
        addon.on(event, listener).once(event, listener).off(event, listener).off(event, listener);
      }
      handle.release();
      await handle.reload;
      await outcome(addon.reload());
      await addon.close();
      return heard;
    },
    cells: { open: [], failed: [], building: [], preparing: [], closing: [], closed: [] },
  },
  "on('closed')": {
    async run(handle) {
      let count = 0;
      handle.addon.on('closed', () => {
        count += 1;
      });
      handle.release();
      await Promise.all([handle.addon.close(), handle.addon.close()]);
      return count;
    },
    cells: { open: 1, failed: 1, building: 1, preparing: 1, closing: 1, closed: 0 },
  },
};

/** What a caller took from the exports while the handle was open. */
const kept = new WeakMap<Addon<Counter>, { version(): Answer; thing: Thing }>();

function until(addon: Addon<Counter>, phase: string): Promise<void> {
  return new Promise((resolve) => {
    addon.on('progress', (progress) => {
      if (progress.phase === phase) setImmediate(resolve);
    });
  });
}

function openIn(isolation: Isolation, file: string, options: OpenOptions): Promise<Addon<Counter>> {
  if (isolation === 'inline') return open<Counter>(file, options);
  // The start of a spare host is work that no cell shows anything of.
  return open<Counter>(file, { ...options, isolation, host: { spare: false } });
}

async function enter(state: State, isolation: Isolation, scratch: Scratch): Promise<Handle> {
  const file = scratch.file('kernel.node');
  process.env[GATE] = scratch.file('gate');
  const release = (): void => void scratch.write('gate', '');
  const signal = new AbortController();
  install(versionOf(1), file);
  scratch.write('build.sh', 'exit 0');
  const addon = await openIn(isolation, file, {
    build: { command: 'sh', args: ['build.sh'], cwd: scratch.path },
    stageDir: scratch.file('stage'),
    signal: signal.signal,
  });
  const { version, Thing } = addon.exports;
  kept.set(addon, { version, thing: new Thing() });
  const handle = (reload: Promise<unknown>): Handle => ({ addon, signal, release, reload });
  switch (state) {
    case 'open':
      return handle(Promise.resolve(null));
    case 'failed':
    case 'closed': {
      install(versionOf(3, 'init() { throw new Error("no"); },'), file);
      const failed = await outcome(addon.reload());
      if (state === 'failed') return handle(Promise.resolve(failed));
      await addon.close();
      return handle(outcome(addon.reload()));
    }
    case 'building': {
      install(versionOf(2), file);
      // A build that waits for the gate, which the next one finds open.
      scratch.write('build.sh', 'until [ -e gate ]; do sleep 0.01; done');
      const building = until(addon, 'build');
      const reload = outcome(addon.reload());
      await building;
      return handle(reload);
    }
    case 'preparing':
    case 'closing': {
      install(versionOf(2, `prepare: ${WAIT}, dispose: ${WAIT},`), file);
      const preparing = until(addon, 'prepare');
      const reload = outcome(addon.reload());
      await preparing;
      if (state === 'closing') void addon.close();
      return handle(reload);
    }
  }
}

describe.each(ISOLATIONS)('isolation %s', (isolation) => {
  describe.each(STATES)('when the handle is %s', (state) => {
    let scratch: Scratch;
    let handle: Handle;
    let answers: ReadonlyMap<string, unknown>;
    beforeAll(async () => {
      scratch = createScratch();
      handle = await enter(state, isolation, scratch);
      answers = new Map(Object.entries(looks).map(([name, { run }]) => [name, run(handle)]));
      handle.release();
    });
    afterAll(async () => {
      await handle.addon.close();
      scratch[Symbol.dispose]();
    });

    test.each(Object.entries(looks))('%s does what is defined', async (name, { cells }) => {
      expect(answers.has(name)).toBe(true);
      expect(await answers.get(name)).toEqual(cells[state]);
    });
  });

  const all = isolation === 'inline' ? { ...operations, ...listening } : operations;
  describe.each(Object.entries(all))('%s', (_, { run, cells }) => {
    test.each(STATES)('does what is defined when the handle is %s', async (state) => {
      using scratch = createScratch();
      const handle = await enter(state, isolation, scratch);
      const answer = run(handle);
      // A close ends what waits for the gate by itself, but for the dispose of a version.
      handle.release();
      expect(await answer).toEqual(cells[state]);
      await handle.addon.close();
    });
  });
});
