/** Each code is provoked for real, through the public API; a code without a row here does not compile. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type Addon,
  type ErrorCode,
  loadConfigSync,
  type OpenOptions,
  open,
  openGroup,
  type ReloadError,
} from '../../src/index.ts';
import { Addon as AddonHandle } from '../../src/addon.ts';
import type { Native } from '../../src/native.ts';
import { realOutside } from '../../src/outside.ts';
import { addon as ledgerAddon } from '../fixtures/ledger/build.mjs';
import {
  compileAddon,
  createScratch,
  FIXTURES,
  install,
  NODE_INCLUDE,
  type Scratch,
  scriptedAddon,
} from '../support/addons.ts';

const bare = (...flags: string[]): string => compileAddon([path.join(FIXTURES, 'bare.c')], flags);
const good = (): string => scriptedAddon('exports.add = native.add;');
const remembering = (bytes: number): string =>
  scriptedAddon(`exports.napiReload = { init({ memory }) { memory("ring", ${bytes}); } };`);

function compile(...args: string[]): void {
  const { status, stderr } = spawnSync('gcc', ['-shared', '-fPIC', ...args], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
}

/** What a test of a refusal has at hand. */
interface Stage {
  readonly scratch: Scratch;
  /** Installs a built addon as `kernel.node` and opens it. */
  open(built: string, options?: OpenOptions): Promise<Addon<Record<string, unknown>>>;
  /** Opens one build, installs another over it, and reloads. */
  reload(before: string, after: string, options?: OpenOptions): Promise<unknown>;
}

/** Opens an addon with a shim that differs in this. */
async function openWith({ scratch }: Stage, built: string, changes: Partial<Native>): Promise<void> {
  const outside = { ...realOutside, native: { ...realOutside.native, ...changes } };
  const file = scratch.file('kernel.node');
  install(built, file);
  // With a function for integrity, nothing is looked at on the way.
  const options = { stageDir: scratch.file('stage'), integrity: () => true };
  await AddonHandle.open(file, options, outside);
}

type Provoke = (stage: Stage) => unknown;

