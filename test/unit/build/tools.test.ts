import fs from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Builder } from '../../../src/build/builder.ts';
import { findProgram } from '../../../src/build/tools.ts';
import { isReloadError } from '../../../src/errors.ts';
import { realOutside } from '../../../src/outside.ts';
import {
  type Built,
  build,
  compilerInside,
  configureCmake,
  isInstalled,
  kernelC,
  makeProject,
  makeTemplate,
  type Project,
  processesInside,
  type Template,
  writeCmake,
  writeGyp,
  writeMakefile,
  writeSources,
} from '../../support/projects.ts';
import { until } from '../../support/until.ts';

let project: Project;

beforeEach(() => {
  project = makeProject();
  writeSources(project);
});

afterEach(() => project.remove());

interface Kind {
  readonly tool: 'node-gyp' | 'cmake-js' | 'ninja' | 'make';
  /** What has to be on the PATH. */
  readonly needs: readonly string[];
  readonly prepare: () => void;
  /** What the builder configures itself. */
  readonly configures: boolean;
}

const KINDS: Readonly<Record<string, Kind>> = {
  'node-gyp': { tool: 'node-gyp', needs: [], prepare: () => writeGyp(project), configures: true },
  'cmake-js': { tool: 'cmake-js', needs: ['cmake'], prepare: () => writeCmake(project), configures: true },
  ninja: {
    tool: 'ninja',
    needs: ['cmake', 'ninja'],
    prepare() {
      writeCmake(project);
      configureCmake(project, 'Ninja');
    },
    configures: false,
  },
  'make of CMake': {
    tool: 'make',
    needs: ['cmake'],
    prepare() {
      writeCmake(project);
      configureCmake(project, 'Unix Makefiles');
    },
    configures: false,
  },
  'make of a Makefile': { tool: 'make', needs: [], prepare: () => writeMakefile(project), configures: false },
};

const bytes = () => fs.readFileSync(project.addon);

/** With what is missing in the name, where its tests are skipped. */
const kinds = Object.entries(KINDS).map(([name, kind]) => {
  const missing = kind.needs.filter((program) => !isInstalled(program));
  const reason = missing.length === 0 ? '' : ` (skipped: install ${missing.join(' and ')})`;
  return { name: `${name}${reason}`, isThere: missing.length === 0, ...kind };
});

describe.each(kinds)('$name', ({ isThere, tool, prepare, configures }) => {
  const testThere = test.skipIf(!isThere);
  /** Outcome of the build of the template. */
  let first: Built;
  let template: Template | undefined;

  // One for the tests that begin with a project that is built.
  beforeAll(async () => {
    if (!isThere) return;
    template = await makeTemplate(async (made) => {
      project = made;
      writeSources(made);
      prepare();
      first = await build(await made.builder(tool));
    });
  });
  afterAll(() => template?.[Symbol.dispose]());

  const takeBuilt = async (): Promise<Builder> => {
    project.remove();
    if (template !== undefined) project = template.take();
    return project.builder(tool);
  };

  testThere('builds what is not built, tells its steps and times, and then only what is edited', async () => {
    expect(first).toMatchObject({ configured: configures, skipped: false, diagnostics: [] });
    expect(first.phasesMs.compile).toBeGreaterThan(0);
    expect(first.phasesMs.link).toBeGreaterThan(0);
    expect(first.phasesMs.configure === undefined).toBe(!configures);
    const builder = await takeBuilt();
    const good = bytes();

    project.write('src/kernel.c', kernelC(2));
    const second = await build(builder);
    expect(second).toMatchObject({ configured: false, skipped: false });
    const steps = second.steps.filter(({ step }) => !step.startsWith('COPY'));
    expect(steps.map(({ step }) => step.replace(/^(\w+) kernel(\.c)?$/, '$1 kernel'))).toEqual([
      'CC kernel',
      expect.stringMatching(/LINK\S* kernel\.node$/),
    ]);
    const { done, total } = second.steps.at(-1) ?? {};
    expect(total).toBeGreaterThan(1);
    expect(done).toBe(total);
    expect(bytes().equals(good)).toBe(false);
  });

  testThere('names what it read, and builds again when a header is edited', async () => {
    const builder = await takeBuilt();
    await build(builder);
    const inputs = await builder.inputs();
    expect(inputs).toEqual(expect.arrayContaining([project.at('src/k.h'), project.at('src/kernel.c')]));
    expect(inputs.filter((file) => file.endsWith('.o') || file.endsWith('.node'))).toEqual([]);
    expect(inputs).toEqual([...new Set(inputs)].toSorted());
    const good = bytes();
    project.write('src/k.h', '#define K 7\n');
    await build(builder);
    expect(bytes().equals(good)).toBe(false);
  });

  testThere('leaves the good addon where it is when a mistake is compiled, also from scratch', async () => {
    const builder = await takeBuilt();
    const good = bytes();
    project.write('src/kernel.c', `${kernelC(2)}int broken(\n`);
    for (const clean of [false, true]) {
      const error: unknown = await build(builder, { clean }).catch((reason: unknown) => reason);
      if (!isReloadError(error, 'ERR_BUILD_FAILED')) throw error;
      expect(error.details.diagnostics).toContainEqual(
        expect.objectContaining({ file: project.at('src/kernel.c'), severity: 'error' }),
      );
      expect(bytes().equals(good)).toBe(true);
    }
    project.write('src/kernel.c', kernelC(1));
    await build(builder);
    expect(bytes().equals(good)).toBe(true);
  });

  testThere('compiles everything again when it is to begin from scratch', async () => {
    const builder = await takeBuilt();
    const { steps, skipped } = await build(builder, { clean: true });
    expect(skipped).toBe(false);
    expect(steps.map(({ step }) => step)).toContainEqual(expect.stringMatching(/^CC kernel/));
  });

  testThere('leaves no process behind when it is stopped in the middle of a compilation', async () => {
    const builder = await takeBuilt();
    const good = bytes();
    // The compiler reads from a pipe that nobody writes to: it is in the middle of its work for ever.
    fs.rmSync(project.at('src/k.h'));
    project.run('mkfifo', [project.at('src/k.h')]);
    project.write('src/kernel.c', kernelC(3));
    const abort = new AbortController();
    const building = build(builder, { signal: abort.signal }).catch((reason: unknown) => reason);
    const reader = await compilerInside(project.root);
    abort.abort();
    const error = await building;
    expect(isReloadError(error, 'ERR_ABORTED')).toBe(true);
    // ninja kills its compilers, and does not wait for those: they may still be on their way out.
    expect(reader).toBeGreaterThan(0);
    await until('the compiler to end', () => !fs.existsSync(`/proc/${reader}/exe`));
    expect(processesInside(project.root)).toEqual([]);
    expect(bytes().equals(good)).toBe(true);
  });

  testThere('says in one error what to install when its program is missing', async () => {
    prepare();
    const builder = await project.builder(tool);
    const [program = 'make'] = tool === 'cmake-js' ? ['cmake'] : tool === 'node-gyp' ? ['make'] : [tool];
    const path = process.env['PATH'];
    process.env['PATH'] = project.at('no-such-folder');
    try {
      const error: unknown = await build(builder).catch((reason: unknown) => reason);
      if (!isReloadError(error, 'ERR_BUILD_FAILED')) throw error;
      expect(error.details).toMatchObject({
        reason: 'spawn',
        advice: expect.stringContaining(`"${program}"`),
      });
      expect(error.message).toMatch(
        new RegExp(`could not be started: "${program}" is not installed: install `),
      );
    } finally {
      process.env['PATH'] = path;
    }
  });
});

