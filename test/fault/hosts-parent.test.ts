/** The end of the handle's own process: its hosts end with it, whatever they are at. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { open } from '../../src/index.ts';
import { FIXTURES, install } from '../support/addons.ts';
import { until } from '../support/until.ts';
import { fatalAddon, hostsOf, isRunning, Stand, staged } from './hosted.ts';

/** What hosts are started from, too. */
const LIBRARY = pathToFileURL(path.resolve(FIXTURES, '../../dist/index.js')).href;

let stand: Stand;
beforeEach(() => {
  stand = new Stand();
  stand.install(1);
});
afterEach(() => stand[Symbol.asyncDispose]());

/** The script is the body of a module that has `open`, `file` and `options`. */
function start(script: string, options: Parameters<Stand['options']>[0] = {}): ChildProcess {
  const given = JSON.stringify(stand.options(options));
  const names = `const file = ${JSON.stringify(stand.file)}; const options = ${given};`;
  const module = `import { open } from ${JSON.stringify(LIBRARY)};\n${names}\n${script}`;
  return spawn(process.execPath, ['--input-type=module', '--eval', module], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
}

async function endOf(child: ChildProcess): Promise<{ readonly how: unknown; readonly output: string }> {
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const how = await once(child, 'close');
  return { how, output };
}

/** Whoever opens next removes what a killed process left on disk. */
async function expectSwept(): Promise<void> {
  const next = await open(stand.file, { stageDir: stand.stageDir });
  await next.close();
  expect(staged(stand.stageDir)).toEqual([]);
}

describe('kill -9 of it ends its hosts', () => {
  /** Kills it once its script says so, or its addon is there. */
  async function killAt(script: string, isThere: (child: ChildProcess) => Promise<unknown>): Promise<void> {
    const child = start(script);
    await isThere(child);
    const pid = child.pid ?? 0;
    const hosts = hostsOf(pid);
    expect(hosts.length).toBeGreaterThan(0);
    const ended = endOf(child);
    process.kill(pid, 'SIGKILL');
    expect((await ended).how).toEqual([null, 'SIGKILL']);
    for (const host of hosts) await until(`host ${host} has ended`, () => !isRunning(host));
    await expectSwept();
  }

  test.each(['load', 'prepare', 'init', 'save'])('at %s of the first version', async (stage) => {
    stand.plan(1, stage, 'hang');
    await killAt('await open(file, options);', () => stand.at(1, stage));
  });

  test.each(['load', 'prepare', 'init', 'save'])('at %s of a reload', async (stage) => {
    stand.plan(2, stage, 'hang');
    const next = stand.file.replace('fatal', 'next');
    install(fatalAddon(2), next);
    const script = `
      import fs from 'node:fs';
      const addon = await open(file, options);
      await addon.exports.bump();
      fs.renameSync(${JSON.stringify(next)}, file);
      await addon.reload();
    `;
    await killAt(script, () => stand.at(2, stage));
  });

  test('at save of the old version', async () => {
    const script = `
      const addon = await open(file, options);
      process.send('open');
      await new Promise((resolve) => process.once('message', resolve));
      await addon.reload({ force: true });
    `;
    await killAt(script, async (child) => {
      await once(child, 'message');
      stand.plan(1, 'save', 'hang');
      child.send('reload');
      await stand.at(1, 'save');
    });
  });

  test('as it serves', async () => {
    const script = `
      const addon = await open(file, options);
      await addon.exports.bump();
      process.send('serves');
      process.on('message', () => {});
    `;
    await killAt(script, (child) => once(child, 'message'));
  });

  test('in a call that never returns', async () => {
    const script = `
      const addon = await open(file, options);
      const call = addon.exports.die('loop');
      setTimeout(() => process.send('called'), 50);
      await call;
    `;
    await killAt(script, (child) => once(child, 'message'));
  });

  test('in a restart', async () => {
    const script = `
      const addon = await open(file, options);
      process.send('open');
      await new Promise((resolve) => process.once('message', resolve));
      addon.exports.die('segv').catch(() => {});
    `;
    await killAt(script, async (child) => {
      await once(child, 'message');
      stand.plan(1, 'init', 'hang');
      child.send('die');
      await stand.at(1, 'init');
    });
  });
});

describe.each(['process', 'worker'] as const)('isolation %s', (isolation) => {
  const CALLS = `
    const addon = await open(file, options);
    console.log(await addon.exports.bump());
  `;

  test.each([
    ['calls and comes to its end', CALLS, 0],
    ['calls and comes to its end, with a bound on calls', CALLS, 0],
    ['closes and comes to its end', `${CALLS} await addon.close();`, 0],
    ['calls process.exit', `${CALLS} process.exit(3);`, 3],
    ['throws', `${CALLS} process.on('uncaughtException', () => process.exit(4)); throw new Error('no');`, 4],
    ['makes objects', `${CALLS} globalThis.cell = new addon.exports.Cell(1); await cell.get();`, 0],
    ['reloads', `${CALLS} await addon.reload({ force: true });`, 0],
    [
      'has a crash and comes to its end',
      isolation === 'process'
        ? `${CALLS} await addon.exports.die('segv').catch(() => {}); await addon.exports.bump();`
        : CALLS,
      0,
    ],
  ])('a script that %s ends by itself, and its hosts with it', async (name, script, exitCode) => {
    const bound = name.includes('bound') ? { callTimeoutMs: 3_600_000 } : {};
    const child = start(script, { isolation, ...bound });
    let hosts: readonly number[] = [];
    child.stdout?.once('data', () => {
      hosts = hostsOf(child.pid ?? 0);
    });
    const { how, output } = await endOf(child);
    expect([how, output]).toEqual([[exitCode, null], '1\n']);
    for (const host of hosts) await until(`host ${host} has ended`, () => !isRunning(host));
    await until('nothing is staged', () => staged(stand.stageDir).length === 0);
  });

  test('a call that waits keeps the script running', async () => {
    const script = `${CALLS} addon.exports.die('pause').then((version) => console.log('paused', version));`;
    const { how, output } = await endOf(start(script, { isolation }));
    expect([how, output]).toEqual([[0, null], '1\npaused 1\n']);
  });
});
