/** Hosts that run one version after the other, where the option asks for it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { REUSES_MAX } from '../../../src/isolate/hosts.ts';
import { type Addon, open, type Remote } from '../../../src/index.ts';
import { hostsOf } from '../../fault/hosted.ts';
import { createScratch, install, type Scratch, scriptedAddon } from '../../support/addons.ts';

interface Kernel {
  version(): number;
  where(): string;
  bump(): number;
  mark(): number;
  double(values: Float64Array): Float64Array;
  later(callback: (value: number) => number): Promise<number>;
  adder(by: number): (value: number) => number;
  hang(): Promise<never>;
  crash(): void;
  Thing: new (value: number) => { get(): number };
}

/** `where` tells one host from another: each version adds a letter to what it finds. */
const versionOf = (version: number): string =>
  scriptedAddon(`
    globalThis.trail = (globalThis.trail ?? '') + '${String.fromCharCode(96 + version)}';
    let count = 0;
    let bytes;
    exports.version = () => ${version};
    exports.where = () => globalThis.trail;
    exports.bump = () => ++count;
    exports.mark = () => ++bytes[0];
    exports.double = (values) => values.map((value) => 2 * value);
    exports.later = async (callback) => 1 + await callback(${version});
    exports.adder = (by) => (value) => value + by;
    exports.hang = () => new Promise(() => {});
    exports.crash = () => process.kill(process.pid, 'SIGKILL');
    exports.Thing = class Thing { constructor(value) { this.held = value; } get() { return this.held * ${version}; } };
    exports.napiReload = {
      save: () => ({ count }),
      init({ state, memory }) { if (state) count = state.count; bytes = memory('bytes', 64); },
      classes: { Thing: { save: (thing) => thing.held } },
    };
  `);

/** Asks for memory by the way that an earlier version left in its host, and leaves its own where there is none. */
const heirOf = (version: number): string =>
  scriptedAddon(`
    const ask = () => {
      try {
        return globalThis.left?.('late', 64).length;
      } catch ({ code, details }) {
        return { code, version: details.version };
      }
    };
    let inInit;
    exports.version = () => ${version};
    exports.asked = () => [inInit, ask()];
    exports.napiReload = {
      save: () => ({}),
      init({ memory }) {
        inInit = ask();
        globalThis.left ??= memory;
      },
    };
  `);

let scratch: Scratch;
let addon: Addon<Remote<Kernel>>;

beforeEach(() => {
  scratch = createScratch();
  install(versionOf(1), scratch.file('kernel.node'));
});
afterEach(async () => {
  await addon.close();
  scratch[Symbol.dispose]();
});

async function openKernel(isolation: 'worker' | 'process', reuse: boolean, spare = true): Promise<void> {
  addon = await open<Kernel>(scratch.file('kernel.node'), {
    isolation,
    host: { reuse, spare },
    stageDir: scratch.file('stage'),
  });
}

async function reload(version: number) {
  install(versionOf(version), scratch.file('kernel.node'));
  return addon.reload();
}

describe.each(['worker', 'process'] as const)('in a %s', (isolation) => {
  test('memory that was made anew is not taken for that of before', async () => {
    await openKernel(isolation, true, false);
    const first = await addon.exports.where();
    expect(await addon.exports.mark()).toBe(1);
    install(versionOf(2), scratch.file('kernel.node'));
    expect(await addon.reload({ discardState: true })).toMatchObject({ retired: { outcome: 'unloaded' } });
    for (const count of [1, 2, 3]) expect(await addon.exports.mark()).toBe(count);
    await reload(3);
    // The host of the first version, which had other bytes under that name.
    expect(await addon.exports.where()).toBe(`${first}c`);
    expect(await addon.exports.mark()).toBe(4);
  });

  test('what a version left behind gets no memory while the next one may ask for it, nor later', async () => {
    await openKernel(isolation, true, false);
    for (const version of [2, 3, 4]) {
      install(heirOf(version), scratch.file('kernel.node'));
      expect(await addon.reload()).toMatchObject({ retired: { outcome: 'unloaded' } });
    }
    const { asked } = addon.exports as unknown as { asked(): Promise<unknown> };
    const late = { code: 'ERR_MEMORY_LATE', version: 2 };
    expect(await asked()).toEqual([late, late]);
    expect(addon.memory().map(({ name }) => name)).not.toContain('late');
  });

  test('versions take turns in two hosts, with all that a version has', async () => {
    await openKernel(isolation, true, false);
    const thing = new addon.exports.Thing(7);
    const { adder } = addon.exports;
    const trails = new Set<string>();
    for (const version of [2, 3, 4, 5, 6]) {
      await addon.exports.bump();
      expect(await reload(version)).toMatchObject({ state: 'carried', retired: { outcome: 'unloaded' } });
      expect(await addon.exports.bump()).toBe(2 * (version - 1));
      expect(await addon.exports.mark()).toBe(version - 1);
      expect(await thing.get()).toBe(7 * version);
      expect(await addon.exports.later((value) => value * 10)).toBe(10 * version + 1);
      expect(await (await adder(version))(1)).toBe(version + 1);
      const values = new Float64Array(100_000).fill(version);
      expect((await addon.exports.double(values))[99_999]).toBe(2 * version);
      trails.add(await addon.exports.where());
      expect(addon.versions()).toHaveLength(1);
    }
    expect([...trails]).toEqual(['b', 'ac', 'bd', 'ace', 'bdf']);
  });

  test('a version in which something goes on is no guest of the next', async () => {
    await openKernel(isolation, true, false);
    addon.exports.hang().catch(() => undefined);
    await reload(2);
    await reload(3);
    expect(await addon.exports.where()).toBe('c');
  });

  test('each has a host of its own without the option', async () => {
    await openKernel(isolation, false);
    for (const version of [2, 3]) await reload(version);
    expect(await addon.exports.where()).toBe('c');
  });

  test('a crash is that of the version that runs, which is started again', async () => {
    await openKernel(isolation, true, false);
    for (const version of [2, 3]) await reload(version);
    expect(await addon.exports.where()).toBe('ac');
    if (isolation === 'worker') return;
    const restarted = new Promise((resolve) => addon.once('restarted', resolve));
    await expect(addon.exports.crash()).rejects.toMatchObject({
      code: 'ERR_HOST_CRASHED',
      details: { version: 3, signal: 'SIGKILL' },
    });
    await restarted;
    expect(await addon.exports.version()).toBe(3);
    await reload(4);
    expect(await addon.exports.version()).toBe(4);
  });
});

test('a process runs no more versions than it may', async () => {
  await openKernel('process', true, false);
  const pids = new Map<number, number>();
  for (let reloads = 0; reloads < 2 * REUSES_MAX + 10; reloads += 1) {
    const pid = addon.current.pid ?? 0;
    pids.set(pid, (pids.get(pid) ?? 0) + 1);
    await addon.reload({ force: true });
  }
  expect(Math.max(...pids.values())).toBe(REUSES_MAX);
  expect(hostsOf(process.pid).length).toBeLessThanOrEqual(2);
});
