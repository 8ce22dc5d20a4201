/** Private libraries as a part of their version: what is a change, what is refused, what is left of them. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Addon, type OpenOptions, open, type ReloadedReport } from '../../../src/index.ts';
import { createScratch, type Scratch } from '../../support/addons.ts';
import { type LibraryUser, LinkFolder, RUNPATH, versionCode } from '../../support/libraries.ts';

let scratch: Scratch;
let built: LinkFolder;

beforeEach(() => {
  scratch = createScratch();
  built = new LinkFolder(scratch);
  built.library('libcore.so', versionCode(1));
  built.addon([...built.against('libcore.so'), ...RUNPATH]);
});

afterEach(() => scratch[Symbol.dispose]());

const openUser = (options: OpenOptions = {}): Promise<Addon<LibraryUser>> =>
  open<LibraryUser>(scratch.file('addon.node'), { stageDir: scratch.file('stage'), ...options });
const sha256 = (file: string) => createHash('sha256').update(fs.readFileSync(file)).digest('hex');
const next = <T>(addon: Addon<LibraryUser>, event: 'reloaded' | 'unchanged' | 'failed') =>
  new Promise<T>((resolve) => addon.once(event, (value) => resolve(value as T)));

/** Names in the one directory of copies, without the lock. */
function staged(): readonly string[] {
  const folders = fs.readdirSync(scratch.file('stage')).filter((name) => name !== '.lock');
  return folders.flatMap((name) =>
    fs.readdirSync(path.join(scratch.file('stage'), name)).filter((file) => file !== '.lock'),
  );
}

/** As somebody left it long ago. */
function writeOld(name: string, bytes: Uint8Array | string): void {
  const file = scratch.write(name, bytes);
  fs.utimesSync(file, 1e9, 1e9);
}

describe('reload()', () => {
  test('runs the library that was rebuilt alone, and nothing when neither file has other bytes', async () => {
    await using addon = await openUser();
    const { libraryVersion } = addon.exports;
    expect(await addon.reload()).toMatchObject({ status: 'unchanged', reason: 'live' });
    built.library('libcore.so', versionCode(2));
    const report = await addon.reload();
    expect(report).toMatchObject({ status: 'reloaded', to: 2, retired: { id: 1, outcome: 'unloaded' } });
    expect(libraryVersion()).toBe(2);
    expect(await addon.reload()).toMatchObject({ status: 'unchanged', to: 2 });
  });

  test('tells the hash of the addon and of each library', async () => {
    await using addon = await openUser();
    const { hash, libraries, stagedHash, path: copy } = addon.current;
    expect(hash).toBe(sha256(scratch.file('addon.node')));
    const source = fs.realpathSync(scratch.file('libcore.so'));
    expect(libraries).toEqual([{ source, hash: sha256(source) }]);
    expect(stagedHash).toBe(sha256(copy));
    expect(stagedHash).not.toBe(hash);
  });

  test('goes back to an earlier library', async () => {
    await using addon = await openUser();
    for (const version of [2, 1, 2]) {
      built.library('libcore.so', versionCode(version));
      await addon.reload();
      expect(addon.exports.libraryVersion()).toBe(version);
    }
  });

  test('of an addon of more than a mebibyte looks at its libraries too', async () => {
    fs.appendFileSync(scratch.file('addon.node'), Buffer.alloc(2 ** 21));
    await using addon = await openUser();
    expect(await addon.reload()).toMatchObject({ status: 'unchanged' });
    built.library('libcore.so', versionCode(2));
    expect(await addon.reload()).toMatchObject({ status: 'reloaded' });
    expect(addon.exports.libraryVersion()).toBe(2);
  });

  test('says that nothing changed where the libraries stay in place, as with reclaim "never"', async () => {
    built.addon([...built.against('libcore.so'), `-Wl,-rpath,${scratch.path}`]);
    await using addon = await openUser({ reclaim: 'never' });
    built.library('libcore.so', versionCode(2));
    expect(await addon.reload()).toMatchObject({ status: 'unchanged' });
    expect(addon.current.libraries).toEqual([]);
  });
});

