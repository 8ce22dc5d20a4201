import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { makeStandIns } from '../../../src/build/fast/stand-ins.ts';
import { isReloadError } from '../../../src/errors.ts';
import { realOutside } from '../../../src/outside.ts';
import { compiledUrl } from '../../support/compiled.ts';
import {
  build,
  compilerInside,
  isInstalled,
  makeProject,
  makeTemplate,
  NODE_ADDON_API,
  type Project,
  processesInside,
  type Template,
  writeCmake,
  writeGyp,
} from '../../support/projects.ts';
import { until } from '../../support/until.ts';

let project: Project;
let cache: string;
const before = process.env['XDG_CACHE_HOME'];

// One for all tests: to precompile takes seconds.
beforeAll(() => {
  cache = fs.mkdtempSync(path.join(os.tmpdir(), 'napi-reload-cache-'));
  process.env['XDG_CACHE_HOME'] = cache;
});

afterAll(() => {
  if (before === undefined) delete process.env['XDG_CACHE_HOME'];
  else process.env['XDG_CACHE_HOME'] = before;
  for (const template of templates.values()) template[Symbol.dispose]();
  fs.rmSync(cache, { recursive: true, force: true });
});

beforeEach(() => {
  project = makeProject();
  writeSources(project);
});

afterEach(() => project.remove());

/** Includes little, but C++ that has to be compiled. */
const kernel = (value: number, more = '') => `#include <vector>
#include <node_api.h>
#include "k.h"
${more}
static std::vector<int> values{${value}, K};
NAPI_MODULE_INIT() {
  napi_value result;
  napi_create_int32(env, values.at(0) + values.at(1), &result);
  napi_set_named_property(env, exports, "value", result);
  return exports;
}
`;
const SOURCES = ['src/kernel.cc', 'src/plain.c'];

function writeSources({ write }: Project): void {
  write('package.json', '{ "binary": { "napi_versions": [8] } }');
  write('src/kernel.cc', kernel(1));
  write('src/k.h', '#define K 1\n');
  write('src/plain.c', '#include <stdio.h>\nint plain(void) { return 1; }\n');
}

const FLAGS = "'cflags': ['-O1'], 'cflags_cc': ['-std=c++17']";
const fast = (tool: string) => ({ tool, fast: true });
const steps = ({ steps: found }: { readonly steps: readonly { readonly step: string }[] }) =>
  found.map(({ step }) => step);
/** What the fast lane has noted of the project: files of the cache that begin so. */
const noteName = () => createHash('sha256').update(project.at('build')).digest('hex').slice(0, 32);
const notes = () => path.join(cache, 'napi-reload-builds/notes');
const headers = () => fs.readdirSync(path.join(cache, 'napi-reload-builds/headers')).length;

interface Kind {
  readonly tool: 'node-gyp' | 'cmake-js';
  readonly prepare: () => void;
  readonly needs: readonly string[];
  /** Below the project. */
  readonly object: string;
  /** The build as everybody else does it. */
  readonly plain: () => void;
}

const KINDS: readonly [Kind, Kind] = [
  {
    tool: 'node-gyp',
    prepare: () => writeGyp(project, SOURCES, FLAGS),
    needs: [],
    object: 'build/Release/obj.target/kernel/src/kernel.o',
    plain: () => project.run('make', ['-C', 'build', 'BUILDTYPE=Release']),
  },
  {
    tool: 'cmake-js',
    prepare: () => writeCmake(project, SOURCES),
    needs: ['cmake'],
    object: 'build/CMakeFiles/kernel.dir/src/kernel.cc.o',
    plain: () => project.run('cmake', ['--build', 'build']),
  },
];

const templates = new Map<() => void, Template>();

/** The project becomes one that was built in the fast lane: made once for each `prepare`, and taken with what was noted of it. */
async function takeBuilt({ tool, prepare }: Pick<Kind, 'tool' | 'prepare'> = KINDS[0]): Promise<void> {
  project.remove();
  let template = templates.get(prepare);
  if (template === undefined) {
    template = await makeTemplate(async (made) => {
      project = made;
      writeSources(made);
      prepare();
      await build(await made.builder(fast(tool)));
      const noted = fs.readdirSync(notes()).filter((name) => name.startsWith(noteName()));
      fs.mkdirSync(made.at('.notes'));
      for (const name of noted) fs.copyFileSync(path.join(notes(), name), made.at(`.notes/${name}`));
    });
    templates.set(prepare, template);
  }
  project = template.take();
  fs.cpSync(project.at('.notes'), notes(), { recursive: true });
}

