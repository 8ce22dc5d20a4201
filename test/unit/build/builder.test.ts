import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SourcePath } from '../../../src/brands.ts';
import type { Builder, BuildOutcome } from '../../../src/build/builder.ts';
import { createBuilder } from '../../../src/build/create-builder.ts';
import { OUTPUT_LINES_MAX } from '../../../src/build/run.ts';
import { type ErrorCode, isReloadError, type ReloadError } from '../../../src/errors.ts';
import { type ResolvedBuild, resolveBuild } from '../../../src/build-options.ts';
import { realOutside } from '../../../src/outside.ts';
import { compiledUrl } from '../../support/compiled.ts';
import { until } from '../../support/until.ts';

let root: string;

beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'napi-reload build-')));
});

afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

const at = (name: string) => path.join(root, name);
function write(name: string, text: string): void {
  fs.mkdirSync(path.dirname(at(name)), { recursive: true });
  fs.writeFileSync(at(name), text);
}

const KERNEL = '#include "k.h"\n#include <node_api.h>\nNAPI_MODULE_INIT() { (void)env; return exports; }\n';
const ADDON = 'build/Release/kernel.node';

function project(): void {
  write('package.json', '{}');
  write(
    'binding.gyp',
    "{ 'targets': [ { 'target_name': 'kernel', 'sources': ['src/kernel.c'] } ] } # comment\n",
  );
  write('src/kernel.c', KERNEL);
  write('src/k.h', '#define K 1\n');
}

const NODE_GYP = resolveBuild('node-gyp');
const addon = (name = ADDON) => at(name) as SourcePath;
async function builder(build: ResolvedBuild, name?: string): Promise<Builder> {
  const made = await createBuilder(build, addon(name), realOutside);
  if (made === null) throw new Error('no builder');
  return made;
}
const command = (
  script: string,
  more: { cwd?: string; env?: Record<string, string> } = {},
): ResolvedBuild => ({
  kind: 'command',
  command: 'sh',
  args: ['-c', script],
  cwd: more.cwd ?? null,
  env: more.env ?? {},
});

interface Given {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  readonly onStep?: (step: string) => void;
}

function build(made: Builder, { signal, timeoutMs = 60_000, onStep }: Given = {}): Promise<BuildOutcome> {
  return made.build({
    signal: signal ?? new AbortController().signal,
    timeoutMs,
    onProgress: ({ step }) => onStep?.(step),
  });
}

async function failure<C extends ErrorCode>(code: C, promise: Promise<unknown>): Promise<ReloadError<C>> {
  const error: unknown = await promise.then(
    () => 'no failure',
    (reason: unknown) => reason,
  );
  if (!isReloadError(error, code)) throw error;
  return error;
}

const isAlive = (pid: number) => {
  try {
    // A zombie that nobody has reaped yet runs no more.
    return !fs.readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
};
const printedPid = (output: string, name: string) => Number(new RegExp(`${name}=(\\d+)`).exec(output)?.[1]);

test('node-gyp builds a fresh project, and does not configure it again', async () => {
  project();
  const made = await builder(NODE_GYP);
  const steps: string[] = [];
  expect(await build(made, { onStep: (step) => steps.push(step) })).toMatchObject({
    configured: true,
    skipped: false,
    diagnostics: [],
  });
  expect(steps).toEqual(['configure', 'CC kernel', 'SOLINK_MODULE kernel.node', 'COPY kernel.node']);
  expect(made.root).toBe(root);

  write('src/kernel.c', KERNEL.replace('(void)env;', 'int unused; (void)env;'));
  const { configured, diagnostics } = await build(made);
  expect(configured).toBe(false);
  const [file, severity] = [at('src/kernel.c'), 'warning'];
  expect(diagnostics).toEqual([
    { file, line: 3, column: 26, severity, text: expect.stringContaining('unused') },
  ]);

  // Other bytes: a file that was only touched starts no builder.
  fs.appendFileSync(at('binding.gyp'), '# another one\n');
  expect((await build(made)).configured).toBe(true);
});

test('node-gyp configures again when the build folder is of another Node.js', async () => {
  project();
  await build(await builder(NODE_GYP));
  const config = fs.readFileSync(at('build/config.gypi'), 'utf8');
  const makefileMs = fs.statSync(at('build/Makefile')).mtime;
  write('build/config.gypi', config.replace(/"node_module_version": \d+/, '"node_module_version": 1'));
  fs.utimesSync(at('build/config.gypi'), makefileMs, makefileMs);
  expect((await build(await builder(NODE_GYP))).configured).toBe(true);
});

test('node-gyp builds Debug when the addon is there', async () => {
  project();
  await build(await builder(NODE_GYP, 'build/Debug/kernel.node'));
  expect(fs.existsSync(at('build/Debug/kernel.node'))).toBe(true);
  expect(fs.existsSync(at(ADDON))).toBe(false);
});

test('a syntax error leaves the bytes of the good addon, and tells where it is', async () => {
  project();
  const made = await builder(NODE_GYP);
  await build(made);
  const good = fs.readFileSync(at(ADDON));
  write('src/kernel.c', `${KERNEL}#include "late.h"\nint broken(\n`);
  const { details, message } = await failure('ERR_BUILD_FAILED', build(made));
  expect(details).toMatchObject({ command: 'node-gyp build', reason: 'exit', exitCode: 1, addon: at(ADDON) });
  expect(details.diagnostics).toContainEqual(
    expect.objectContaining({ file: at('src/kernel.c'), line: 4, severity: 'fatal error' }),
  );
  expect(message).toContain(`${at('src/kernel.c')}:4:`);
  expect(details.output).toContain('late.h');
  expect(fs.readFileSync(at(ADDON))).toEqual(good);
  expect(await made.inputs()).toContain(at('src/late.h'));

  write('src/kernel.c', KERNEL);
  expect((await build(made)).diagnostics).toEqual([]);
});

const brokenGyp = {
  'a gyp file that is no Python literal': [
    "{ 'targets': [\n { 'target_name': 'kernel'\n 'x': 1 } ] }",
    3,
    'SyntaxError',
  ],
  'a gyp file with a variable that is missing': [
    "{ 'targets': [ { 'target_name': 'kernel', 'sources': ['<(nope)'] } ] }",
    0,
    'Undefined variable nope',
  ],
} as const;

test.each(Object.entries(brokenGyp))(
  '%s fails with its reason each time, and a mended one builds',
  async (_, [gyp, line, text]) => {
    project();
    const good = fs.readFileSync(at('binding.gyp'));
    write('binding.gyp', gyp);
    const made = await builder(NODE_GYP);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const { details } = await failure('ERR_BUILD_FAILED', build(made));
      expect(details.command).toBe('node-gyp configure');
      expect(details.diagnostics[0]).toMatchObject({
        file: at('binding.gyp'),
        line,
        text: expect.stringContaining(text),
      });
    }
    fs.writeFileSync(at('binding.gyp'), good);
    expect((await build(made)).configured).toBe(true);
  },
);

