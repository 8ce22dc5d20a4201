/** What is built is kept by what it was made from: other bytes, flags, headers or compilers are another build. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import promises from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { CLOCK_STEP_MS } from '../../../../src/build/files.ts';
import { BuildCache, type Made } from '../../../../src/testing/cache/build-cache.ts';
import { BuildKey, hashOf } from '../../../../src/testing/cache/build-key.ts';
import { Places } from '../../../../src/testing/cache/places.ts';
import { Workspace } from '../../../../src/testing/copy/workspace.ts';
import { resolveKit } from '../../../../src/testing/options.ts';
import { createReloadable, type ReloadableOptions } from '../../../../src/testing/testing.ts';
import { createScratch } from '../../../support/addons.ts';
import { compiledUrl } from '../../../support/compiled.ts';
import { KIT_SCRIPT, type KitProject, makeKitProject, type Total } from '../../../support/kits.ts';
import { until } from '../../../support/until.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** @returns what the addon says, opened from a new copy */
async function versionOf(options: ReloadableOptions): Promise<number> {
  await using kit = await createReloadable<Total>(options);
  return kit.addon.exports.version();
}

function editProject({ scratch, root }: KitProject, from: string, to: string): void {
  const text = fs.readFileSync(path.join(root, KIT_SCRIPT), 'utf8');
  scratch.write(`project/${KIT_SCRIPT}`, text.replace(from, to));
}

