/** Processes that build one output, some of which are killed in the middle of it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { open } from '../../src/index.ts';
import { createScratch, install, type Scratch } from '../support/addons.ts';
import { compiledUrl } from '../support/compiled.ts';
import { until, untilFound } from '../support/until.ts';
import { isRunning } from './hosted.ts';
import { type Counter, counter } from './life.ts';

const DIES_MAX_MS = 60_000;

const BUILDER = `
const { open } = await import(process.argv[1]);
const [file, stageDir, command, cwd] = process.argv.slice(2);
const build = { command: 'sh', args: ['-c', command], cwd };
const addon = await open(file, { stageDir, build, watch: { debounceMs: 0 } });
const say = () => console.log(addon.exports.version());
addon.on('reloaded', say).on('failed', () => undefined).on('warning', () => undefined);
say();
process.stdin.resume().once('end', async () => {
  await addon.close();
  process.exit(0);
});
`;

/** The build of one version waits for ever in the middle, once it has said by which group it runs. */
const COMMAND = [
  'version="$(cat src/kernel.c)"',
  'mkdir -p out',
  'if [ "$version" = "$SLOW" ]; then echo $$ > waits.new; mv waits.new waits; read line < gate; fi',
  'cp "built/v$version.node" "out/new-$$" && mv "out/new-$$" out/kernel.node',
].join('\n');

function createProject(): Scratch {
  const scratch = createScratch();
  scratch.write('package.json', '{}');
  for (const version of [1, 2, 3]) install(counter(version, false), scratch.file(`built/v${version}.node`));
  scratch.write('src/kernel.c', '1');
  execFileSync('mkfifo', [scratch.file('gate')]);
  return scratch;
}

interface Builder extends AsyncDisposable {
  readonly child: ChildProcess;
  until(version: number): Promise<void>;
  end(): Promise<[number | null, string | null]>;
  readonly ended: Promise<[number | null, string | null]>;
}

/**
 * A process that builds, until it is told to end or this one does.
 *
 * @param slow the version whose build stops in the middle
 */
function startBuilder(scratch: Scratch, slow: number | null): Builder {
  const given = [scratch.file('out/kernel.node'), scratch.file('stage'), COMMAND, scratch.path];
  const args = ['--input-type=module', '--eval', BUILDER, compiledUrl('index.js'), ...given];
  const env = { ...process.env, SLOW: `${slow ?? 'none'}` };
  const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<[number | null, string | null]>((resolve) => {
    child.once('exit', (code, signal) => resolve([code, signal]));
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    child,
    ended,
    async until(version) {
      for (;;) {
        const { value, done } = await lines.next();
        if (done === true) throw new Error(`ended before version ${version}`);
        if (value === `${version}`) return;
      }
    },
    end() {
      child.stdin.end();
      return ended;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** The whole source at once: a build that finds it empty would build no version. */
function edit(scratch: Scratch, version: number): void {
  scratch.write('built/next', `${version}`);
  fs.renameSync(scratch.file('built/next'), scratch.file('src/kernel.c'));
}

function groupIn(scratch: Scratch): Promise<number> {
  const file = scratch.file('waits');
  return untilFound('a build that waits', () =>
    fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8')) : null,
  );
}

const hasEnded = (group: number): Promise<void> => until('the end of the build', () => !isRunning(group));

test('two processes that build one output both come to its last version, also where one of them is killed in a build', {
  timeout: DIES_MAX_MS,
}, async () => {
  using scratch = createProject();
  await using survivor = startBuilder(scratch, null);
  await using victim = startBuilder(scratch, 2);
  await Promise.all([survivor.until(1), victim.until(1)]);
  edit(scratch, 2);
  const group = await groupIn(scratch);
  await survivor.until(2);
  victim.child.kill('SIGKILL');
  expect(await victim.ended).toEqual([null, 'SIGKILL']);
  // Or it would go on later, and put version 2 where version 3 is.
  await hasEnded(group);
  await using heir = startBuilder(scratch, null);
  await heir.until(2);
  edit(scratch, 3);
  await Promise.all([survivor.until(3), heir.until(3)]);
  expect(await Promise.all([survivor.end(), heir.end()])).toEqual([
    [0, null],
    [0, null],
  ]);
  expect(fs.readdirSync(scratch.file('stage'))).toEqual(['.lock']);
  expect(fs.readdirSync(path.join(scratch.path, 'out'))).toEqual(['kernel.node']);
});

test('a build whose process is killed ends with all that it has started', {
  timeout: DIES_MAX_MS,
}, async () => {
  using scratch = createProject();
  await using victim = startBuilder(scratch, 1);
  const group = await groupIn(scratch);
  victim.child.kill('SIGKILL');
  await victim.ended;
  await hasEnded(group);
  expect(fs.existsSync(scratch.file('out/kernel.node'))).toBe(false);
  const build = { command: 'sh', args: ['-c', COMMAND], cwd: scratch.path };
  await using addon = await open<Counter>(scratch.file('out/kernel.node'), {
    stageDir: scratch.file('stage'),
    build,
  });
  expect(addon.exports.version()).toBe(1);
});