test('node-gyp is refused when no folder above the addon has a binding.gyp', async () => {
  const error = await failure('ERR_INVALID_OPTION', builder(NODE_GYP));
  expect(error.details).toMatchObject({ option: 'build', found: expect.stringContaining(at(ADDON)) });
});

test('inputs of node-gyp are its gyp files and sources before the first build, and headers after it', async () => {
  project();
  write(
    'more.gypi',
    "{ 'target_defaults': { 'conditions': [['OS==\"linux\"', { 'sources+': ['src/extra.c'] }]] } }",
  );
  const made = await builder(NODE_GYP);
  const before = ['binding.gyp', 'more.gypi', 'src/extra.c', 'src/kernel.c'].map(at);
  expect(await made.inputs()).toEqual(before);
  await build(made);
  const after = await made.inputs();
  expect(after.filter((file) => file.startsWith(root))).toEqual([
    ...before.slice(0, 3),
    at('src/k.h'),
    at('src/kernel.c'),
  ]);
  expect(after.map((file) => path.basename(file))).toContain('node_api.h');
});

test('inputs of node-gyp are all sources while only gyp knows their names', async () => {
  project();
  write('binding.gyp', "{ 'targets': [ { 'target_name': 'kernel', 'sources': ['<!@(ls src/*.c)'] } ] }");
  write('node_modules/other/x.c', '');
  expect(await (await builder(NODE_GYP)).inputs()).toEqual(
    ['binding.gyp', 'src/k.h', 'src/kernel.c'].map(at),
  );
});

test('no builder is made when somebody else builds', async () => {
  expect(await createBuilder({ kind: 'none' }, addon(), realOutside)).toBeNull();
});

test('a command runs in the project folder with its environment, and passes steps on', async () => {
  project();
  const script = 'echo "[1/1] in $PWD with $GREETING"; mkdir -p build/Release; : > build/Release/kernel.node';
  const steps: string[] = [];
  const made = await builder(command(script, { env: { GREETING: 'hello' } }));
  const outcome = await build(made, { onStep: (step) => steps.push(step) });
  expect(outcome).toEqual({ configured: false, skipped: false, diagnostics: [], phasesMs: {} });
  expect(steps).toEqual([`in ${root} with hello`]);
});

test('a command that ends badly, or well without an addon, is told with what it printed', async () => {
  project();
  const bad = await failure('ERR_BUILD_FAILED', build(await builder(command('echo some words >&2; exit 7'))));
  expect(bad.details).toMatchObject({ reason: 'exit', exitCode: 7, signal: null, output: 'some words' });
  const killed = await failure('ERR_BUILD_FAILED', build(await builder(command('kill -SEGV $$'))));
  expect(killed.details).toMatchObject({ reason: 'signal', exitCode: null, signal: 'SIGSEGV' });
  const missing = await failure('ERR_BUILD_FAILED', build(await builder(command('true'))));
  expect(missing.details).toMatchObject({ reason: 'missing', exitCode: 0 });
  const none: ResolvedBuild = {
    kind: 'command',
    command: 'no-such-program',
    args: ['x'],
    cwd: null,
    env: {},
  };
  const spawn = await failure('ERR_BUILD_FAILED', build(await builder(none)));
  expect(spawn.details).toMatchObject({ reason: 'spawn', command: 'no-such-program x', exitCode: null });
  expect(spawn.cause).toMatchObject({ code: 'ENOENT' });
});