describe('a build', () => {
  test('is made once for the same sources, in whatever copy', async () => {
    using project = makeKitProject();
    expect([await versionOf(project.options), await versionOf(project.options)]).toEqual([1, 1]);
    expect(project.builds()).toBe(1);
    editProject(project, '() => 1', '() => 2');
    expect([await versionOf(project.options), project.builds()]).toEqual([2, 2]);
    editProject(project, '() => 2', '() => 1');
    expect([await versionOf(project.options), project.builds()]).toEqual([1, 2]);
  });

  test('is another one with another command', async () => {
    using project = makeKitProject();
    await versionOf(project.options);
    const build = { ...(project.options.build as { command: string }), env: { OTHER: '1' } };
    await versionOf({ ...project.options, build });
    expect(project.builds()).toBe(2);
  });

  test.each(['CFLAGS', 'CXX', 'npm_config_nodedir'])('is another one with another %s', async (name) => {
    using project = makeKitProject();
    await versionOf(project.options);
    vi.stubEnv(name, 'other');
    await versionOf(project.options);
    vi.unstubAllEnvs();
    await versionOf(project.options);
    expect(project.builds()).toBe(2);
  });

  test('is another one with another variable that its command may read, and the same in another run of a CI', async () => {
    using project = makeKitProject();
    await versionOf(project.options);
    vi.stubEnv('SOME_SWITCH', '1');
    await versionOf(project.options);
    expect(project.builds()).toBe(2);
    vi.stubEnv('GITHUB_RUN_ID', '17');
    await versionOf(project.options);
    expect(project.builds()).toBe(2);
  });

  test('is another one when a library that it links changes', async () => {
    using library = createScratch();
    const compile = (value: number): void => {
      const source = library.write('answer.c', `int answer(void) { return ${value}; }\n`);
      execFileSync('gcc', ['-c', '-fPIC', source, '-o', library.file('answer.o')]);
      fs.rmSync(library.file('libanswer.a'), { force: true });
      execFileSync('ar', ['rcs', library.file('libanswer.a'), library.file('answer.o')]);
    };
    compile(1);
    using project = makeKitProject({ flags: [`-L${library.path}`, '-Wl,-u,answer', '-lanswer'] });
    await versionOf(project.options);
    await versionOf(project.options);
    expect(project.builds()).toBe(1);
    compile(2);
    await versionOf(project.options);
    expect(project.builds()).toBe(2);
  });

  test('is another one with another version of a package that it may read', async () => {
    using project = makeKitProject();
    project.scratch.write('node_modules/node-addon-api/package.json', '{ "version": "8.0.0" }');
    await versionOf(project.options);
    project.scratch.write('node_modules/node-addon-api/package.json', '{ "version": "8.0.1" }');
    await versionOf(project.options);
    expect(project.builds()).toBe(2);
  });

  test('is not kept when a header was written while it ran', async () => {
    using include = createScratch();
    const header = include.write('library.h', '#define LIBRARY 1\n');
    fs.utimesSync(header, 1, 1);
    using project = makeKitProject({
      flags: [`-I${include.path}`],
      before: `echo '#define LIBRARY 2' >${header}`,
    });
    editProject(project, '#define', '#include "library.h"\n#define');
    await versionOf(project.options);
    await versionOf(project.options);
    expect(project.builds()).toBe(2);
  });

  test('is another one with another compiler on the path', async () => {
    using project = makeKitProject();
    await versionOf(project.options);
    const gcc = execFileSync('sh', ['-c', 'command -v gcc'], { encoding: 'utf8' }).trim();
    // A gcc that is ccache looks for another one on the path, and must not find this one.
    const script = `#!/bin/sh\nPATH='${process.env['PATH']}' exec ${gcc} "$@"\n`;
    const compiler = project.scratch.write('bin/gcc', script);
    fs.chmodSync(compiler, 0o755);
    vi.stubEnv('PATH', `${path.dirname(compiler)}:${process.env['PATH']}`);
    await versionOf(project.options);
    expect(project.builds()).toBe(2);
  });

  test('is another one when a header outside of the project changes', async () => {
    using include = createScratch();
    const header = include.write('library.h', '#define LIBRARY 1\n');
    using project = makeKitProject({ flags: [`-I${include.path}`] });
    editProject(project, '#define', '#include "library.h"\n#define');
    // Else it could have been written while the build ran, for all that their times say.
    await until('a clock tick', () => fs.statSync(header).ctimeMs + CLOCK_STEP_MS < Date.now());
    await versionOf(project.options);
    await versionOf(project.options);
    expect(project.builds()).toBe(1);
    include.write('library.h', '#define LIBRARY 2\n');
    await versionOf(project.options);
    expect(project.builds()).toBe(2);
  });

  describe('with a private library', () => {
    const before = 'gcc -shared -fPIC -Wl,-soname,libdep.so -o build/libdep.so src/dep.c';
    const link = ['-Lbuild', '-Wl,--no-as-needed', '-ldep'];
    const makeProject = (rpath: string): KitProject => {
      const flags = [...link, `-Wl,-rpath,${rpath}`];
      const project = makeKitProject({ before, flags });
      project.scratch.write('project/src/dep.c', 'int dep(void) { return 1; }\n');
      return project;
    };

    test('is kept with it', async () => {
      using project = makeProject('$ORIGIN');
      expect([await versionOf(project.options), await versionOf(project.options)]).toEqual([1, 1]);
      expect(project.builds()).toBe(1);
    });

    test('is not kept where it is looked for in the copy, which goes away', async () => {
      using project = makeProject('$ORIGIN');
      const { args = [], ...build } = project.options.build as { command: string; args?: string[] };
      const absolute = args.map((arg) => arg.replace("-rpath,$ORIGIN'", `-rpath,'"$PWD/build"`));
      expect(absolute).not.toEqual(args);
      const options = { ...project.options, build: { ...build, args: absolute } };
      expect([await versionOf(options), await versionOf(options)]).toEqual([1, 1]);
      expect(project.builds()).toBe(2);
    });
  });

  test('is made every time where nothing is to be kept', async () => {
    using project = makeKitProject();
    const options = { ...project.options, cache: false };
    await versionOf(options);
    await versionOf(options);
    expect(project.builds()).toBe(2);
  });

  test('is made again when what was kept is damaged', async () => {
    using project = makeKitProject();
    await versionOf(project.options);
    const cache = project.options.cache as string;
    const files = fs.readdirSync(cache, { recursive: true, encoding: 'utf8' });
    const kept = files.filter((name) => name.split('/').length === 3 && !name.endsWith('.json'));
    expect(kept).toHaveLength(1);
    fs.truncateSync(path.join(cache, kept[0] ?? ''), 100);
    expect([await versionOf(project.options), project.builds()]).toEqual([1, 2]);
    for (const [index, text] of ['{ "files"', '{}', '{ "files": [{}], "read": [] }'].entries()) {
      fs.writeFileSync(path.join(cache, path.dirname(kept[0] ?? ''), 'entry.json'), text);
      expect([await versionOf(project.options), project.builds()]).toEqual([1, 3 + index]);
    }
  });

  test('is made where what is kept can be neither read nor written', async () => {
    using project = makeKitProject();
    const cache = project.scratch.write('file', 'no folder');
    expect([await versionOf({ ...project.options, cache }), project.builds()]).toEqual([1, 1]);
  });

  test('is kept beside the packages of the project where nothing else is said', async () => {
    using project = makeKitProject();
    fs.mkdirSync(project.scratch.file('node_modules'));
    const { cache: _, ...options } = project.options;
    await versionOf(options);
    await versionOf(options);
    expect(fs.readdirSync(project.scratch.file('node_modules/.cache/napi-reload/testing'))).toHaveLength(1);
    expect(project.builds()).toBe(1);
  });
});