describe.each(KINDS)('$tool in the fast lane', ({ tool, prepare, needs, object, plain }) => {
  const testThere = test.skipIf(!needs.every(isInstalled));

  testThere(
    'compiles to the same object, and a plain build afterwards gives the same bytes as ever',
    async () => {
      prepare();
      await build(await project.builder(tool));
      const others = { object: fs.readFileSync(project.at(object)), addon: fs.readFileSync(project.addon) };
      project.write('src/kernel.cc', kernel(2));
      const builder = await project.builder(fast(tool));
      const first = await build(builder);
      expect(first.diagnostics).toEqual([]);
      project.write('src/kernel.cc', kernel(1));
      const second = await build(builder);
      expect(steps(first)).toContain('PCH kernel.cc');
      expect(steps(second)).not.toContain('PCH kernel.cc');
      expect(fs.readFileSync(project.at(object)).equals(others.object)).toBe(true);
      if (isInstalled('mold')) expect(fs.readFileSync(project.addon).includes('mold')).toBe(true);

      plain();
      expect(fs.statSync(project.at(object)).mtimeMs).toBeGreaterThan(
        fs.statSync(project.at('src/kernel.cc')).mtimeMs,
      );
      expect(fs.readFileSync(project.addon).equals(others.addon)).toBe(true);
    },
  );

  testThere(
    'knows its own objects again, also in another process, and compiles only what is edited',
    async () => {
      await takeBuilt({ tool, prepare });
      const builder = await project.builder(fast(tool));
      project.write('src/kernel.cc', kernel(2));
      await build(builder);
      const another = await project.builder(fast(tool));
      expect(steps(await build(another)).filter((step) => step.startsWith('C'))).toEqual([]);
      project.write('src/plain.c', 'int plain(void) { return 2; }\n');
      const compiled = steps(await build(another)).filter((step) => /^(?:CC|CXX) /.test(step));
      expect(compiled).toEqual([expect.stringMatching(/^CC plain/)]);
    },
  );

  testThere('compiles again for a header of the project, and names it among its inputs', async () => {
    await takeBuilt({ tool, prepare });
    const builder = await project.builder(fast(tool));
    project.write('src/kernel.cc', kernel(2));
    await build(builder);
    const inputs = await builder.inputs();
    expect(inputs).toContain(project.at('src/k.h'));
    expect(inputs.filter((file) => file.startsWith(cache))).toEqual([]);
    expect(inputs.map((file) => path.basename(file))).toContain('node_api.h');
    const good = fs.readFileSync(project.addon);
    project.write('src/k.h', '#define K 5\n');
    await build(builder);
    expect(fs.readFileSync(project.addon).equals(good)).toBe(false);
  });

  testThere('tells of a mistake in its place, and leaves the good addon', async () => {
    await takeBuilt({ tool, prepare });
    const builder = await project.builder(fast(tool));
    const good = fs.readFileSync(project.addon);
    project.write('src/kernel.cc', kernel(2, 'int broken('));
    const error: unknown = await build(builder).catch((reason: unknown) => reason);
    if (!isReloadError(error, 'ERR_BUILD_FAILED')) throw error;
    expect(error.details.diagnostics[0]).toMatchObject({
      file: project.at('src/kernel.cc'),
      severity: 'error',
    });
    expect(error.details.command).toMatch(/^(?:make|ninja)/);
    expect(fs.readFileSync(project.addon).equals(good)).toBe(true);
  });
});

const FOREIGN = '#pragma once\nstatic int foreign() { return 1; }\n';

/** Whose header is changed, as a package is that is updated. */
function withForeignHeader(): void {
  project.write('node_modules/foreign/include/foreign.h', FOREIGN);
  project.write('src/kernel.cc', `#include <foreign.h>\n${kernel(1)}\nint use() { return foreign(); }\n`);
  writeGyp(project, SOURCES, `${FLAGS}, 'include_dirs': ['node_modules/foreign/include']`);
}

