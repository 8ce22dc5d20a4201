import fs from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Builder } from '../../../src/build/builder.ts';
import { build, kernelC, makeProject, type Project, writeSources } from '../../support/projects.ts';

let project: Project;
let builder: Builder;

/** Writes an addon whose bytes are those of the sources and the data. */
const SCRIPT =
  'echo "[1/1] runs"; cat ready; mkdir -p build/Release; cat src/* data/* > build/Release/kernel.node';

beforeEach(async () => {
  project = makeProject();
  writeSources(project);
  project.write('data/table.bin', 'one');
  project.write('ready', '');
  builder = await project.builder({ command: 'sh', args: ['-c', SCRIPT], cwd: project.root });
});

afterEach(() => project.remove());

/** Until what was written just now is no longer of the moment in which a build began. */
async function settle(): Promise<void> {
  while (!(await build(builder)).skipped);
}

const isStarted = async (flags: { readonly always?: boolean; readonly clean?: boolean } = {}) => {
  const { skipped, steps } = await build(builder, flags);
  expect(steps).toHaveLength(skipped ? 0 : 1);
  return !skipped;
};

test('a builder is started for other bytes, and not for the same bytes in a newer file', async () => {
  expect(await isStarted()).toBe(true);
  await settle();
  project.write('src/kernel.c', kernelC(1));
  expect(await isStarted()).toBe(false);
  project.write('src/kernel.c', kernelC(2));
  expect(await isStarted()).toBe(true);
  project.write('src/kernel.c', kernelC(1));
  expect(await isStarted()).toBe(true);
});

test('a builder is started for files that nobody knows it to read', async () => {
  await settle();
  project.write('data/table.bin', 'two');
  expect(await isStarted()).toBe(true);
  expect(fs.readFileSync(project.addon, 'utf8')).toContain('two');
  await settle();
  project.write('src/new.c', '');
  expect(await isStarted()).toBe(true);
});

test('a builder is started when it is asked for, from scratch or not', async () => {
  await settle();
  expect(await isStarted({ always: true })).toBe(true);
  expect(await isStarted({ clean: true })).toBe(true);
});

test('a builder is started when its addon is not as it left it', async () => {
  await settle();
  fs.rmSync(project.addon);
  expect(await isStarted()).toBe(true);
  await settle();
  fs.writeFileSync(project.addon, 'by hand');
  expect(await isStarted()).toBe(true);
});

test('a builder is started again after it has failed', async () => {
  await settle();
  fs.rmSync(project.at('ready'));
  fs.mkdirSync(project.at('ready'));
  const failing = await project.builder({
    command: 'sh',
    args: ['-c', `set -e; ${SCRIPT}`],
    cwd: project.root,
  });
  await expect(build(failing)).rejects.toMatchObject({ code: 'ERR_BUILD_FAILED' });
  await expect(build(failing)).rejects.toMatchObject({ code: 'ERR_BUILD_FAILED' });
});

test('what is edited while the builder runs is not taken for built', async () => {
  await settle();
  fs.rmSync(project.at('ready'));
  project.run('mkfifo', [project.at('ready')]);
  const edited = build(builder, {
    always: true,
    onProgress() {
      // Both that the compiler may have read it and that it may not have: the bytes are back when it ends.
      project.write('src/k.h', '#define K 2\n');
      project.write('src/k.h', '#define K 1\n');
      fs.writeFileSync(project.at('ready'), '');
    },
  });
  await edited;
  const next = build(builder, { onProgress: () => fs.writeFileSync(project.at('ready'), '') });
  expect((await next).skipped).toBe(false);
});