describe('what is kept', () => {
  const KEYS = ['a', 'b', 'c', 'd'].map((digit) => digit.repeat(64));
  const [FIRST = ''] = KEYS;
  const MADE: Made = { names: ['kernel.node'], read: [], diagnostics: [] };

  async function keepAll(cache: BuildCache, root: string): Promise<void> {
    for (const [index, key] of KEYS.entries()) {
      await cache.keep(key, root, MADE);
      if (fs.existsSync(path.join(cache.folder, key))) {
        fs.utimesSync(path.join(cache.folder, key), index + 1, index + 1);
      }
      // Used again, the first one is the newest.
      if (index === 2) expect(await cache.restore(FIRST, root, 'kernel.node')).toEqual([]);
    }
  }

  test.each([
    ['entries', { entriesMax: 3, bytesMax: 2 ** 20 }],
    ['bytes', { entriesMax: 100, bytesMax: 3_700 }],
  ])('has a bound of %s, and what was used least goes first', async (_, bounds) => {
    using scratch = createScratch();
    scratch.write('kernel.node', new Uint8Array(1_000));
    const cache = new BuildCache(scratch.file('cache'), await Places.of(scratch.path), bounds);
    await keepAll(cache, scratch.path);
    expect(fs.readdirSync(cache.folder).map((name) => name[0])).toEqual(['a', 'c', 'd']);
  });

  test('goes alone: whatever else is in the folder stays', async () => {
    using scratch = createScratch();
    scratch.write('kernel.node', new Uint8Array(1_000));
    const cache = new BuildCache(scratch.file('cache'), await Places.of(scratch.path), {
      entriesMax: 1,
      bytesMax: 2 ** 20,
    });
    const foreign = [
      'thesis.txt',
      'photos/1.jpg',
      'half-done/draft.txt',
      `${'e'.repeat(64)}/notes.txt`,
      'f'.repeat(64),
    ];
    for (const name of foreign) fs.utimesSync(scratch.write(`cache/${name}`, 'mine'), 1, 1);
    for (const name of ['photos', 'half-done', 'e'.repeat(64)])
      fs.utimesSync(scratch.file(`cache/${name}`), 1, 1);
    for (const [index, key] of KEYS.entries()) {
      await cache.keep(key, scratch.path, MADE);
      fs.utimesSync(path.join(cache.folder, key), index + 1, index + 1);
    }
    for (const name of foreign) expect(fs.existsSync(scratch.file(`cache/${name}`)), name).toBe(true);
    const tops = foreign.map((name) => name.split('/')[0]);
    expect(fs.readdirSync(cache.folder)).toEqual([...tops, KEYS.at(-1)].toSorted());
  });

  test('has a folder of its own in the one that is named, which is relative to the root', async () => {
    using project = makeKitProject();
    project.scratch.write('project/keep/mine.txt', 'mine');
    await versionOf({ ...project.options, cache: 'keep' });
    expect(fs.readdirSync(path.join(project.root, 'keep')).sort()).toEqual([
      'mine.txt',
      'napi-reload-testing',
    ]);
  });

  test('is a file in place of the old one, older than any object', async () => {
    using scratch = createScratch();
    const built = scratch.write('kernel.node', 'new');
    const cache = new BuildCache(scratch.file('cache'), await Places.of(scratch.path));
    await cache.keep(FIRST, scratch.path, MADE);
    scratch.write('kernel.node', 'old');
    const { ino } = fs.statSync(built);
    expect(await cache.restore(FIRST, scratch.path, 'kernel.node')).toEqual([]);
    expect(fs.readFileSync(built, 'utf8')).toBe('new');
    const found = fs.statSync(built);
    expect([found.ino === ino, found.mtimeMs]).toEqual([false, 1_000]);
  });

  const files = (...names: string[]): object => ({
    files: names.map((name) => ({ name, hash: hashOf(Buffer.from('kept')) })),
    read: [],
    diagnostics: [],
  });

  test.each([
    ['no files', files()],
    ['another addon', files('other.node')],
    ['a file above the copy', files('kernel.node', '../outside.txt')],
    ['a file anywhere', files('kernel.node', '/tmp/napi-reload-outside.txt')],
    ['a file by a path for a hash', { ...files(), files: [{ name: 'kernel.node', hash: '../entry.json' }] }],
  ])('is not restored where an entry has %s', async (_, entry) => {
    using scratch = createScratch();
    const cache = new BuildCache(scratch.file('cache'), await Places.of(scratch.path));
    scratch.write(`cache/${FIRST}/entry.json`, JSON.stringify(entry));
    scratch.write(`cache/${FIRST}/${hashOf(Buffer.from('kept'))}`, 'kept');
    fs.mkdirSync(scratch.file('copy'));
    expect(await cache.restore(FIRST, scratch.file('copy'), 'kernel.node')).toBe(null);
    expect(fs.readdirSync(scratch.file('copy'))).toEqual([]);
    expect(fs.existsSync(scratch.file('outside.txt'))).toBe(false);
  });

  test('says again what the compiler said, and that something was put in place', async () => {
    using project = makeKitProject({ flags: ['-Wno-error', '-Wunused'] });
    editProject(project, '#define', 'static int unused;\n#define');
    const rebuild = async () => {
      await using kit = await createReloadable<Total>(project.options);
      await kit.edit(KIT_SCRIPT, (text) => text.replace('() => 1', '() => 2'));
      const { skipped, diagnostics } = await kit.rebuild();
      const again = await kit.rebuild();
      expect([again.skipped, again.diagnostics]).toEqual([true, []]);
      return {
        skipped,
        diagnostics: diagnostics.map((each) => ({ ...each, file: path.relative(kit.root, each.file) })),
      };
    };
    const cold = await rebuild();
    const builds = project.builds();
    expect(await rebuild()).toEqual(cold);
    expect(project.builds()).toBe(builds);
    expect(cold).toMatchObject({ skipped: false, diagnostics: [{ file: KIT_SCRIPT, severity: 'warning' }] });
  });
});