test('a precompiled header is made again when a header in it, or a flag, has changed', async () => {
  withForeignHeader();
  const builder = await project.builder(fast('node-gyp'));
  await build(builder);
  const edit = async (more: string) => {
    fs.appendFileSync(project.at('src/kernel.cc'), more);
    return steps(await build(builder)).includes('PCH kernel.cc');
  };
  expect(await edit('// one\n')).toBe(false);
  project.write('node_modules/foreign/include/foreign.h', FOREIGN.replace('1;', '12345;'));
  expect(await edit('// two\n')).toBe(true);
  expect(await edit('// three\n')).toBe(false);
  writeGyp(
    project,
    SOURCES,
    `${FLAGS}, 'include_dirs': ['node_modules/foreign/include'], 'defines': ['NEW']`,
  );
  expect(await edit('// four\n')).toBe(true);
});

test('a precompiled header is made again when another header comes before one in it', async () => {
  const header = (value: number, name: string) => `#pragma once\n#define ${name} ${value}\n`;
  const folders = ['node_modules/none/include', 'node_modules/first', 'node_modules/foreign/include'];
  project.write('node_modules/first/package.json', '{}');
  project.write('node_modules/foreign/include/foreign.h', `#include <in/inner.h>\n${header(1, 'FOREIGN')}`);
  project.write('node_modules/foreign/include/in/inner.h', header(1, 'INNER'));
  writeGyp(project, SOURCES, `${FLAGS}, 'include_dirs': [${folders.map((name) => `'${name}'`).join(', ')}]`);
  const builder = await project.builder(fast('node-gyp'));
  let edits = 0;
  const edit = async (foreign: number, inner: number) => {
    edits += 1;
    const asserted = `static_assert(FOREIGN == ${foreign} && INNER == ${inner}, "other headers");`;
    project.write('src/kernel.cc', `#include <foreign.h>\n${kernel(edits, asserted)}`);
    const built = await build(builder);
    expect(built.diagnostics).toEqual([]);
    return steps(built).includes('PCH kernel.cc');
  };
  expect(await edit(1, 1)).toBe(true);
  project.write('node_modules/first/another.h', '');
  expect(await edit(1, 1)).toBe(false);
  project.write('node_modules/first/foreign.h', `#include <in/inner.h>\n${header(2, 'FOREIGN')}`);
  expect(await edit(2, 1)).toBe(true);
  // In a folder that was not there.
  project.write('node_modules/none/include/in/inner.h', header(2, 'INNER'));
  expect(await edit(2, 2)).toBe(true);
  fs.rmSync(project.at('node_modules/first/foreign.h'));
  expect(await edit(1, 2)).toBe(true);
});

test('a precompiled header is that of the folders which the environment names now', async () => {
  const source = (version: number) =>
    `#include <foreign.h>\n${kernel(1)}\nstatic_assert(FOREIGN == ${version}, "the other header");\n`;
  await takeBuilt();
  for (const version of [1, 2])
    project.write(
      `node_modules/foreign${version}/foreign.h`,
      `#ifndef FOREIGN\n#define FOREIGN ${version}\n#endif\n`,
    );
  const builder = await project.builder(fast('node-gyp'));
  try {
    for (const version of [1, 2]) {
      process.env['CPLUS_INCLUDE_PATH'] = project.at(`node_modules/foreign${version}`);
      project.write('src/kernel.cc', source(version));
      expect((await build(builder)).diagnostics).toEqual([]);
    }
  } finally {
    delete process.env['CPLUS_INCLUDE_PATH'];
  }
});

test('a header without a guard is not precompiled, nor what comes after it', async () => {
  withForeignHeader();
  project.write('node_modules/foreign/include/foreign.h', FOREIGN.replace('#pragma once', ''));
  const source = project.at('src/kernel.cc');
  const text = fs.readFileSync(source, 'utf8').replace('#include <vector>', '#include <deque>');
  fs.writeFileSync(source, `#include <vector>\n${text}`);
  const made = headers();
  const builder = await project.builder(fast('node-gyp'));
  expect((await build(builder)).diagnostics).toEqual([]);
  expect(headers()).toBe(made + 1);
  fs.appendFileSync(source, '// edited\n');
  expect(steps(await build(builder))).not.toContain('PCH kernel.cc');
});

