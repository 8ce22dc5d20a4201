import { once } from 'node:events';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { addonSource, compile, largeAddon, openStage, SHIM_PATH, scratch, shim, startNode } from './shim.ts';

/** Opens the directory named by the first argument, stages the shim into it, and prints the path. */
const STAGE_AND_PRINT = `
const opened = shim.stageOpen(process.argv[1], 'kernel');
Promise.resolve(shim.stageCopy(opened.handle, ${JSON.stringify(SHIM_PATH)}, 1, null)).then(() => {
  console.log(opened.path);
  LAST
});`;
const STAY = STAGE_AND_PRINT.replace('LAST', 'setInterval(() => {}, 1000);');
const EXIT = STAGE_AND_PRINT.replace('LAST', 'process.exit(0);');
const THROW = STAGE_AND_PRINT.replace(
  'LAST',
  "process.on('uncaughtException', () => process.exit(0)); throw 1;",
);

/** A child that leaves by exit(), which runs the static destructors of what its parent had loaded. */
const FORK = `
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void ForkAndWait(void) {
  pid_t child = fork();
  if (child == 0) {
    alarm(5);
    exit(0);
  }
  waitpid(child, 0, 0);
}`;

function mode(path: string): number {
  return lstatSync(path).mode & 0o777;
}

function entries(folder: string): string[] {
  return readdirSync(folder).filter((name) => name !== '.lock');
}

describe('stageOpen', () => {
  it('makes private directories, with those above them', () => {
    const stageDir = join(scratch(), 'a/b');
    const { path, swept } = openStage(stageDir, 'kernel');
    expect(path).toMatch(/\/a\/b\/kernel-\d+-[0-9a-f]{16}$/);
    expect([mode(stageDir), mode(path), mode(join(path, '.lock'))]).toEqual([0o700, 0o700, 0o600]);
    expect(swept).toEqual([]);
  });

  it('never uses a directory twice', () => {
    const stageDir = scratch();
    expect(openStage(stageDir).path).not.toBe(openStage(stageDir).path);
    expect(entries(stageDir)).toHaveLength(2);
  });

  it('cleans and bounds the name', () => {
    const stageDir = scratch();
    expect(basename(openStage(stageDir, '../ü b').path)).toMatch(/^\.\.____b-\d+-[0-9a-f]{16}$/);
    expect(basename(openStage(stageDir, 'x'.repeat(1000)).path)).toMatch(/^x{64}-\d+-/);
  });

  it('refuses a symbolic link', () => {
    const folder = scratch();
    const stageDir = join(folder, 'link');
    mkdirSync(join(folder, 'real'), { mode: 0o700 });
    symlinkSync(join(folder, 'real'), stageDir);
    const unsafe = { ok: false, kind: 'unsafe', path: stageDir, found: 'is a symbolic link' };
    expect(shim.stageOpen(stageDir, 'kernel')).toEqual(unsafe);
    expect(shim.stageOpen(`${stageDir}/`, 'kernel')).toEqual(unsafe);
  });

  it.each([
    ['is writable by its group (mode 0770)', 0o770],
    ['is writable by everyone (mode 0777)', 0o777],
  ])('refuses a directory that %s', (found, bits) => {
    const stageDir = scratch();
    chmodSync(stageDir, bits);
    expect(shim.stageOpen(stageDir, 'kernel')).toEqual({ ok: false, kind: 'unsafe', path: stageDir, found });
  });

  it('refuses a directory of another user', () => {
    const own = process.geteuid?.() ?? 0;
    const other = own === 0 ? 65534 : 0;
    const stageDir = own === 0 ? scratch() : '/';
    if (own === 0) chownSync(stageDir, other, other);
    expect(shim.stageOpen(stageDir, 'kernel')).toMatchObject({
      kind: 'unsafe',
      found: `is owned by uid ${other}, not ${own}`,
    });
  });

  it('gives a failure when a file is in the way', () => {
    const file = join(scratch(), 'file');
    writeFileSync(file, '');
    expect(shim.stageOpen(file, 'kernel')).toMatchObject({ kind: 'io', errno: 'ENOTDIR', path: file });
    const below = join(file, 'below');
    expect(shim.stageOpen(below, 'kernel')).toMatchObject({
      kind: 'io',
      operation: 'mkdir',
      errno: 'ENOTDIR',
    });
  });

  it('throws when an argument is wrong', () => {
    expect(() => shim.stageOpen('', 'kernel')).toThrow(TypeError);
    expect(() => shim.stageOpen('/tmp/a\0b', 'kernel')).toThrow(TypeError);
    expect(() => shim.stageOpen(1 as unknown as string, 'kernel')).toThrow(TypeError);
  });
});