describe('the name of a build', () => {
  test('is found without reading what was not touched', async () => {
    using project = makeKitProject();
    const kit = resolveKit(project.options);
    const copy = await Workspace.create(kit);
    const key = new BuildKey(copy, kit);
    const read = vi.spyOn(promises, 'readFile');
    const readAgain = async (): Promise<readonly string[]> => {
      read.mockClear();
      await key.current();
      const files = read.mock.calls.map(([file]) => path.relative(copy.root, String(file)));
      return files.filter((file) => !file.startsWith('..'));
    };
    expect(await readAgain()).toContain(KIT_SCRIPT);
    // As soon as the clock tells one change from the next.
    await vi.waitFor(async () => expect(await readAgain()).toEqual([]), { timeout: 30_000 });
    const before = await key.current();
    await copy.edit(KIT_SCRIPT, (text) => text.replace('() => 1', '() => 2'));
    expect(await readAgain()).toEqual([KIT_SCRIPT]);
    expect(await key.current()).not.toBe(before);
    await copy.remove();
  });

  test.each([
    ['its own flags', true],
    ['other flags', false],
  ])('depends on the processor where %s say so', async (_, isNative) => {
    using project = makeKitProject({ flags: isNative ? ['-march=native'] : ['-mavx2'] });
    const kit = resolveKit(project.options);
    const copy = await Workspace.create(kit);
    const keys = ['one', 'other'].map((model) => {
      const file = project.scratch.write(
        `${model}.txt`,
        `processor: 0\nmodel name: ${model}\n\nprocessor: 1\n`,
      );
      return new BuildKey(copy, kit, file).current();
    });
    const [one, other] = await Promise.all(keys);
    expect(one === other).toBe(!isNative);
    await copy.remove();
  });
});