test('the output that is kept is bounded', async () => {
  project();
  const script = 'i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done; exit 1';
  const { details } = await failure('ERR_BUILD_FAILED', build(await builder(command(script))));
  const lines = details.output.split('\n');
  expect([lines.length, lines.at(-1)]).toEqual([OUTPUT_LINES_MAX, 'line 4999']);
});

test('a command without a project folder above the addon is refused', async () => {
  const error = await failure('ERR_INVALID_OPTION', builder(command('true')));
  expect(error.details.option).toBe('build.cwd');
  expect((await builder(command('true', { cwd: root }))).root).toBe(root);
});

test('a build that exceeds its time is stopped with all its children', async () => {
  project();
  const script = 'sleep 600 & echo child=$!; echo shell=$$; wait';
  const { details } = await failure(
    'ERR_BUILD_FAILED',
    build(await builder(command(script)), { timeoutMs: 150 }),
  );
  expect(details.reason).toBe('timeout');
  expect(['child', 'shell'].map((name) => isAlive(printedPid(details.output, name)))).toEqual([false, false]);
});

test('an aborted build is over only when all its children are gone, also those that ignore SIGTERM', async () => {
  project();
  const script = `trap '' TERM; sh -c 'trap "" TERM; echo "[1/1] child=$$"; while :; do sleep 1; done' & wait; wait`;
  const abort = new AbortController();
  let child = 0;
  const onStep = (step: string) => {
    child = printedPid(step, 'child');
    abort.abort(new Error('newer change'));
  };
  const error = await failure(
    'ERR_ABORTED',
    build(await builder(command(script)), { signal: abort.signal, onStep }),
  );
  expect(error.details).toEqual({ addon: at(ADDON), during: 'build' });
  expect(error.cause).toBe(abort.signal.reason);
  expect([child > 0, isAlive(child)]).toEqual([true, false]);
});

test('a signal that has fired already starts nothing', async () => {
  project();
  await failure('ERR_ABORTED', build(await builder(command(': > started')), { signal: AbortSignal.abort() }));
  expect(fs.existsSync(at('started'))).toBe(false);
});

test('a daemon that keeps the output open does not hold up the build', async () => {
  project();
  // The daemon is in a session of its own once it has written to the pipe.
  const script =
    "mkfifo ready; setsid sh -c 'echo > ready; exec sleep 600' & read -r _ < ready; echo daemon=$!; exit 3";
  const { details } = await failure('ERR_BUILD_FAILED', build(await builder(command(script))));
  const daemon = printedPid(details.output, 'daemon');
  expect(details.exitCode).toBe(3);
  expect(isAlive(daemon)).toBe(true);
  process.kill(daemon);
});

test('a build does not outlive the process that started it', async () => {
  project();
  const script = `
    const { createBuilder } = await import(process.argv[2]);
    const { realOutside } = await import(process.argv[3]);
    const args = ['-c', 'sleep 600 & echo "[1/1] child=$!"; wait'];
    const build = { kind: 'command', command: 'sh', args, cwd: null, env: {} };
    const builder = await createBuilder(build, process.argv[4], realOutside);
    const onProgress = ({ step }) => {
      console.log(step);
      process.exit(0);
    };
    await builder.build({ signal: new AbortController().signal, timeoutMs: 60000, onProgress });
  `;
  write('child.mjs', script);
  const urls = [compiledUrl('build/create-builder.js'), compiledUrl('outside.js')];
  const stdout = execFileSync(process.execPath, [at('child.mjs'), ...urls, addon()], { encoding: 'utf8' });
  const child = printedPid(stdout, 'child');
  expect(child).toBeGreaterThan(0);
  await until('the end of what the build has started', () => !isAlive(child));
});

test('inputs of a command are the sources in the project folder', async () => {
  project();
  for (const name of ['CMakeLists.txt', 'a.rs', 'notes.txt', '.git/x.c', 'node_modules/m/y.c', 'build/gen.c'])
    write(name, '');
  const found = ['CMakeLists.txt', 'a.rs', 'binding.gyp', 'src/k.h', 'src/kernel.c'];
  expect(await (await builder(command('true'))).inputs()).toEqual(found.map(at));
});

test('inputs of a command that leaves depfiles are the files in them', async () => {
  project();
  write('src/unused.c', '');
  const include = path.resolve(path.dirname(fs.realpathSync(process.execPath)), '../include/node');
  const cc = `cc -shared -fPIC -MMD -MF build/k.d -I${include} -o build/kernel.node src/kernel.c`;
  const made = await builder(command(`mkdir -p build && ${cc}`), 'build/kernel.node');
  await build(made);
  const inputs = await made.inputs();
  expect(inputs.filter((file) => file.startsWith(root))).toEqual(
    ['binding.gyp', 'src/k.h', 'src/kernel.c'].map(at),
  );
});