test.skipIf(!isInstalled('cmake'))('cmake-js says why headers may be downloaded', async () => {
  project.write('package.json', '{}');
  writeCmake(project);
  const { diagnostics } = await build(await project.builder('cmake-js'));
  expect(diagnostics).toEqual([
    expect.objectContaining({
      file: project.at('package.json'),
      severity: 'warning',
      text: expect.stringContaining('napi_versions'),
    }),
  ]);
});

test.skipIf(!isInstalled('cmake'))(
  'cmake-js configures again for another configuration, and for another Node.js',
  async () => {
    writeCmake(project);
    await build(await project.builder('cmake-js'));
    expect((await build(await project.builder('cmake-js'))).configured).toBe(false);
    const cache = fs.readFileSync(project.at('build/CMakeCache.txt'), 'utf8');
    project.write('build/CMakeCache.txt', cache.replace(/^(NODE_RUNTIMEVERSION:\w+)=.*$/m, '$1=1.2.3'));
    expect((await build(await project.builder('cmake-js'))).configured).toBe(true);
    const debug = await project.builder('cmake-js', 'build/Debug/kernel.node');
    expect((await build(debug)).configured).toBe(true);
    expect(fs.existsSync(project.at('build/Debug/kernel.node'))).toBe(true);
  },
);

test('what has the name of a program, but is none, is passed over on the PATH', async () => {
  fs.mkdirSync(project.at('folder/ninja'), { recursive: true });
  project.write('text/ninja', 'what ninja is\n');
  fs.mkdirSync(project.at('dangling'));
  fs.symlinkSync('nowhere', project.at('dangling/ninja'));
  project.write('bin/ninja-1', '#!/bin/sh\n');
  fs.chmodSync(project.at('bin/ninja-1'), 0o755);
  fs.symlinkSync('ninja-1', project.at('bin/ninja'));
  const before = process.env['PATH'];
  const searched = ['folder', 'text', 'dangling', 'bin'].map((name) => project.at(name));
  try {
    process.env['PATH'] = searched.join(path.delimiter);
    expect(await findProgram(realOutside, 'ninja')).toBe(project.at('bin/ninja'));
    process.env['PATH'] = searched.slice(0, -1).join(path.delimiter);
    expect(await findProgram(realOutside, 'ninja')).toBeNull();
  } finally {
    process.env['PATH'] = before;
  }
});

test('a tool is refused where there is nothing for it, or another configuration is meant', async () => {
  for (const tool of ['node-gyp', 'cmake-js', 'ninja', 'make']) {
    const error: unknown = await project.builder(tool).catch((reason: unknown) => reason);
    if (!isReloadError(error, 'ERR_INVALID_OPTION')) throw error;
    expect(error.details).toMatchObject({ option: 'build', found: expect.stringContaining(tool) });
  }
  const debug = { tool: 'make', configuration: 'Debug' };
  const error: unknown = await project.builder(debug).catch((reason: unknown) => reason);
  if (!isReloadError(error, 'ERR_INVALID_OPTION')) throw error;
  expect(error.details).toMatchObject({
    option: 'build.configuration',
    wanted: expect.stringContaining('Release'),
  });
});
