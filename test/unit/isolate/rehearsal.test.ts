/** New versions that are tried in a throw-away process before they are loaded here. */
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Addon, isReloadError, open, type Warning } from '../../../src/index.ts';
import { createScratch, install, type Scratch, scriptedAddon } from '../../support/addons.ts';
import { until } from '../../support/until.ts';

interface Counter {
  version(): number;
  bump(): number;
  memory(): number;
}

const versionOf = (version: number, hooks = '', body = ''): string =>
  scriptedAddon(`
    ${body}
    let count = 0;
    let bytes = new Uint8Array(1);
    exports.version = () => ${version};
    exports.bump = () => ++count;
    exports.memory = () => bytes[0];
    exports.napiReload = {
      save: () => ({ count }),
      init({ state, memory }) {
        if (state) count = state.count;
        bytes = memory('bytes', 64);
        bytes[0] += 1;
      },
      ${hooks}
    };
  `);

const END = 'process.kill(process.pid, "SIGSEGV"); for (;;);';

describe('a rehearsal', () => {
  let scratch: Scratch;
  let file: string;
  let addon: Addon<Counter>;

  beforeEach(async () => {
    scratch = createScratch();
    file = scratch.file('kernel.node');
    install(versionOf(1), file);
    addon = await open<Counter>(file, { rehearse: true, stageDir: scratch.file('stage') });
  });

  afterEach(async () => {
    await addon.close();
    expect(fs.readdirSync(scratch.file('stage'))).toEqual(['.lock']);
    scratch[Symbol.dispose]();
  });

  test('lets a good version live, and leaves its state and memory alone', async () => {
    addon.exports.bump();
    install(versionOf(2), file);
    const report = await addon.reload();
    expect(report).toMatchObject({ status: 'reloaded', state: 'carried' });
    expect(report.phasesMs.rehearse).toBeGreaterThan(0);
    expect([addon.exports.version(), addon.exports.bump(), addon.exports.memory()]).toEqual([2, 2, 2]);
    expect(addon.memory()).toEqual([{ name: 'bytes', bytes: 64 }]);
  });

  test.each([
    ['load', '', END],
    ['prepare', `prepare() { ${END} },`, ''],
    ['init', `init() { ${END} },`, ''],
    ['save', `save() { ${END} },`, ''],
  ])('refuses a version that crashes in its %s', async (during, hooks, body) => {
    addon.exports.bump();
    install(versionOf(2, hooks, body), file);
    const error = await addon.reload().catch((thrown: unknown) => thrown);
    if (!isReloadError(error, 'ERR_REHEARSAL_CRASHED')) throw error;
    expect(error.details).toMatchObject({ version: 2, signal: 'SIGSEGV', during, reason: 'exit' });
    expect([addon.exports.version(), addon.exports.bump(), addon.exports.memory()]).toEqual([1, 2, 1]);
    expect(addon.versions()).toHaveLength(1);
  });

  test('refuses a version that throws, as the reload would', async () => {
    install(versionOf(2, 'init() { throw new RangeError("not mine"); },'), file);
    await expect(addon.reload()).rejects.toMatchObject({
      code: 'ERR_HOOK_THREW',
      details: { hook: 'init', version: 2 },
      cause: { name: 'RangeError', message: 'not mine' },
    });
    expect(addon.exports.version()).toBe(1);
  });

  test('undoes memory that only the rehearsed version asked for', async () => {
    install(
      versionOf(
        2,
        'init({ memory }) { memory("more", 64); memory("bytes", 128, { grow: true }); throw 1; },',
      ),
      file,
    );
    await expect(addon.reload()).rejects.toMatchObject({ code: 'ERR_HOOK_THREW' });
    expect(addon.memory()).toEqual([{ name: 'bytes', bytes: 64 }]);
  });

  test('has the state as it was saved, whatever becomes of it when the old version goes on', async () => {
    const saves = 'save: () => { live.count = 5; return live; }, resume() { live.count = 0; },';
    install(versionOf(2, saves, 'const live = {};'), file);
    await addon.reload();
    install(versionOf(3, 'init({ state }) { if (state.count !== 5) throw new Error("changed"); },'), file);
    await expect(addon.reload()).resolves.toMatchObject({ status: 'reloaded' });
  });

  test('lets the old version go on that could not save', async () => {
    const fails = 'save() { if (fails) throw 1; return {}; }, resume() { exports.resumed = true; },';
    install(
      versionOf(
        2,
        fails,
        'let fails = false; exports.resumed = false; exports.fail = () => { fails = true; };',
      ),
      file,
    );
    await addon.reload();
    const exports = addon.exports as unknown as { fail(): void; readonly resumed: boolean };
    exports.fail();
    install(versionOf(3), file);
    await expect(addon.reload()).rejects.toMatchObject({ code: 'ERR_HOOK_THREW' });
    expect(exports.resumed).toBe(true);
  });

  test('goes without a state that is no plain data, and says so', async () => {
    install(versionOf(2, 'save: () => ({ f() {} }), init() {},'), file);
    await addon.reload();
    const warnings: Warning[] = [];
    addon.on('warning', (warning) => warnings.push(warning));
    install(versionOf(3, 'init() {},'), file);
    await addon.reload();
    expect(warnings.map(({ code }) => code)).toEqual(['rehearsed-without-state']);
  });
});

test('a process that takes long to start is no fault of the version', async () => {
  using scratch = createScratch();
  const file = scratch.file('kernel.node');
  install(versionOf(1), file);
  const [begun, go] = [scratch.file('begun'), scratch.file('go')];
  const waits = `import fs from 'node:fs'; fs.writeFileSync(${JSON.stringify(begun)}, ''); while (!fs.existsSync(${JSON.stringify(go)}));`;
  const host = { execArgv: ['--import', `data:text/javascript,${encodeURIComponent(waits)}`], spare: false };
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const opening = open<Counter>(file, {
    rehearse: true,
    hookTimeoutMs: 2_000,
    host,
    stageDir: scratch.file('stage'),
  });
  await until('the start of the process', () => fs.existsSync(begun));
  vi.advanceTimersByTime(60_000);
  vi.useRealTimers();
  scratch.write('go', '');
  await using addon = await opening;
  expect(addon.exports.version()).toBe(1);
});

test('a version that never comes back is given up after hookTimeoutMs', async () => {
  using scratch = createScratch();
  const file = scratch.file('kernel.node');
  install(versionOf(1, 'init() { for (;;); },'), file);
  const opened = open(file, { rehearse: true, hookTimeoutMs: 3_000, stageDir: scratch.file('stage') });
  await expect(opened).rejects.toMatchObject({
    code: 'ERR_REHEARSAL_CRASHED',
    details: { reason: 'timeout', during: 'init' },
  });
});