describe('a watched addon', () => {
  const watch = { debounceMs: 5 };

  test('reloads when a library is saved', async () => {
    await using addon = await openUser({ watch });
    for (const version of [2, 3]) {
      const reloaded = next<ReloadedReport>(addon, 'reloaded');
      built.library('libcore.so', versionCode(version));
      await reloaded;
      expect(addon.exports.libraryVersion()).toBe(version);
    }
  });

  test('sees a library that changed after it was first staged, before it was watched', async () => {
    let isEdited = false;
    const onProgress: OpenOptions['onProgress'] = ({ phase }) => {
      if (isEdited || phase !== 'load') return;
      isEdited = true;
      built.library('libcore.so', versionCode(2));
    };
    await using addon = await openUser({ watch, onProgress });
    if (addon.exports.libraryVersion() === 1) await next(addon, 'reloaded');
    expect(addon.exports.libraryVersion()).toBe(2);
  });

  test('waits until a library is whole', async () => {
    await using addon = await openUser({ watch });
    const whole = fs.readFileSync(built.library('other/libcore.so', versionCode(2)));
    const looked = new Promise<void>((resolve) =>
      addon.on('progress', ({ phase }) => phase === 'stage' && resolve()),
    );
    const reloaded = next(addon, 'reloaded');
    fs.rmSync(scratch.file('libcore.so'));
    scratch.write('libcore.so', whole.subarray(0, whole.length / 2));
    await looked;
    fs.writeFileSync(scratch.file('libcore.so'), whole);
    await reloaded;
    expect(addon.exports.libraryVersion()).toBe(2);
  });

  test('follows a link that leads to another library', async () => {
    fs.renameSync(scratch.file('libcore.so'), scratch.file('libcore.so.1'));
    fs.symlinkSync('libcore.so.1', scratch.file('libcore.so'));
    await using addon = await openUser({ watch });
    expect(addon.current.libraries[0]?.source).toMatch(/libcore\.so\.1$/);
    fs.renameSync(built.library('libcore.so.2', versionCode(2)), scratch.file('libcore.so.two'));
    const reloaded = next(addon, 'reloaded');
    fs.symlinkSync('libcore.so.two', scratch.file('link'));
    fs.renameSync(scratch.file('link'), scratch.file('libcore.so'));
    await reloaded;
    expect(addon.exports.libraryVersion()).toBe(2);
  });

  test('does not try a library again that was refused, until it is another', async () => {
    await using addon = await openUser({ watch });
    const failed = next<{ code: string }>(addon, 'failed');
    const broken = fs.readFileSync(
      built.library('other/libcore.so', versionCode('nobody_has_this()', 'nobody_has_this')),
    );
    const save = (bytes: Uint8Array) => {
      fs.renameSync(scratch.write('other/new', bytes), scratch.file('libcore.so'));
    };
    save(broken);
    expect(await failed).toMatchObject({ code: 'ERR_UNDEFINED_SYMBOL' });
    const unchanged = next(addon, 'unchanged');
    save(broken);
    expect(await unchanged).toMatchObject({ reason: 'rejected' });
    expect(addon.exports.libraryVersion()).toBe(1);
    expect(staged()).toHaveLength(2);
    const reloaded = next(addon, 'reloaded');
    built.library('libcore.so', versionCode(2));
    await reloaded;
    expect(addon.exports.libraryVersion()).toBe(2);
  });

  test('builds once for an edit when its build links the library too', async () => {
    const link = `gcc -shared -fPIC -Wl,-soname,libcore.so libcore.so.c -DNOW=$(date +%N) -o libcore.so`;
    const script = `echo >> builds; ${link}; date +%N >> libcore.so`;
    const build = { command: 'sh', args: ['-c', script], cwd: scratch.path };
    const paths = [scratch.file('libcore.so.c')];
    await using addon = await openUser({ build, watch: { ...watch, paths } });
    for (const version of [2, 3]) {
      const reloaded = next(addon, 'reloaded');
      scratch.write('libcore.so.c', versionCode(version));
      await reloaded;
      expect(addon.exports.libraryVersion()).toBe(version);
    }
    // The queue runs what a wrong guess would have asked for before this.
    await addon.reload();
    expect(fs.readFileSync(scratch.file('builds'), 'utf8')).toHaveLength(4);
  });
});

describe('a library that cannot be staged', () => {
  test('is ERR_STAGE_INCOMPLETE when it is not whole, and the version before serves', async () => {
    await using addon = await openUser();
    const whole = fs.readFileSync(scratch.file('libcore.so'));
    fs.rmSync(scratch.file('libcore.so'));
    writeOld('libcore.so', whole.subarray(0, whole.length - 9));
    await expect(addon.reload()).rejects.toMatchObject({
      code: 'ERR_STAGE_INCOMPLETE',
      details: { path: scratch.file('libcore.so') },
    });
    expect(addon.exports.libraryVersion()).toBe(1);
    expect(staged()).toHaveLength(2);
  });

  test('is ERR_LOAD_FAILED when it is no library', async () => {
    writeOld('libcore.so', 'INPUT(libcore.a)\n');
    await expect(openUser()).rejects.toMatchObject({
      code: 'ERR_LOAD_FAILED',
      details: { path: scratch.file('libcore.so'), found: 'the private library is text' },
    });
  });
});

