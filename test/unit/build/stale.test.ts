/** An edit while its file is compiled: the object comes after the edit, so that by their times nothing is to do. */
import fs from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Builder } from '../../../src/build/builder.ts';
import { isReloadError } from '../../../src/errors.ts';
import {
  ADDON,
  makeProject,
  makeTemplate,
  NODE_INCLUDE,
  type Project,
  type Template,
} from '../../support/projects.ts';

let project: Project;
/** What node-gyp has built. */
let built: Template;
const OBJECT = 'build/Release/obj.target/kernel/kernel.o';

const source = (text: string) =>
  `#include "k.h"\n#include <node_api.h>\nconst char *text = "${text}" K;\nNAPI_MODULE_INIT() { (void)env; return exports; }\n`;

function writeSources({ write }: Project): void {
  write('package.json', '{}');
  write('binding.gyp', "{ 'targets': [ { 'target_name': 'kernel', 'sources': ['kernel.c'] } ] }");
  write('kernel.c', source('first'));
  write('k.h', '#define K "-head"\n');
}

beforeAll(async () => {
  built = await makeTemplate(async (made) => {
    writeSources(made);
    await build(await made.builder('node-gyp'));
  });
});
afterAll(() => built[Symbol.dispose]());

beforeEach(() => {
  project = makeProject();
  writeSources(project);
});
afterEach(() => project.remove());

/** The project becomes one that is configured, and has yet to be compiled. */
function takeConfigured(): void {
  project.remove();
  project = built.take();
  for (const name of [OBJECT, ADDON]) fs.rmSync(project.at(name));
}

/** As if it had come just before `than` was written, and after that was read. */
function editBefore(than: string, name: string, text: string): void {
  const before = fs.statSync(project.at(than)).mtimeMs / 1_000 - 0.02;
  project.write(name, text);
  fs.utimesSync(project.at(name), before, before);
}

interface Given {
  readonly onStep?: (step: string) => void;
  readonly signal?: AbortSignal;
}

async function build(made: Builder, { onStep, signal }: Given = {}): Promise<boolean> {
  const { configured } = await made.build({
    signal: signal ?? new AbortController().signal,
    timeoutMs: 60_000,
    onProgress: ({ step }) => onStep?.(step),
  });
  return configured;
}

const holds = (text: string) => fs.readFileSync(project.at(ADDON)).includes(text);
const edits = {
  'a source': () => editBefore(OBJECT, 'kernel.c', source('second')),
  'a header': () => editBefore(OBJECT, 'k.h', '#define K "second"\n'),
};

test.each(Object.entries(edits))(
  'an edit of %s while node-gyp compiles it is in the next build',
  async (_, edit) => {
    takeConfigured();
    const made = await project.builder('node-gyp');
    await build(made, { onStep: (step) => step.startsWith('SOLINK') && edit() });
    expect(holds('second')).toBe(false);
    await build(made);
    expect(holds('second')).toBe(true);
  },
);

test('an edit during a build that is aborted for it is in the next build', async () => {
  takeConfigured();
  const made = await project.builder('node-gyp');
  const abort = new AbortController();
  const onStep = (step: string) => {
    if (!step.startsWith('SOLINK')) return;
    edits['a source']();
    abort.abort();
  };
  const aborted = await build(made, { onStep, signal: abort.signal }).catch((error: unknown) => error);
  expect(isReloadError(aborted, 'ERR_ABORTED')).toBe(true);
  await build(made);
  expect(holds('second')).toBe(true);
});

test('an edit of a gyp file while gyp reads it configures again', async () => {
  const made = await project.builder('node-gyp');
  const gyp = "{ 'targets': [ { 'target_name': 'kernel', 'sources': ['kernel.c', 'more.c'] } ] }";
  project.write('more.c', 'const char *more = "more text";\n');
  await build(made, {
    onStep: (step) => step.startsWith('CC') && editBefore('build/Makefile', 'binding.gyp', gyp),
  });
  expect(holds('more text')).toBe(false);
  expect(await build(made)).toBe(true);
  expect(holds('more text')).toBe(true);
});

test('an object whose compilation was stopped before its depfile was whole is compiled again', async () => {
  project.remove();
  project = built.take();
  const raw = 'build/Release/.deps/Release/obj.target/kernel/kernel.o.d.raw';
  project.write(raw, '');
  await build(await project.builder('node-gyp'));
  const steps: string[] = [];
  // One that knows of no build before.
  await build(await project.builder('node-gyp'), { onStep: (step) => steps.push(step) });
  expect(steps).toContain('CC kernel');
  expect(fs.existsSync(project.at(raw))).toBe(false);
});

test.each(['k.d', 'k.o.d'])(
  'an edit while a command compiles is in the next build by way of %s',
  async (depfile) => {
    const compile = `cc -c -fPIC -MMD -MF build/Release/${depfile} -I${NODE_INCLUDE} kernel.c -o build/Release/k.o`;
    const script = `set -e; mkdir -p build/Release
    if [ ! build/Release/k.o -nt kernel.c ]; then ${compile}; echo "[1/1] compiled"; fi
    cc -shared build/Release/k.o -o ${ADDON}`;
    const made = await project.builder({ command: 'sh', args: ['-c', script] });
    await build(made, { onStep: () => editBefore('build/Release/k.o', 'kernel.c', source('second')) });
    expect(holds('second')).toBe(false);
    await build(made);
    expect(holds('second')).toBe(true);
  },
);
