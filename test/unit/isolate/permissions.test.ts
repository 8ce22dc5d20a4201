/** Hosts and builds under Node's permission model. */
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createScratch, install, type Scratch, scriptedAddon } from '../../support/addons.ts';
import { compiledUrl } from '../../support/compiled.ts';

/** Node.js 20 has it by this name alone. */
const MODEL = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';
const ALLOWED = [MODEL, '--allow-addons', '--allow-fs-read=*', '--allow-fs-write=*'];

let scratch: Scratch;

beforeEach(() => {
  scratch = createScratch();
  install(scriptedAddon('exports.value = () => 7;'), scratch.file('kernel.node'));
});

afterEach(() => scratch[Symbol.dispose]());

/** Opens the addon in a process that may do so much, and tells what became of it. */
function openUnder(flags: readonly string[], options: object): unknown {
  const given = JSON.stringify({ ...options, stageDir: scratch.file('stage') });
  const script = `
    import { open } from ${JSON.stringify(compiledUrl('index.js'))};
    try {
      const addon = await open(${JSON.stringify(scratch.file('kernel.node'))}, ${given});
      console.log(JSON.stringify({ value: await addon.exports.value() }));
      await addon.close();
    } catch ({ code, message, details, cause }) {
      console.log(JSON.stringify({ code, message, details, cause: cause?.code }));
    }`;
  const args = [...flags, '--no-warnings', '--input-type=module', '--eval', script];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}

test.each([
  [{ isolation: 'process' }, '--allow-child-process', 'processes'],
  [{ isolation: 'worker' }, '--allow-worker', 'Workers'],
  [{ rehearse: true }, '--allow-child-process', 'processes'],
])('%o where Node.js refuses it names the flag that allows it', (options, flag, hosts) => {
  const addon = scratch.file('kernel.node');
  expect(openUnder(ALLOWED, options)).toEqual({
    code: 'ERR_HOST_CRASHED',
    message: `Cannot start what is to run version 1 of "${addon}": this process may start no ${hosts}; start Node.js with ${flag}`,
    details: { addon, version: 1, exitCode: null, signal: null, stderr: '', reason: 'start-failed' },
    cause: 'ERR_ACCESS_DENIED',
  });
  expect(openUnder([...ALLOWED, flag], options)).toEqual({ value: 7 });
});

test('a build that Node.js may not start is a failed build', () => {
  const options = { build: { command: 'true', cwd: scratch.path } };
  expect(openUnder(ALLOWED, options)).toMatchObject({
    code: 'ERR_BUILD_FAILED',
    details: { reason: 'spawn' },
    cause: 'ERR_ACCESS_DENIED',
  });
  expect(openUnder([...ALLOWED, '--allow-child-process'], options)).toEqual({ value: 7 });
});