test('a source that begins with a definition, and one in C, get no precompiled header', async () => {
  await takeBuilt();
  const made = headers();
  project.write('src/kernel.cc', `#define NAPI_EXPERIMENTAL\n${kernel(1)}`);
  const builder = await project.builder(fast('node-gyp'));
  expect(steps(await build(builder)).filter((step) => step.startsWith('PCH'))).toEqual([]);
  project.write('src/plain.c', '#include <node_api.h>\nint plain(void) { return 3; }\n');
  expect(steps(await build(builder)).filter((step) => step.startsWith('PCH'))).toEqual([]);
  expect(headers()).toBe(made);
});

test('where the fast lane fails, the usual build is done, with one warning', async () => {
  writeGyp(project, SOURCES, FLAGS);
  await build(await project.builder('node-gyp'));
  const bin = path.join(cache, 'napi-reload-builds/bin');
  const linker = fs.readdirSync(bin).map((name) => path.join(bin, name, 'ld'));
  const whole = linker.filter(fs.existsSync).map((file) => [file, fs.readFileSync(file)] as const);
  const compiler = fs.readdirSync(bin).map((name) => path.join(bin, name, 'cc1plus'));
  for (const file of compiler) whole.push([file, fs.readFileSync(file)]);
  try {
    for (const file of compiler) fs.writeFileSync(file, '#!/bin/sh\nexit 3\n');
    const builder = await project.builder(fast('node-gyp'));
    project.write('src/kernel.cc', kernel(2, '// another text for ccache'));
    const { diagnostics } = await build(builder);
    expect(diagnostics).toEqual([
      expect.objectContaining({ severity: 'warning', text: expect.stringContaining('fast lane') }),
    ]);
    project.write('src/kernel.cc', kernel(3, '// another text for ccache'));
    expect((await build(builder)).diagnostics).toEqual([]);
  } finally {
    for (const [file, text] of whole) fs.writeFileSync(file, text);
  }
});

test('a linker is started from a folder of any name', async () => {
  const tools = 'it\'s "my" $(touch made) `touch made` $HOME \\ tools';
  project.write(`${tools}/mold`, '#!/bin/sh\necho "$# words, the last is $3"\n');
  fs.chmodSync(project.at(`${tools}/mold`), 0o755);
  const searched = process.env['PATH'];
  process.env['PATH'] = `${project.at(tools)}:${searched}`;
  try {
    const { folder, linker } = await makeStandIns(realOutside, project.at('bin'));
    expect(linker).toBe('mold');
    expect(project.run(path.join(folder, 'ld'), ['-o', 'a b', '$c'])).toBe('3 words, the last is $c\n');
    expect(fs.existsSync(project.at('made'))).toBe(false);
  } finally {
    process.env['PATH'] = searched;
  }
});

test('a build that is stopped while it precompiles leaves nothing behind, and the next one is whole', async () => {
  await takeBuilt();
  project.write('src/kernel.cc', kernel(1).replace('#include <vector>', '#include <map>\n#include <vector>'));
  const builder = await project.builder(fast('node-gyp'));
  const made = headers();
  const abort = new AbortController();
  const stopped = build(builder, {
    signal: abort.signal,
    onProgress: ({ step }) => step.startsWith('PCH') && abort.abort(),
  });
  await expect(stopped).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  expect(headers()).toBe(made);
  expect(steps(await build(builder))).toContain('PCH kernel.cc');
});

test('objects keep their marks when a process was killed in a fast build', async () => {
  await takeBuilt();
  const object = project.at('build/Release/obj.target/kernel/src/kernel.o');
  const marked = fs.statSync(object).mtimeMs;
  const note = fs.readFileSync(path.join(notes(), `${noteName()}.json`), 'utf8');
  // What a build does first: it gives the objects their own times back.
  for (const [file, ms] of JSON.parse(note) as [string, number][]) {
    fs.utimesSync(project.at(path.join('build', file)), new Date(), new Date(ms));
  }
  expect(fs.statSync(object).mtimeMs).toBeGreaterThan(marked);
  // A time that is set is found rounded, up or down, as it happens: it is set anew by each of these.
  const builder = await project.builder(fast('node-gyp'));
  for (let count = 0; count < 10; count += 1) {
    await build(builder, { always: true });
    expect(fs.statSync(object).mtimeMs).toBe(marked);
  }
});

