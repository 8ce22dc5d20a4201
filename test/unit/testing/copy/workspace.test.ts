/** The copy of a project: what is in it, what leads out of it, and what an edit may be. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { sweep, WORKSPACE_PREFIX } from '../../../../src/testing/copy/leftovers.ts';
import { isMountedNoExec } from '../../../../src/testing/copy/noexec.ts';
import { ownerToken } from '../../../../src/testing/copy/owner.ts';
import { Workspace } from '../../../../src/testing/copy/workspace.ts';
import { type ResolvedKit, resolveKit } from '../../../../src/testing/options.ts';
import { createScratch, type Scratch } from '../../../support/addons.ts';
import { compiledUrl } from '../../../support/compiled.ts';
import { makeKitProject, snapshot } from '../../../support/kits.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

function kitOf(scratch: Scratch, more: object = {}): ResolvedKit {
  return resolveKit({ root: scratch.file('packages/kernel'), addon: 'build/Release/kernel.node', ...more });
}

function writeProject(scratch: Scratch): void {
  for (const [name, text] of Object.entries({
    'binding.gyp': '{}',
    'kernel.test.mjs': '',
    'README.md': '',
    '.npmrc': '',
    'src/kernel.cc': 'int kernel = 1;\n',
    'src/build/made.h': 'int made = 1;\n',
    'deps/lib.h': 'int lib = 1;\n',
    'build/Release/kernel.node': 'old',
    'node_modules/own/index.js': 'module.exports = "own";',
    '.git/HEAD': 'ref',
  }))
    scratch.write(`packages/kernel/${name}`, text);
  scratch.write('node_modules/shared/index.js', 'module.exports = "shared";');
}

describe('a copy', () => {
  test('has all of the project but packages, hidden files, tests, and what builds write', async () => {
    using scratch = createScratch();
    writeProject(scratch);
    const copy = await Workspace.create(kitOf(scratch));
    expect(copy.files()).toEqual(['binding.gyp', 'deps/lib.h', 'src/build/made.h', 'src/kernel.cc']);
    await copy.remove();
  });

  test('has the files of the root that a build may read, and the sources that are named', async () => {
    using scratch = createScratch();
    writeProject(scratch);
    const copy = await Workspace.create(kitOf(scratch, { source: ['src'] }));
    expect(copy.files()).toEqual(['binding.gyp', 'src/build/made.h', 'src/kernel.cc']);
    await copy.remove();
  });

  test('has no file that a run writes beside the sources that are named', async () => {
    using scratch = createScratch();
    writeProject(scratch);
    for (const name of ['package.json', 'junit.xml', 'report.json', 'debug.log', 'deps.mk'])
      scratch.write(`packages/kernel/${name}`, '{}');
    const copy = await Workspace.create(kitOf(scratch, { source: 'src' }));
    expect(copy.files().filter((name) => !name.startsWith('src/'))).toEqual([
      'binding.gyp',
      'deps.mk',
      'package.json',
    ]);
    await copy.remove();
    const all = await Workspace.create(kitOf(scratch));
    expect(all.files().filter((name) => /junit|\.log$/.test(name))).toEqual([]);
    await all.remove();
  });

  test.each([
    ['all of it', {}],
    ['a source', { source: ['packages/kernel', 'packages/other'] }],
  ])('of a workspace leaves out the output of the addon alone, with %s', async (_, more) => {
    using scratch = createScratch();
    writeProject(scratch);
    scratch.write('packages/other/src/other.cc', 'int other;');
    scratch.write('packages/kernel/src/old.node', 'old');
    const addon = 'packages/kernel/build/Release/kernel.node';
    const copy = await Workspace.create(resolveKit({ root: scratch.path, addon, ...more }));
    const files = copy.files();
    expect(files).toEqual(
      expect.arrayContaining(['packages/kernel/src/kernel.cc', 'packages/other/src/other.cc']),
    );
    expect(files.filter((name) => name.startsWith('packages/kernel/build'))).toEqual([]);
    await copy.remove();
  });

  test('leaves out an addon that lies among sources, and nothing else of its folder', async () => {
    using scratch = createScratch();
    writeProject(scratch);
    scratch.write('packages/kernel/src/kernel.node', 'old');
    for (const source of [undefined, 'src']) {
      const copy = await Workspace.create(
        kitOf(scratch, { addon: 'src/kernel.node', ...(source && { source }) }),
      );
      expect(copy.files().filter((name) => name.startsWith('src'))).toEqual([
        'src/build/made.h',
        'src/kernel.cc',
      ]);
      await copy.remove();
    }
  });

  test('is refused where the folder to build in is not in it', async () => {
    using scratch = createScratch();
    writeProject(scratch);
    const build = { command: 'make', cwd: 'deps' };
    await expect(Workspace.create(kitOf(scratch, { source: 'src', build }))).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      details: { option: 'build.cwd' },
      message: expect.stringContaining('"deps", which was not copied') as string,
    });
  });

  test('finds packages as the project does, from each folder above it', async () => {
    using scratch = createScratch();
    writeProject(scratch);
    const copy = await Workspace.create(kitOf(scratch));
    const script = "console.log(require('own'), require('shared'))";
    const found = execFileSync(process.execPath, ['-p', script], { cwd: copy.root, encoding: 'utf8' });
    expect(found.split('\n')[0]).toBe('own shared');
    expect(fs.existsSync(path.join(copy.root, '../../node_modules/shared/index.js'))).toBe(true);
    await copy.remove();
    expect(fs.existsSync(scratch.file('node_modules/shared/index.js'))).toBe(true);
  });

  test('finds the package that it is a folder of by its name, as the project does', async () => {
    using scratch = createScratch();
    writeProject(scratch);
    scratch.write('package.json', '{ "name": "@own/whole", "exports": "./index.js" }');
    scratch.write('index.js', 'module.exports = "whole";');
    const find = (cwd: string): string =>
      execFileSync(process.execPath, ['-p', "require('@own/whole')"], { cwd, encoding: 'utf8' });
    const copy = await Workspace.create(kitOf(scratch));
    expect([find(scratch.file('packages/kernel')), find(copy.root)]).toEqual(['whole\n', 'whole\n']);
    await copy.remove();
    expect(fs.existsSync(scratch.file('index.js'))).toBe(true);
  });

  test('has what links lead to, so that an edit does not reach the file itself, and ends where they go round', async () => {
    using scratch = createScratch();
    writeProject(scratch);
    const target = scratch.write('elsewhere.cc', 'int elsewhere = 1;\n');
    fs.symlinkSync(target, scratch.file('packages/kernel/src/linked.cc'));
    fs.symlinkSync('.', scratch.file('packages/kernel/src/round'));
    const copy = await Workspace.create(kitOf(scratch, { source: 'src' }));
    await copy.edit('src/linked.cc', (text) => text.replace('1', '2'));
    expect(copy.files()).toContain('src/linked.cc');
    expect(copy.files().filter((name) => name.includes('round'))).toEqual([]);
    expect(fs.readFileSync(target, 'utf8')).toBe('int elsewhere = 1;\n');
    await copy.remove();
  });
});

describe('edit', () => {
  const edits: readonly (readonly [string, string, (text: string) => string, string])[] = [
    ['of a file that was not copied', 'kernel.cc', (text) => `${text}//`, 'did you mean "src/kernel.cc"?'],
    ['outside of the copy', '../../../../etc/passwd', (text) => `${text}//`, 'a path below the root'],
    [
      'that changes nothing',
      'src/kernel.cc',
      (text) => text.replace('kernle', 'x'),
      'left "src/kernel.cc" as it was',
    ],
    [
      'that returns nothing',
      'src/kernel.cc',
      () => undefined as unknown as string,
      'the new text of "src/kernel.cc"',
    ],
    ['of what is no text', 'src/data.bin', (text) => `${text}//`, 'not UTF-8'],
  ];

  test.each(edits)('%s is refused', async (_, file, change, message) => {
    using scratch = createScratch();
    writeProject(scratch);
    scratch.write('packages/kernel/src/data.bin', Uint8Array.of(0xff, 0xfe, 0x00));
    const copy = await Workspace.create(kitOf(scratch));
    await expect(copy.edit(file, change)).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message: expect.stringContaining(message) as string,
    });
    expect(fs.readFileSync(path.join(copy.root, 'src/kernel.cc'), 'utf8')).toBe('int kernel = 1;\n');
    await copy.remove();
  });

  test('does not meet another one of the same file', async () => {
    using scratch = createScratch();
    writeProject(scratch);
    const copy = await Workspace.create(kitOf(scratch));
    const edits = ['a', 'b', 'c'].map((name) =>
      copy.edit('src/kernel.cc', (text) => `${text}int ${name};\n`),
    );
    const refused = copy.edit('src/kernel.cc', (text) => text).catch(() => 'refused');
    await Promise.all([...edits, copy.edit('src/kernel.cc', (text) => `${text}int d;\n`)]);
    expect(await refused).toBe('refused');
    expect(fs.readFileSync(path.join(copy.root, 'src/kernel.cc'), 'utf8')).toBe(
      'int kernel = 1;\nint a;\nint b;\nint c;\nint d;\n',
    );
    await copy.remove();
  });

  test('changes a file that nobody may write, and keeps a byte order mark', async () => {
    using scratch = createScratch();
    writeProject(scratch);
    fs.chmodSync(scratch.write('packages/kernel/src/marked.cc', '\ufeffint marked = 1;\n'), 0o444);
    const copy = await Workspace.create(kitOf(scratch));
    await copy.edit('src/marked.cc', (text) => text.replace('1', '2'));
    expect(fs.readFileSync(path.join(copy.root, 'src/marked.cc'), 'utf8')).toBe('\ufeffint marked = 2;\n');
    await copy.remove();
  });
});

describe('write', () => {
  test.each(['../out.h', '', 'node_modules/own/index.js', 'node_modules/new/index.js'])(
    'to "%s" is refused',
    async (name) => {
      using scratch = createScratch();
      writeProject(scratch);
      const before = snapshot(scratch.path);
      const copy = await Workspace.create(kitOf(scratch));
      await expect(copy.write(name, 'x')).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
      await copy.remove();
      expect(snapshot(scratch.path)).toEqual(before);
    },
  );
});

describe('what killed processes have left', () => {
  const gone = execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).trim();
  const [own = '', start = '', place = ''] = ownerToken().split('-');

  test.each([
    ['goes at once when its process has gone', `${gone}-${start}-${place}`, 0, false],
    ['goes at once when another process has that id by now', `${own}-1-${place}`, 0, false],
    ['stays while its process runs', ownerToken(), 2 * DAY_MS, true],
    ['stays while it may be that of another container', `${gone}-${start}-0123456789ab`, 0, true],
    ['goes when it is old and nobody has that id', `${gone}-${start}-0123456789ab`, 2 * DAY_MS, false],
    ['stays where nothing tells whose it is', gone, 0, true],
  ])('%s', async (_, owner, ageMs, stays) => {
    using scratch = createScratch();
    const file = scratch.write(`${WORKSPACE_PREFIX}${owner}-x1Y2z3/x`, '');
    const time = (Date.now() - ageMs) / 1_000;
    fs.utimesSync(path.dirname(file), time, time);
    await sweep(scratch.path, Date.now());
    expect(fs.existsSync(file)).toBe(stays);
  });
});

describe('a process that ends before its tests have', () => {
  /** Opens a kit, and waits for a signal, which `listener` may handle. @returns how it ended, and what it left */
  async function kill(signal: NodeJS.Signals, listener: string) {
    using project = makeKitProject();
    const temporary = project.scratch.file('tmp');
    fs.mkdirSync(temporary);
    const script = `import { createReloadable } from ${JSON.stringify(compiledUrl('testing/testing.js'))};
      ${listener}
      const kit = await createReloadable(${JSON.stringify(project.options)});
      console.log(kit.root);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.stdout.resume();
    expect(fs.readdirSync(temporary)).toHaveLength(1);
    child.kill(signal);
    const [code, by] = await once(child, 'exit');
    const left = fs.readdirSync(temporary).length;
    await sweep(temporary, Date.now());
    return { code, by, left, swept: fs.readdirSync(temporary).length };
  }

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'leaves no copy by %s, and ends by it',
    async (signal) => {
      expect(await kill(signal, '')).toEqual({ code: null, by: signal, left: 0, swept: 0 });
    },
  );

  test('leaves a signal to whoever else listens to it', async () => {
    const listener = "process.on('SIGTERM', () => setImmediate(() => process.exit(7)));";
    expect(await kill('SIGTERM', listener)).toEqual({ code: 7, by: null, left: 0, swept: 0 });
  });

  test('leaves one by SIGKILL, which the next run sweeps at once', async () => {
    expect(await kill('SIGKILL', '')).toEqual({ code: null, by: 'SIGKILL', left: 1, swept: 0 });
  });
});

describe('a file system from which no code can be loaded', () => {
  const MOUNTS = [
    '21 1 0:20 / / rw,relatime - ext4 /dev/vda1 rw',
    '22 21 0:21 / /tmp rw,nosuid,nodev,noexec - tmpfs tmpfs rw',
    '23 22 0:22 / /tmp/with\\040blank rw,nosuid - tmpfs tmpfs rw',
    '24 21 0:23 / /mnt rw,noexec - tmpfs tmpfs rw',
    '25 21 0:24 / /mnt rw - tmpfs tmpfs rw',
    '',
  ].join('\n');

  test.each([
    ['/home/user', false],
    ['/tmp', true],
    ['/tmp/deep/below', true],
    ['/tmp/with blank/x', false],
    ['/tmpfs', false],
    ['/mnt/x', false],
  ])('is told of %s', (folder, isNoExec) => {
    expect(isMountedNoExec(folder, MOUNTS)).toBe(isNoExec);
  });
});