const provoke: Record<ErrorCode, Provoke> = {
  ERR_ABORTED: (s) => s.open(good(), { signal: AbortSignal.abort() }),
  ERR_BUILD_FAILED: (s) => s.open(good(), { build: { command: 'false', cwd: s.scratch.path } }),
  async ERR_BUSY(s) {
    const options = { scope: 'process' } as const;
    const addon = await s.open(good(), options);
    await s.open(good(), options);
    install(ledgerAddon('unfollowed'), s.scratch.file('kernel.node'));
    await addon.reload();
  },
  async ERR_CLOSED(s) {
    const addon = await s.open(good());
    await addon.close();
    await addon.reload();
  },
  ERR_CONFIG_INVALID(s) {
    s.scratch.write('napi-reload.config.json', '{ "watch": 1 }');
    return loadConfigSync(s.scratch.path);
  },
  async ERR_EXPORT_REMOVED(s) {
    const addon = await s.open(good());
    const add = addon.exports['add'] as (a: number, b: number) => number;
    install(scriptedAddon('exports.sum = native.add;'), s.scratch.file('kernel.node'));
    await addon.reload();
    add(1, 2);
  },
  ERR_EXPORTS_INCOMPATIBLE: (s) => s.reload(good(), scriptedAddon('return native.add;')),
  ERR_GROUP_CYCLE: () =>
    openGroup({ a: { file: 'a.node', after: ['b'] }, b: { file: 'b.node', after: ['a'] } }),
  ERR_HOOK_ASYNC: (s) => s.open(scriptedAddon('exports.napiReload = { async init() {} };')),
  ERR_HOOK_INVALID: (s) => s.open(scriptedAddon('exports.napiReload = { schema: "one" };')),
  ERR_HOOK_THREW: (s) => s.open(scriptedAddon('exports.napiReload = { init() { throw new Error("no"); } };')),
  ERR_HOOK_TIMEOUT: (s) =>
    s.open(scriptedAddon('exports.napiReload = { prepare: () => new Promise(() => {}) };'), {
      hookTimeoutMs: 5,
    }),
  ERR_HOST_CRASHED(s) {
    const file = s.scratch.file('kernel.node');
    install(scriptedAddon('process.kill(process.pid, "SIGKILL");'), file);
    return open(file, { isolation: 'process', stageDir: s.scratch.file('stage') });
  },
  ERR_INIT_THREW: (s) => s.open(scriptedAddon('throw new Error("no");')),
  ERR_INTEGRITY: (s) => s.open(good(), { integrity: () => false }),
  async ERR_INTERNAL(s) {
    const inspect = (): never => {
      throw new Error('a defect');
    };
    await openWith(s, good(), { inspect });
  },
  ERR_INVALID_OPTION: (s) => s.open(good(), { hookTimeoutMs: -1 }),
  ERR_LOAD_FAILED(s) {
    const library = s.scratch.file('libgone.so');
    compile('-x', 'c', '/dev/null', '-o', library);
    const needy = s.scratch.file('needy.node');
    compile(path.join(FIXTURES, 'bare.c'), `-I${NODE_INCLUDE}`, '-Wl,--no-as-needed', library, '-o', needy);
    fs.rmSync(library);
    return s.open(needy);
  },
  async ERR_MEMORY_LATE(s) {
    const script = 'exports.napiReload = { init(ctx) { exports.ask = () => ctx.memory("ring", 64); } };';
    const addon = await s.open(scriptedAddon(script));
    await addon.reload({ force: true });
    (addon.exports['ask'] as () => unknown)();
  },
  ERR_MEMORY_SIZE: (s) => s.reload(remembering(64), remembering(32)),
  async ERR_MEMORY_UNAVAILABLE(s) {
    const failure = {
      operation: 'memfd_create',
      path: 'ring',
      errno: 'EMFILE',
      message: 'Too many open files',
    };
    const memoryCreate = () => ({ ok: false, kind: 'io', ...failure }) as const;
    await openWith(s, remembering(64), { memoryCreate });
  },
  ERR_NAPI_VERSION: (s) => s.open(bare('-DWRONG_API_VERSION=99')),
  ERR_NOT_AN_ADDON: (s) => s.open(s.scratch.write('notes.txt', 'not an addon')),
  ERR_NOT_FOUND: () => open('/nowhere/kernel.node'),
  async ERR_NO_SUCH_VERSION(s) {
    const addon = await s.open(good());
    await addon.rollback();
  },
  ERR_REHEARSAL_CRASHED: (s) =>
    s.open(scriptedAddon('process.kill(process.pid, "SIGKILL");'), { rehearse: true }),
  ERR_SHIM_UNAVAILABLE(s) {
    const root = path.resolve(FIXTURES, '../..');
    fs.cpSync(path.join(root, 'src'), s.scratch.file('src'), { recursive: true });
    fs.symlinkSync(path.join(root, 'node_modules'), s.scratch.file('node_modules'));
    return import(/* @vite-ignore */ s.scratch.file('src/index.ts')).then((copy: { open: typeof open }) =>
      copy.open(good()),
    );
  },
  ERR_STAGE_INCOMPLETE(s) {
    const half = fs.readFileSync(good()).subarray(0, 5_000);
    const file = s.scratch.write('kernel.node', half);
    fs.utimesSync(file, 1, 1);
    return open(file, { stageDir: s.scratch.file('stage') });
  },
  ERR_STAGE_IO: (s) => s.open(good(), { stageDir: path.join(s.scratch.write('file', ''), 'below') }),
  ERR_STATE_ROUNDTRIP: (s) =>
    s.open(scriptedAddon('exports.napiReload = { save() { throw new Error("no"); } };')),
  ERR_STATE_SCHEMA: (s) =>
    s.reload(
      scriptedAddon('exports.napiReload = { schema: 1, save: () => 7, init() {} };'),
      scriptedAddon('exports.napiReload = { schema: 2, save: () => 7, init() {} };'),
    ),
  ERR_UNDEFINED_SYMBOL: (s) => s.open(bare('-DWRONG_SYMBOL')),
  async ERR_VERSION_BUDGET(s) {
    const module = { exports: {} as { take(count: number): void; giveBack(): void } };
    process.dlopen(module, compileAddon([path.join(FIXTURES, 'mappings.c')]));
    module.exports.take(40_000);
    try {
      for (;;) await s.open(good());
    } finally {
      module.exports.giveBack();
    }
  },
  ERR_WRONG_ARCH(s) {
    const other = Buffer.from(fs.readFileSync(good()));
    const otherMachine = process.arch === 'arm64' ? 62 : 183;
    other.writeUInt16LE(otherMachine, 18);
    return s.open(s.scratch.write('other.node', other));
  },
};