describe('a cache from another machine', () => {
  test('holds where the project, its packages and the headers of Node.js lie elsewhere', async () => {
    using project = makeKitProject();
    project.scratch.write('node_modules/dep/dep.h', '#define DEP 1\n');
    project.scratch.write('headers/include/node/node_api.h', '');
    vi.stubEnv('npm_config_nodedir', project.scratch.file('headers'));
    const places = await Places.of(project.root);
    const header = fs.realpathSync(project.scratch.file('headers/include/node/node_api.h'));
    const dep = fs.realpathSync(project.scratch.file('node_modules/dep/dep.h'));
    expect(places.placeOf(header)).toEqual({ place: 'headers', name: 'node_api.h' });
    expect(places.placeOf(dep)).toEqual({ place: 'project', name: '../node_modules/dep/dep.h' });
    expect(places.placeOf('/usr/include/stdio.h')).toEqual({
      place: 'absolute',
      name: '/usr/include/stdio.h',
    });

    const built = project.scratch.write('project/build/total.node', 'built');
    const key = 'a'.repeat(64);
    const read = [header, dep];
    const cache = new BuildCache(project.scratch.file('kept'), places);
    await cache.keep(key, project.root, { names: ['build/total.node'], read, diagnostics: [] });
    fs.rmSync(built);
    using elsewhere = createScratch();
    fs.cpSync(project.scratch.path, elsewhere.path, { recursive: true });
    fs.rmSync(project.scratch.file('headers'), { recursive: true });
    fs.rmSync(project.scratch.file('node_modules'), { recursive: true });
    vi.stubEnv('npm_config_nodedir', elsewhere.file('headers'));
    const there = new BuildCache(elsewhere.file('kept'), await Places.of(elsewhere.file('project')));
    expect(await there.restore(key, elsewhere.file('project'), 'build/total.node')).toEqual([]);
    elsewhere.write('node_modules/dep/dep.h', '#define DEP 2\n');
    expect(await there.restore(key, elsewhere.file('project'), 'build/total.node')).toBe(null);
  });
});

describe('two processes that want the same build', () => {
  /** @param onWait is called when it waits for the other one @returns what it says, once it ended */
  async function openElsewhere(options: ReloadableOptions, onWait = (): void => {}): Promise<string> {
    const script = `import promises from 'node:fs/promises';
      import path from 'node:path';
      import { createReloadable } from ${JSON.stringify(compiledUrl('testing/testing.js'))};
      const { readFile } = promises;
      // Whoever waits reads again and again who has the lock.
      promises.readFile = (file, ...rest) => {
        if (path.basename(String(file)).startsWith('lock-')) process.send('waits');
        return readFile(file, ...rest);
      };
      const kit = await createReloadable(${JSON.stringify(options)});
      console.log(kit.addon.exports.version());
      await kit.close();`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    child.on('message', onWait);
    let said = '';
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      said += part;
    });
    await once(child, 'close');
    return said;
  }

  test('have one build it, and the other take it', async () => {
    using gate = createScratch();
    using project = makeKitProject({ before: `until [ -e ${gate.file('go')} ]; do sleep 0.01; done` });
    let hasWaited = false;
    const said = [openElsewhere(project.options)];
    try {
      await vi.waitUntil(() => project.builds() === 1, { timeout: 30_000 });
      said.push(
        openElsewhere(project.options, () => {
          hasWaited = true;
        }),
      );
      await vi.waitUntil(() => hasWaited || project.builds() > 1, { timeout: 30_000 });
    } finally {
      gate.write('go', '');
    }
    expect([...(await Promise.all(said)), project.builds()]).toEqual(['1\n', '1\n', 1]);
  });

  test('are not held up by one that was killed', async () => {
    using project = makeKitProject();
    const gone = execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).trim();
    await versionOf(project.options);
    const folder = path.join(project.options.cache as string, 'napi-reload-testing');
    const [key = ''] = fs.readdirSync(folder);
    fs.rmSync(path.join(folder, key), { recursive: true });
    const { ownerToken } = await import('../../../../src/testing/copy/owner.ts');
    const [, start, place] = ownerToken().split('-');
    fs.writeFileSync(path.join(folder, `lock-${key}`), `${gone}-${start}-${place}-x`);
    expect([await versionOf(project.options), project.builds()]).toEqual([1, 2]);
    expect(fs.readdirSync(folder)).toEqual([key]);
  });
});