describe('sweeping', () => {
  it('removes the directory of a process that was killed, and no living one', async () => {
    const stageDir = scratch();
    const [dead, deadPath] = await startNode(STAY, stageDir);
    const [, livePath] = await startNode(STAY, stageDir);
    dead.kill('SIGKILL');
    await once(dead, 'exit');
    expect(entries(deadPath)).toHaveLength(1);
    expect(openStage(stageDir).swept).toEqual([basename(deadPath)]);
    expect(existsSync(deadPath)).toBe(false);
    expect(entries(livePath)).toHaveLength(1);
  });

  it('removes a directory of ours without a lock, and leaves everything else', () => {
    const stageDir = scratch();
    const ours = 'kernel-123-0123456789abcdef';
    const others = [
      'kernel',
      'kernel-123',
      'kernel-x-0123456789abcdef',
      'kernel-1-0123456789ABCDEF',
      'photos',
    ];
    for (const name of [ours, ...others]) mkdirSync(join(stageDir, name));
    writeFileSync(join(stageDir, ours, '1-aaaaaaaaaaaaaaaa.node'), '');
    writeFileSync(join(stageDir, 'file-1-0123456789abcdef'), '');
    const { swept, path } = openStage(stageDir);
    expect(swept).toEqual([ours]);
    expect(entries(stageDir).sort()).toEqual([...others, 'file-1-0123456789abcdef', basename(path)].sort());
  });

  it('follows no symbolic link', () => {
    const stageDir = scratch();
    const elsewhere = scratch();
    const kept = join(elsewhere, 'kept');
    writeFileSync(kept, '');
    symlinkSync(elsewhere, join(stageDir, 'kernel-1-0123456789abcdef'));
    mkdirSync(join(stageDir, 'kernel-2-0123456789abcdef'));
    symlinkSync(kept, join(stageDir, 'kernel-2-0123456789abcdef', 'link'));
    expect(openStage(stageDir).swept).toEqual(['kernel-2-0123456789abcdef']);
    expect(existsSync(kept)).toBe(true);
  });
});

