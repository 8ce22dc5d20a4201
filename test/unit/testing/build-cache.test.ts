/** What is built is kept by what it was made from: other bytes, flags, headers or compilers are another build. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { BuildCache } from '../../../src/testing/build-cache.ts';
import { createReloadable, type ReloadableOptions } from '../../../src/testing/testing.ts';
import { createScratch } from '../../support/addons.ts';
import { KIT_SCRIPT, type KitProject, makeKitProject, type Total } from '../../support/kits.ts';

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

  test('is another one with another compiler on the path', async () => {
    using project = makeKitProject();
    await versionOf(project.options);
    const gcc = execFileSync('sh', ['-c', 'command -v gcc'], { encoding: 'utf8' }).trim();
    const compiler = project.scratch.write('bin/gcc', `#!/bin/sh\nexec ${gcc} "$@"\n`);
    fs.chmodSync(compiler, 0o755);
    vi.stubEnv('PATH', `${path.dirname(compiler)}:${process.env['PATH']}`);
    await versionOf(project.options);
    vi.unstubAllEnvs();
    expect(project.builds()).toBe(2);
  });

  test('is another one when a header outside of the project changes', async () => {
    using include = createScratch();
    include.write('library.h', '#define LIBRARY 1\n');
    using project = makeKitProject({ flags: [`-I${include.path}`] });
    editProject(project, '#define', '#include "library.h"\n#define');
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
    const kept = files.filter((name) => name.includes('/') && !name.endsWith('.json'));
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
  const KEYS = ['a', 'b', 'c', 'd'];

  async function keepAll(cache: BuildCache, root: string): Promise<void> {
    for (const [index, key] of KEYS.entries()) {
      await cache.keep(key, root, { names: ['kernel.node'], read: [] });
      if (fs.existsSync(path.join(cache.folder, key))) {
        fs.utimesSync(path.join(cache.folder, key), index + 1, index + 1);
      }
      // Used again, the first one is the newest.
      if (index === 2) expect(await cache.restore('a', root)).toBe(true);
    }
  }

  test.each([
    ['entries', { entriesMax: 3, bytesMax: 2 ** 20 }],
    ['bytes', { entriesMax: 100, bytesMax: 3_500 }],
  ])('has a bound of %s, and what was used least goes first', async (_, bounds) => {
    using scratch = createScratch();
    scratch.write('kernel.node', new Uint8Array(1_000));
    const cache = new BuildCache(scratch.file('cache'), bounds);
    await keepAll(cache, scratch.path);
    expect(fs.readdirSync(cache.folder).sort()).toEqual(['a', 'c', 'd']);
  });

  test('is a file in place of the old one, older than any object', async () => {
    using scratch = createScratch();
    const built = scratch.write('kernel.node', 'new');
    const cache = new BuildCache(scratch.file('cache'));
    await cache.keep('key', scratch.path, { names: ['kernel.node'], read: [] });
    scratch.write('kernel.node', 'old');
    const { ino } = fs.statSync(built);
    expect(await cache.restore('key', scratch.path)).toBe(true);
    expect(fs.readFileSync(built, 'utf8')).toBe('new');
    const found = fs.statSync(built);
    expect([found.ino === ino, found.mtimeMs]).toEqual([false, 1_000]);
  });
});
