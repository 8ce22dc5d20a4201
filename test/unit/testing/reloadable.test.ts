/** The kit: copies that are built, edited and reloaded, while the project stays as it is. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { createReloadable } from '../../../src/testing/testing.ts';
import {
  defineScript,
  KIT_ADDON,
  KIT_SCRIPT,
  makeKitProject,
  snapshot,
  type Total,
} from '../../support/kits.ts';

const toVersion2 = (text: string): string => text.replace('version = () => 1', 'version = () => 2');

describe('createReloadable', () => {
  test('edits, builds and reloads a copy, and leaves the project and nothing else', async () => {
    using project = makeKitProject();
    const before = snapshot(project.root);
    const kit = await createReloadable<Total>(project.options);
    const { addon, edit, rebuild, reload, close } = kit;
    const { add, version } = addon.exports;
    expect([add(2), version()]).toEqual([2, 1]);
    await edit(KIT_SCRIPT, toVersion2);
    expect(version()).toBe(1);
    expect((await rebuild()).skipped).toBe(false);
    expect(version()).toBe(1);
    expect(await reload()).toMatchObject({ status: 'reloaded', state: 'carried', from: 1, to: 2 });
    expect([add(1), version()]).toEqual([3, 2]);
    const folder = kit.root;
    expect(fs.existsSync(folder)).toBe(true);
    await close();
    await close();
    expect(fs.existsSync(folder)).toBe(false);
    expect(snapshot(project.root)).toEqual(before);
  });

  test('builds before a reload of the handle itself, and once for each state of the sources', async () => {
    using project = makeKitProject();
    await using kit = await createReloadable<Total>(project.options);
    expect(project.builds()).toBe(1);
    await kit.edit(KIT_SCRIPT, toVersion2);
    await kit.addon.reload();
    expect([kit.addon.exports.version(), project.builds()]).toEqual([2, 2]);
    expect((await kit.rebuild()).skipped).toBe(true);
    await kit.addon.reload({ force: true });
    expect([kit.addon.current.id, project.builds()]).toEqual([3, 2]);
  });

  test('builds in a copy for each kit, so that edits do not meet', async () => {
    using project = makeKitProject();
    await using one = await createReloadable<Total>(project.options);
    await using other = await createReloadable<Total>(project.options);
    await one.edit(KIT_SCRIPT, toVersion2);
    await Promise.all([one.reload(), other.reload()]);
    expect([one.addon.exports.version(), other.addon.exports.version()]).toEqual([2, 1]);
  });

  test('is refused with what the compiler says, and leaves no copy', async () => {
    using project = makeKitProject();
    project.scratch.write(`project/${KIT_SCRIPT}`, 'no such code');
    using folder = temporaryFolder();
    await expect(createReloadable(project.options)).rejects.toMatchObject({
      code: 'ERR_BUILD_FAILED',
      message: expect.stringContaining('src/script.h:1:1: unknown type name') as string,
    });
    expect(fs.readdirSync(folder.path)).toEqual([]);
  });

  test('builds once where a build and a reload are asked for at the same time', async () => {
    using project = makeKitProject();
    await using kit = await createReloadable<Total>(project.options);
    await kit.edit(KIT_SCRIPT, toVersion2);
    await Promise.all([kit.rebuild(), kit.reload(), kit.rebuild()]);
    expect([kit.addon.exports.version(), project.builds()]).toEqual([2, 2]);
  });

  test('ends what a test has not waited for, and nothing comes after that', async () => {
    using project = makeKitProject({ flags: ['-O2'] });
    const kit = await createReloadable<Total>(project.options);
    await kit.edit(KIT_SCRIPT, toVersion2);
    const late = kit.rebuild().catch((error: unknown) => error);
    await kit.close();
    expect(await late).toMatchObject({ code: 'ERR_ABORTED' });
    for (const attempt of [() => kit.edit(KIT_SCRIPT, toVersion2), () => kit.write('x', ''), kit.rebuild])
      await expect(attempt()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expect(fs.existsSync(kit.root)).toBe(false);
  });

  test('leaves no copy where the handle does not close', async () => {
    using project = makeKitProject();
    const kit = await createReloadable<Total>(project.options);
    const close = vi.spyOn(kit.addon, 'close').mockRejectedValue(new Error('no close'));
    await expect(kit.close()).rejects.toThrow('no close');
    expect(fs.existsSync(kit.root)).toBe(false);
    close.mockRestore();
    await kit.addon.close();
  });

  test('goes on after an edit that does not compile', async () => {
    using project = makeKitProject();
    await using kit = await createReloadable<Total>(project.options);
    await kit.edit(KIT_SCRIPT, () => '#error "stop"\n');
    await expect(kit.reload()).rejects.toMatchObject({ code: 'ERR_BUILD_FAILED' });
    expect([kit.addon.exports.version(), kit.addon.current.id]).toEqual([1, 1]);
    await kit.write(KIT_SCRIPT, defineScript('exports.version = () => 3;'));
    expect(await kit.reload({ discardState: true })).toMatchObject({ to: 2, state: 'discarded' });
    expect(kit.addon.exports.version()).toBe(3);
  });
});

describe('crash', () => {
  test.each(['worker', 'process'] as const)(
    'ends the %s, which comes up again with its state',
    async (isolation) => {
      using project = makeKitProject();
      await using kit = await createReloadable<Total>({ ...project.options, isolation });
      const { add, total } = kit.addon.exports;
      await add(5);
      // Saved with the version that takes it.
      await kit.reload({ force: true });
      const { pid } = kit.addon.current;
      const crash = await kit.crash();
      expect(crash).toMatchObject({ id: 2, next: 'restart', error: { code: 'ERR_HOST_CRASHED' } });
      if (isolation === 'process') {
        expect(crash.error.details).toMatchObject({ signal: 'SIGKILL' });
        expect(kit.addon.current.pid).not.toBe(pid);
      }
      expect(await total()).toBe(5);
    },
  );

  test('goes back where a version is given up', async () => {
    using project = makeKitProject();
    const supervise = { maxCrashes: 1 };
    await using kit = await createReloadable<Total>({ ...project.options, isolation: 'worker', supervise });
    await kit.edit(KIT_SCRIPT, toVersion2);
    await kit.reload();
    expect(await kit.crash()).toMatchObject({ id: 2, next: 'rollback' });
    expect([kit.addon.current.id, await kit.addon.exports.version()]).toEqual([3, 1]);
  });

  test('is refused where it would end the process of the test', async () => {
    using project = makeKitProject();
    await using kit = await createReloadable<Total>(project.options);
    await expect(kit.crash()).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message: expect.stringContaining("'inline'") as string,
    });
    expect(kit.addon.exports.version()).toBe(1);
  });
});

describe('options', () => {
  test.each([
    [{}, 'addon'],
    [{ addon: '../other/total.node' }, 'addon'],
    [{ addon: KIT_ADDON, build: false }, 'build'],
    [{ addon: KIT_ADDON, build: { command: 'make', cwd: '/' } }, 'build.cwd'],
    [{ addon: KIT_ADDON, source: [] }, 'source'],
    [{ addon: KIT_ADDON, source: '../other' }, 'source'],
    [{ addon: KIT_ADDON, source: 'no-such-folder' }, 'source'],
    [{ addon: KIT_ADDON, root: '/no/such/folder' }, 'root'],
    [{ addon: KIT_ADDON, watch: true }, 'watch'],
    [{ addon: KIT_ADDON, buildTimeoutMs: -1 }, 'buildTimeoutMs'],
    [{ addon: KIT_ADDON, isolatoin: 'worker' }, 'isolatoin'],
  ])('%o are refused for %s', async (given, option) => {
    using project = makeKitProject();
    using folder = temporaryFolder();
    const options = { root: project.root, ...given } as unknown as typeof project.options;
    await expect(createReloadable(options)).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      details: { option },
    });
    expect(fs.readdirSync(folder.path)).toEqual([]);
  });
});

/** In place of the system's, so that what is left in it shows. */
function temporaryFolder(): Disposable & { readonly path: string } {
  const before = process.env['TMPDIR'];
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'napi-reload-kit-'));
  process.env['TMPDIR'] = folder;
  return {
    path: folder,
    [Symbol.dispose]() {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
      fs.rmSync(folder, { recursive: true });
    },
  };
}