describe('stageOpen below a folder that others may rename', () => {
  it('refuses it', () => {
    const open = join(scratch(), 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    expect(shim.stageOpen(join(open, 'stage'), 'kernel')).toMatchObject({
      kind: 'unsafe',
      found: expect.stringContaining('where everyone may rename it'),
    });
  });

  it('accepts it where only owners may rename, as in /tmp', () => {
    const sticky = join(scratch(), 'sticky');
    mkdirSync(sticky);
    chmodSync(sticky, 0o1777);
    expect(openStage(join(sticky, 'stage')).ok).toBe(true);
  });
});

describe('stageClose', () => {
  it('removes the directory with all in it, once or twice', async () => {
    const stageDir = scratch();
    const { handle, path } = openStage(stageDir);
    await shim.stageCopy(handle, SHIM_PATH, 1, null);
    shim.stageClose(handle);
    shim.stageClose(handle);
    expect(existsSync(path)).toBe(false);
    expect(entries(stageDir)).toEqual([]);
  });

  it('makes a copy in progress fail, and leaves nothing', async () => {
    const stageDir = scratch();
    const { handle } = openStage(stageDir);
    const copy = shim.stageCopy(handle, largeAddon(scratch()), 1, null);
    expect(copy).toBeInstanceOf(Promise);
    shim.stageClose(handle);
    expect(await copy).toMatchObject({ ok: false, kind: 'io', errno: 'ECANCELED' });
    expect(await shim.stageCopy(handle, SHIM_PATH, 2, null)).toMatchObject({ errno: 'ECANCELED' });
    expect(entries(stageDir)).toEqual([]);
  });

  it.each([
    ['process.exit()', EXIT],
    ['an exception nobody catches', THROW],
    ['the end of its work', STAGE_AND_PRINT.replace('LAST', '')],
  ])('is not needed when the process ends by %s', async (_, script) => {
    const stageDir = scratch();
    const [child, path] = await startNode(script, stageDir);
    if (child.exitCode === null) await once(child, 'exit');
    expect(path).toContain(stageDir);
    expect(entries(stageDir)).toEqual([]);
  });

  it('is not needed when a Worker ends', async () => {
    const stageDir = scratch();
    const script = `const { parentPort, workerData } = require('node:worker_threads');
      const shim = require(workerData.shim);
      parentPort.postMessage(shim.stageOpen(workerData.stageDir, 'kernel').path);`;
    const worker = new Worker(script, { eval: true, workerData: { shim: SHIM_PATH, stageDir } });
    const [[path]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
    expect(path).toContain(stageDir);
    expect(entries(stageDir)).toEqual([]);
  });

  it('is not needed when a Worker ends in the middle of a copy', async () => {
    const stageDir = scratch();
    const script = `const { Worker } = require('node:worker_threads');
      const code = "const shim = require(" + JSON.stringify(${JSON.stringify(SHIM_PATH)}) + ");" +
        "const { handle } = shim.stageOpen(process.argv[2], 'kernel');" +
        "for (let id = 1; id <= 8; id += 1) shim.stageCopy(handle, process.argv[3], id, null);" +
        "process.exit();";
      new Worker(code, { eval: true, argv: [process.argv[1], ${JSON.stringify(largeAddon(scratch()))}] })
        .on('exit', () => console.log('ended'));`;
    const [child, line] = await startNode(script, stageDir);
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    expect([line, child.exitCode, child.signalCode]).toEqual(['ended', 0, null]);
    expect(entries(stageDir)).toEqual([]);
  });

  it('is no business of a forked process that exits', async () => {
    const folder = scratch();
    const fork = compile(folder, 'fork', addonSource(FORK), ['-DINIT=ForkAndWait();']);
    const script = `const opened = shim.stageOpen(process.argv[1], 'kernel');
      require(process.argv[2]);
      console.log(require('node:fs').existsSync(opened.path));`;
    const [, line] = await startNode(script, join(folder, 'stage'), fork);
    expect(line).toBe('true');
  });
});

/** Runs `script` in a mount namespace of its own, where `folder` is a tmpfs with these options. */
function withMount(folder: string, options: string, script: string): unknown {
  const prelude = `const shim = require(${JSON.stringify(SHIM_PATH)});`;
  const mount = `mount -t tmpfs -o ${options} none '${folder}' && exec "$0" -e "$1" '${folder}'`;
  return JSON.parse(
    execFileSync('unshare', ['-rm', 'sh', '-c', mount, process.execPath, prelude + script], {
      encoding: 'utf8',
    }),
  );
}

const CAN_MOUNT = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

describe.skipIf(!CAN_MOUNT)(
  `a file system that can not take a version${CAN_MOUNT ? '' : ' (nobody may mount here)'}`,
  () => {
    it('is refused when it is mounted noexec', () => {
      const folder = scratch();
      const script = `console.log(JSON.stringify(shim.stageOpen(process.argv[1], 'kernel')));`;
      expect(withMount(folder, 'noexec,mode=700', script)).toMatchObject({
        kind: 'io',
        operation: 'statvfs',
        errno: 'ENOEXEC',
        path: folder,
      });
    });

    it('keeps nothing when it is full', () => {
      const folder = scratch();
      const script = `const { handle, path } = shim.stageOpen(process.argv[1], 'kernel');
      Promise.resolve(shim.stageCopy(handle, ${JSON.stringify(SHIM_PATH)}, 1, null)).then((result) => {
        const left = require('node:fs').readdirSync(path);
        console.log(JSON.stringify({ ...result, left }));
      });`;
      expect(withMount(folder, 'size=64k,mode=700', script)).toMatchObject({
        kind: 'io',
        operation: 'write',
        errno: 'ENOSPC',
        left: ['.lock'],
      });
    });
  },
);