/** A fast build in a process of its own, which ends as it is told to. */
const BUILDER = (file: string) => `
import { createBuilder } from ${JSON.stringify(compiledUrl('build/create-builder.js'))};
import { resolveBuild } from ${JSON.stringify(compiledUrl('build-options.js'))};
import { realOutside } from ${JSON.stringify(compiledUrl('outside.js'))};
const build = resolveBuild({ tool: 'node-gyp', fast: true });
const builder = await createBuilder(build, ${JSON.stringify(file)}, realOutside);
process.on('message', () => process.exit());
const { signal } = new AbortController();
await builder.build({ signal, timeoutMs: 60_000, onProgress() {} });
`;

/** One to compile, one to leave, and one that takes for ever: in this order. */
function prepareThree(): void {
  project.write('src/other.c', 'int other(void) { return 1; }\n');
  writeGyp(project, ['src/plain.c', 'src/other.c', 'src/kernel.cc'], FLAGS);
}

describe.each(['kill -9', 'process.exit()'])('after %s in a fast build', (how) => {
  test('a plain build compiles again what the fast lane has compiled', async () => {
    const names = ['plain', 'other', 'kernel'];
    const at = (name: string) => project.at(`build/Release/obj.target/kernel/src/${name}.o`);
    const timeOf = (name: string) => fs.statSync(at(name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    await takeBuilt({ tool: 'node-gyp', prepare: prepareThree });
    expect(names.map(timeOf)).toEqual([1_000, 1_000, 1_000]);

    // One is compiled, one is as it was, and one is being compiled for ever: it reads from a pipe.
    project.write('src/plain.c', 'int plain(void) { return 2; }\n');
    project.write('src/kernel.cc', kernel(2));
    fs.rmSync(project.at('src/k.h'));
    project.run('mkfifo', [project.at('src/k.h')]);
    const args = ['--input-type=module', '--eval', BUILDER(project.addon)];
    const child = spawn(process.execPath, args, { cwd: '/', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    // Also when the test fails: its compiler reads from the pipe for ever.
    onTestFinished(() => void child.kill('SIGKILL'));
    await compilerInside(project.root);
    const editedMs = fs.statSync(project.at('src/plain.c')).mtimeMs;
    await until('an object of the edit', () => timeOf('plain') >= editedMs);
    expect(timeOf('other')).toBeGreaterThan(1_000);
    const ended = once(child, 'exit');
    if (how === 'kill -9') child.kill('SIGKILL');
    else child.send('exit');
    await ended;
    // What guards the build ends its compiler, also when nobody else is left to do so.
    await until('the end of the build', () => processesInside(project.root).length === 0);
    for (const name of names) expect([0, 1_000], name).toContain(timeOf(name));

    fs.rmSync(project.at('src/k.h'));
    project.write('src/k.h', '#define K 1\n');
    project.run('make', ['-C', 'build', 'BUILDTYPE=Release']);
    for (const name of names) expect(timeOf(name), name).toBeGreaterThan(1_000);
  });
});

test('a folder of the cache that others can write to is not used', async () => {
  await takeBuilt();
  project.write('src/kernel.cc', kernel(2));
  const folder = path.join(cache, 'napi-reload-builds');
  fs.chmodSync(folder, 0o777);
  try {
    const { diagnostics } = await build(await project.builder(fast('node-gyp')));
    expect(diagnostics).toEqual([
      expect.objectContaining({ text: expect.stringContaining('of this user alone') }),
    ]);
  } finally {
    fs.chmodSync(folder, 0o700);
  }
});

test('an addon with napi.h is the same code as without the fast lane', async () => {
  project.write(
    'src/kernel.cc',
    `#include <napi.h>
static Napi::Value Add(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), info[0].As<Napi::Number>().DoubleValue() + 1);
}
static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("add", Napi::Function::New(env, Add));
  return exports;
}
NODE_API_MODULE(kernel, Init)
`,
  );
  writeGyp(
    project,
    SOURCES,
    `'cflags': ['-O1'], 'defines': ['NAPI_DISABLE_CPP_EXCEPTIONS'], 'include_dirs': ['${NODE_ADDON_API}']`,
  );
  const code = () =>
    execFileSync('objdump', ['-d', '--no-show-raw-insn', object], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  const object = project.at('build/Release/obj.target/kernel/src/kernel.o');
  await build(await project.builder('node-gyp'));
  const others = code();
  const builder = await project.builder(fast('node-gyp'));
  fs.rmSync(object);
  expect(steps(await build(builder))).toContain('PCH kernel.cc');
  expect(code() === others).toBe(true);
});
