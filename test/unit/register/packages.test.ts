/** `node --import napi-reload/register` and `-r`, seen from apps that do not know of it. */
import { type ChildProcess, fork } from 'node:child_process';
import { on, once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createScratch, type Scratch } from '../../support/addons.ts';
import { compiledUrl } from '../../support/compiled.ts';
import { editStep, PACKAGES, type PackageName, writeApp } from './packages.ts';

let scratch: Scratch;
let app: string;

beforeAll(() => {
  scratch = createScratch();
  app = writeApp(scratch);
});
afterAll(() => scratch[Symbol.dispose]());

interface App {
  readonly child: ChildProcess;
  /** What it wrote to stderr so far. */
  errors(): string;
  /** Counts once in each package. */
  count(): Promise<Record<PackageName, number>>;
  /** @returns its exit code */
  end(): Promise<number | null>;
}

async function start(execArgv: readonly string[]): Promise<App> {
  const child = fork(app, { execArgv: [...execArgv], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  await once(child, 'message');
  return {
    child,
    errors: () => errors,
    async count() {
      child.send('count');
      const [counts] = (await once(child, 'message')) as [Record<PackageName, number>];
      return counts;
    },
    async end() {
      child.send('end');
      const [exitCode] = (await once(child, 'close')) as [number | null];
      return exitCode;
    },
  };
}

/** Of an addon that has just been built. */
async function swapped({ child }: App, name: string): Promise<string> {
  let said = '';
  for await (const [text] of on(child.stderr as NodeJS.ReadableStream, 'data')) {
    said += text;
    if (said.includes(`${name}: version`) && said.endsWith('\n')) break;
  }
  return said;
}

const register = () => new URL(compiledUrl('register/register.js'));
const together = (count: number): Record<PackageName, number> => ({
  'by-bindings': count,
  'by-gyp-build': count,
  'by-require': count,
});

describe.each([
  { how: '--import', execArgv: () => ['--import', register().href] },
  { how: '-r', execArgv: () => ['-r', register().pathname] },
])('an app of three packages under $how', ({ execArgv }) => {
  test('goes over to each addon that is built anew, with its state, and ends by itself', async () => {
    const running = await start(execArgv());
    expect(await running.count()).toEqual(together(1));
    const totals = together(1);
    const steps = together(1);
    for (const [index, name] of PACKAGES.entries()) {
      steps[name] = 100 * (index + 1);
      const said = swapped(running, 'counter.node');
      editStep(scratch, name, steps[name]);
      expect(await said).toMatch(
        /^\[napi-reload] counter.node: version 2 replaced version 1 in .* state carried\n$/,
      );
      for (const each of PACKAGES) totals[each] += steps[each];
      expect(await running.count()).toEqual(totals);
    }
    expect(await running.end()).toBe(0);
    for (const name of PACKAGES) editStep(scratch, name, 1);
  });
});

test('unregistered, the same app runs the same', async () => {
  const [plain, registered] = await Promise.all([start([]), start(['--import', register().href])]);
  for (const count of [1, 2]) {
    expect(await plain.count()).toEqual(together(count));
    expect(await registered.count()).toEqual(together(count));
  }
  expect(await Promise.all([plain.end(), registered.end()])).toEqual([0, 0]);
  expect(registered.errors()).toBe(plain.errors());
});
