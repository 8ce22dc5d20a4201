/** Builds after the wall clock was set back: what was made before looks newer than every edit from then on. */
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { open } from '../../../src/index.ts';
import {
  kernelC,
  makeProject,
  type Project,
  writeCmake,
  writeGyp,
  writeSources,
} from '../../support/projects.ts';

const HOUR_MS = 3_600_000;
const realNow = Date.now;

let project: Project;
beforeEach(() => {
  project = makeProject();
});
afterEach(() => {
  Date.now = realNow;
  project.remove();
});

interface Kernel {
  value(): number;
}

/** The clock was an hour ahead while all of this was built, from sources that are older than that. */
function setBack(): void {
  const ahead = new Date(realNow() + HOUR_MS);
  for (const name of fs.readdirSync(project.at('build'), { recursive: true, encoding: 'utf8' })) {
    fs.lutimesSync(project.at(path.join('build', name)), ahead, ahead);
  }
  Date.now = realNow;
}

interface Described {
  /** Of the two tools, each in one lane: what differs by the lane has tests of its own. */
  readonly fast: boolean;
  describeBuild(define: string): void;
}

const TOOLS: readonly (readonly [tool: 'node-gyp' | 'cmake-js', described: Described])[] = [
  [
    'node-gyp',
    {
      fast: true,
      describeBuild: (define) => writeGyp(project, ['src/kernel.c'], `'defines': ['${define}']`),
    },
  ],
  [
    'cmake-js',
    {
      fast: false,
      describeBuild(define) {
        const line = `target_compile_definitions(kernel PRIVATE ${define})\n`;
        writeCmake(project);
        fs.appendFileSync(project.at('CMakeLists.txt'), line);
      },
    },
  ],
];

describe.each(TOOLS)('with %s, an edit after the clock was set back', (tool, { fast, describeBuild }) => {
  /** The description gives `kernel.c` its factor. */
  const write = (value: number, factor: number): void => {
    writeSources(project, value);
    project.write('src/k.h', '#define K FACTOR\n');
    describeBuild(`FACTOR=${factor}`);
  };

  test('is in the addon that is built next', async () => {
    write(1, 1);
    Date.now = () => realNow() + HOUR_MS;
    const options = { build: { tool, fast }, stageDir: project.at('.stage') } as const;
    await using addon = await open<Kernel>(project.addon, options);
    expect(addon.exports.value()).toBe(1);
    setBack();
    project.write('src/kernel.c', kernelC(2));
    await addon.reload();
    expect(addon.exports.value()).toBe(2);
    // From then on all is as ever.
    project.write('src/kernel.c', kernelC(3));
    await addon.reload();
    expect(addon.exports.value()).toBe(3);
  });

  test('of how it is built is, too, and not lost by a mistake in between', async () => {
    write(1, 1);
    Date.now = () => realNow() + HOUR_MS;
    const options = { build: tool, stageDir: project.at('.stage') } as const;
    await using addon = await open<Kernel>(project.addon, options);
    setBack();
    project.write('src/kernel.c', 'mistake');
    await expect(addon.reload()).rejects.toMatchObject({ code: 'ERR_BUILD_FAILED' });
    project.write('src/kernel.c', kernelC(2));
    describeBuild('FACTOR=10');
    await addon.reload();
    expect(addon.exports.value()).toBe(20);
  });
});
