/** Functions that were taken before a reload, while things happen around them that could crash the process. */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { compileAddon, createScratch, FIXTURES } from '../support/addons.ts';
import { traceOf } from './trace.ts';

const calls = (version: 1 | 2, ...defines: readonly string[]): string =>
  compileAddon([path.join(FIXTURES, 'swap/calls.c')], [`-DVERSION=${version}`, ...defines]);
const OPEN = `
  install('v1');
  const addon = await openAddon();
  const { version, callBack, fail } = addon.exports;
  const attempt = (run) => { try { return run(); } catch ({ code }) { return code; } };
  const saySlots = async () => {
    const { createRequire } = await import('node:module');
    const shim = new URL('../build/Release/napi_reload.node', plan.library);
    const { pooledSlots, heapSlots, images } = createRequire(import.meta.url)(shim.pathname).internals.ledgerUse();
    say('images ' + images + ', slots ' + (pooledSlots + heapSlots));
  };
`;
/** A Worker that takes a function, reloads and ends in the way that is put in. */
const WORKER = (end: string): string => `
  const { openAddon, reload, install, say } = await import(process.env.TRACE_CHILD);
  const addon = await openAddon();
  const { version, callBack } = addon.exports;
  install('v2');
  await reload(addon);
  say('worker ' + version() + callBack(() => 0));
  globalThis.kept = [version, callBack];
  ${end}
`;

async function trace(script: string): Promise<readonly string[]> {
  using scratch = createScratch();
  const builds = { v1: calls(1), v2: calls(2), none: calls(2, '-DWITHOUT') };
  const { trace: lines, ...end } = await traceOf(scratch, OPEN + script, { builds });
  expect(end).toEqual({ errors: '', exitCode: 0, signal: null });
  expect(lines[0]).toBe('opened');
  return lines.slice(1);
}

describe('a function that was taken before a reload', () => {
  test('runs, throws, and calls back in the new version while the old one is unmapped', async () => {
    const lines = await trace(`
      install('v2');
      const report = await addon.reload();
      say(report.retired.outcome + ' ' + version() + ' ' + attempt(fail) + ' ' + callBack(() => version()));
      say(attempt(() => callBack(() => fail())));
      await close(addon);
      say(attempt(version) + ' ' + attempt(() => new version()));
      await saySlots();
    `);
    expect(lines).toEqual([
      'unloaded 2 ERR_FIXTURE 20',
      'ERR_FIXTURE',
      'closed',
      'ERR_CLOSED ERR_CLOSED',
      expect.stringMatching(/^images 0/),
    ]);
  });

  test('ends its call in the old version when an asynchronous caller reloads meanwhile', async () => {
    const lines = await trace(`
      install('v2');
      const turns = [];
      const caller = async () => {
        for (let turn = 0; turn < 200; turn++) {
          turns.push(version() + callBack(() => version()));
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      let reloading;
      const calling = caller();
      say('called back ' + callBack(() => { reloading = reload(addon); return version(); }));
      await Promise.all([reloading, calling]);
      say([...new Set(turns)].join(' ') + ' ' + version());
      await close(addon);
    `);
    expect(lines).toEqual(['called back 10', 'reloaded stateless', '11 22 2', 'closed']);
  });

  test('goes, comes back, and is collected when nobody holds it', async () => {
    const lines = await trace(`
      const { setFlagsFromString } = await import('node:v8');
      setFlagsFromString('--expose-gc');
      const gc = (await import('node:vm')).runInNewContext('gc');
      for (const name of ['none', 'v2', 'none', 'v1']) {
        install(name);
        await reload(addon);
        say(String(attempt(version)));
      }
      await close(addon);
      await (async () => {
        for (let round = 0; round < 3; round++) {
          const other = await openAddon();
          other.exports.version();
          await close(other);
        }
      })();
      for (let round = 0; round < 8; round++) {
        gc();
        await new Promise((resolve) => setImmediate(resolve));
      }
      await saySlots();
    `);
    const [slots] = lines.slice(-1);
    const each = (code: string): string[] => ['reloaded stateless', code];
    expect(lines.slice(0, 8)).toEqual([
      ...each('ERR_EXPORT_REMOVED'),
      ...each('2'),
      ...each('ERR_EXPORT_REMOVED'),
      ...each('1'),
    ]);
    // Those of the four handles together are more than 60.
    expect(Number(/slots (\d+)/.exec(slots ?? '')?.[1])).toBeLessThan(30);
  });

  test.each([
    ['exits', `process.exit(0);`, 'worker ended 0'],
    ['throws', `throw new Error('on purpose');`, 'worker ended 1'],
    ['runs out of things to do', `await addon.close();`, 'worker ended 0'],
    ['is terminated in a call', `callBack(() => { postMessage(); for (;;); });`, 'worker ended 1'],
  ])('is left behind by a Worker that %s', async (_, end, last) => {
    const code = WORKER(
      end.replace('postMessage()', `process.getBuiltinModule('worker_threads').parentPort.postMessage(0)`),
    );
    const lines = await trace(`
      const { Worker } = await import('node:worker_threads');
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(code)})));
      worker.on('message', () => worker.terminate());
      worker.on('error', () => undefined);
      say('worker ended ' + await new Promise((resolve) => worker.once('exit', resolve)));
      say('main ' + version() + callBack(() => 0));
      await reload(addon);
      say('main ' + version());
    `);
    expect(lines).toEqual([
      'opened',
      'reloaded stateless',
      'worker 220',
      last,
      'main 110',
      'reloaded stateless',
      'main 2',
    ]);
  });
});