async function provokeIt(run: Provoke): Promise<ReloadError> {
  using scratch = createScratch();
  const opened: Addon<unknown>[] = [];
  const stage: Stage = {
    scratch,
    async open(built, options = {}) {
      install(built, scratch.file('kernel.node'));
      const addon = await open<Record<string, unknown>>(scratch.file('kernel.node'), {
        stageDir: scratch.file('stage'),
        ...options,
      });
      opened.push(addon);
      return addon;
    },
    async reload(before, after, options) {
      const addon = await stage.open(before, options);
      install(after, scratch.file('kernel.node'));
      return addon.reload();
    },
  };
  try {
    await run(stage);
  } catch (error) {
    return error as ReloadError;
  } finally {
    for (const addon of opened) await addon.close();
    const left = fs.existsSync(scratch.file('stage')) ? fs.readdirSync(scratch.file('stage')) : [];
    expect(left.filter((name) => name !== '.lock')).toEqual([]);
  }
  throw new Error('nothing was thrown');
}

describe('each error code', () => {
  test.each(Object.entries(provoke))('%s can be provoked, and says what to do', async (code, run) => {
    const error = await provokeIt(run);
    expect(error).toMatchObject({ name: 'ReloadError', code });
    expect(error.message).not.toMatch(/undefined|\[object|\.$/);
    expect(error.message.length).toBeGreaterThan(30);
    expect(Object.keys(error.details).length).toBeGreaterThan(0);
  });
});

describe('a file that is no addon', () => {
  const cases: [string, (s: Scratch) => string, object][] = [
    ['a folder', (s) => s.path, { reason: 'foreign', found: 'a directory' }],
    ['an empty file', (s) => aged(s.write('empty.node', '')), { reason: 'foreign', found: 'an empty file' }],
    ['a text', (s) => s.write('text.node', '#!/bin/sh\n'), { reason: 'foreign' }],
    [
      'a PE file',
      (s) => s.write('pe.node', Buffer.from('MZ\x90\0\x03\0\0\0')),
      { found: expect.stringMatching(/PE/) },
    ],
    [
      'a Mach-O file',
      (s) => s.write('mac.node', Buffer.from('cffaedfe07000001', 'hex')),
      { found: expect.stringMatching(/Mach-O/) },
    ],
    ['an addon without an entry', () => bare('-DWRONG_ENTRY'), { reason: 'no-entry' }],
    ["an addon for V8's ABI", () => bare('-DWRONG_ABI'), { reason: 'v8-abi' }],
  ];
  test.each(cases)('%s is refused as ERR_NOT_AN_ADDON', async (_, make, details) => {
    using scratch = createScratch();
    await expect(open(make(scratch), { stageDir: scratch.file('stage') })).rejects.toMatchObject({
      code: 'ERR_NOT_AN_ADDON',
      details,
    });
  });
});

function aged(file: string): string {
  fs.utimesSync(file, 1, 1);
  return file;
}