describe('integrity', () => {
  test('asks the function about each file, with its path', async () => {
    const asked: string[] = [];
    const integrity = (bytes: Uint8Array, file: string) => {
      asked.push(file);
      return Buffer.compare(bytes, fs.readFileSync(file)) === 0;
    };
    await using addon = await openUser({ integrity });
    expect(asked).toEqual([scratch.file('addon.node'), fs.realpathSync(scratch.file('libcore.so'))]);
    expect(addon.exports.libraryVersion()).toBe(1);
  });

  test('refuses a library that the function refuses', async () => {
    const opened = openUser({ integrity: (_, file) => !file.endsWith('.so') });
    const path = fs.realpathSync(scratch.file('libcore.so'));
    await expect(opened).rejects.toMatchObject({ code: 'ERR_INTEGRITY', details: { path } });
  });

  test('refuses libraries beside a digest, which names the addon alone', async () => {
    const bytes = fs.readFileSync(scratch.file('addon.node'));
    const integrity = `sha256-${createHash('sha256').update(bytes).digest('base64')}`;
    await expect(openUser({ integrity })).rejects.toMatchObject({
      code: 'ERR_INTEGRITY',
      details: { wanted: 'no private libraries' },
    });
  });

  test('refuses a library that is another after the function saw it', async () => {
    const integrity = (_: Uint8Array, file: string) => {
      if (file.endsWith('.so')) built.library('libcore.so', versionCode(2));
      return true;
    };
    await expect(openUser({ integrity })).rejects.toMatchObject({ code: 'ERR_STAGE_INCOMPLETE' });
  });

  test('refuses a library that is loaded in place', async () => {
    const opened = openUser({ integrity: () => true, reclaim: 'never' });
    await expect(opened).rejects.toMatchObject({
      code: 'ERR_INTEGRITY',
      details: { wanted: 'bytes that nobody else can change' },
    });
  });
});

describe('the copies of libraries', () => {
  test('are deleted when their version is unloaded, refused or closed', async () => {
    const addon = await openUser({ history: 0 });
    expect(staged()).toHaveLength(2);
    built.library('libcore.so', versionCode(2));
    await addon.reload();
    expect(staged()).toHaveLength(2);
    built.library('libcore.so', versionCode('nobody_has_this()', 'nobody_has_this'));
    await expect(addon.reload()).rejects.toMatchObject({ code: 'ERR_UNDEFINED_SYMBOL' });
    expect(staged()).toHaveLength(2);
    await addon.close();
    expect(staged()).toEqual([]);
  });

  test('belong to one handle each', async () => {
    built.library('libcore.so', 'int library_version(void) { static int calls; return ++calls; }');
    built.addon([...built.against('libcore.so'), ...RUNPATH, '-DVERSION=2'], 'second.node');
    await using first = await openUser();
    await using second = await open<LibraryUser>(scratch.file('second.node'), {
      stageDir: scratch.file('stage'),
    });
    expect([first.exports.libraryVersion(), first.exports.libraryVersion()]).toEqual([1, 2]);
    expect(second.exports.libraryVersion()).toBe(1);
    const libraries = staged().filter((name) => !name.endsWith('.node'));
    expect(new Set(libraries).size).toBe(2);
  });
});

describe('a version that is gone back to', () => {
  test('has the library that it had, whatever has become of the files', async () => {
    await using addon = await openUser();
    const { hash, libraries } = addon.current;
    built.library('libcore.so', versionCode(2));
    await addon.reload();
    fs.rmSync(scratch.file('libcore.so'));
    fs.rmSync(scratch.file('addon.node'));
    expect(await addon.rollback()).toMatchObject({ restored: 1, retired: { id: 2, outcome: 'unloaded' } });
    expect(addon.exports.libraryVersion()).toBe(1);
    expect(addon.current).toMatchObject({ id: 3, hash, libraries });
    // Its library has a name of its own once more, and so have those of the two that are held.
    expect(new Set(staged()).size).toBe(6);
    await addon.reload({ to: 2 });
    expect(addon.exports.libraryVersion()).toBe(2);
  });

  test('is asked about by the bytes that its library had', async () => {
    const asked: string[] = [];
    const integrity = (bytes: Uint8Array, file: string) => {
      asked.push(`${path.basename(file)} ${createHash('sha256').update(bytes).digest('hex')}`);
      return true;
    };
    await using addon = await openUser({ integrity });
    const first = [...asked];
    built.library('libcore.so', versionCode(2));
    await addon.reload();
    const second = asked.slice(first.length);
    await addon.rollback();
    expect(addon.exports.libraryVersion()).toBe(1);
    expect(asked.slice(first.length + second.length)).toEqual(first);
    expect(first).toHaveLength(2);
    expect(second[1]).not.toBe(first[1]);
  });

  test('is held no more when its library was deleted from the stage directory', async () => {
    await using addon = await openUser();
    const [library = ''] = staged().filter((name) => !name.endsWith('.node'));
    built.library('libcore.so', versionCode(2));
    await addon.reload();
    fs.rmSync(path.join(path.dirname(addon.current.path), library));
    await expect(addon.rollback()).rejects.toMatchObject({ code: 'ERR_NO_SUCH_VERSION' });
    expect([addon.history(), addon.exports.libraryVersion()]).toEqual([[], 2]);
  });

  test('is watched for the libraries of the built file, not for its own', async () => {
    await using addon = await openUser({ watch: { debounceMs: 5 } });
    const reloaded = next<ReloadedReport>(addon, 'reloaded');
    built.library('libcore.so', versionCode(2));
    await reloaded;
    await addon.rollback();
    const again = next<ReloadedReport>(addon, 'reloaded');
    built.library('libcore.so', versionCode(3));
    expect((await again).restored).toBe(null);
    expect(addon.exports.libraryVersion()).toBe(3);
  });
});
