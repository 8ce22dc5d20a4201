/** Memory that stays, in a child process: its address in native code, its files and mappings. */
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createScratch, type Scratch, scriptedAddon } from '../support/addons.ts';
import { LOOK, ring } from '../support/ring.ts';
import { type Ended, traceOf } from './trace.ts';

/** An addon that does this when it begins. */
const keeper = (code: string): string =>
  scriptedAddon(`exports.napiReload = { init({ memory }) { ${code} } };`);

let scratch: Scratch;
beforeEach(() => {
  scratch = createScratch();
});
afterEach(() => scratch[Symbol.dispose]());

async function run(script: string, builds: Readonly<Record<string, string>>): Promise<Ended> {
  const ended = await traceOf(scratch, LOOK + script, { builds });
  expect({ exitCode: ended.exitCode, signal: ended.signal, errors: ended.errors }).toMatchObject({
    exitCode: 0,
    signal: null,
  });
  return ended;
}

describe('memory that stays', () => {
  test('has one address for addons in C and in C++, over reloads and growth', async () => {
    const builds = {
      c1: ring('c', 1),
      c2: ring('c', 2),
      cc3: ring('cc', 3),
      cc4: ring('cc', 4, 'BYTES=8192'),
      c5: ring('c', 5, 'BYTES=100000000'),
    };
    const script = `
      install('c1');
      const addon = await openAddon();
      const { address, add } = addon.exports;
      const first = address();
      say([first % 64n, add()].join());
      for (const name of ['c2', 'cc3', 'cc4', 'c5']) {
        install(name);
        await reload(addon);
        say([address() === first, add(), addon.memory()[0].bytes].join());
      }
      say(addon.versions().length + ' versions');
      await close(addon);
    `;
    const { trace } = await run(script, builds);
    const reloaded = 'reloaded stateless';
    expect(trace).toEqual([
      'opened',
      '0,1',
      ...[
        reloaded,
        'true,3,4096',
        reloaded,
        'true,6,4096',
        reloaded,
        'true,10,8192',
        reloaded,
        'true,15,100000000',
      ],
      '1 versions',
      'closed',
    ]);
  });

  test('leaves no file and no mapping once the handle is closed and the last view was collected', async () => {
    const script = `
      install('v1');
      const addon = await openAddon();
      sayLeft();
      let view;
      globalThis.keep = (bytes) => { view = bytes; };
      install('js');
      await reload(addon);
      sayLeft();
      await close(addon);
      view[1] = 7;
      await collect();
      sayLeft();
      say(String(view[1]));
      view = null;
      await collect();
      sayLeft();
    `;
    const keeping = keeper('keep(memory("ring", 4096));');
    const { trace } = await run(script, { v1: ring('c', 1), js: keeping });
    expect(trace).toEqual([
      ...['opened', '1 files, 1 mappings'],
      ...['reloaded stateless', '1 files, 1 mappings'],
      ...['closed', '0 files, 1 mappings', '7', '0 files, 0 mappings'],
    ]);
  });

  test('holds one file and one mapping, however often it is reloaded and refused', async () => {
    const script = `
      install('v1');
      const addon = await openAddon();
      for (let i = 0; i < 50; i++) {
        for (const name of ['v2', 'refused', 'v1']) {
          install(name);
          await addon.reload({ force: true }).catch(({ code }) => name === 'refused' || say(code));
        }
      }
      await collect();
      sayLeft();
      await close(addon);
      await collect();
      sayLeft();
    `;
    const refused = keeper(
      'memory("ring", 9_000, { grow: true }); memory("more", 9); throw new Error("no");',
    );
    const { trace } = await run(script, { v1: ring('c', 1), v2: ring('c', 2), refused });
    expect(trace).toEqual(['opened', '1 files, 1 mappings', 'closed', '0 files, 0 mappings']);
  });

  test('gets a second mapping of the same bytes when it outgrows its room', async () => {
    const script = `
      install('small');
      const addon = await openAddon();
      globalThis.views = [];
      for (const name of ['small', 'large']) {
        install(name);
        await addon.reload({ force: true });
      }
      const [small, large] = views;
      small[3] = 5;
      large[4] = 6;
      say([large[3], small[4], large.length].join());
      sayLeft();
      small[5] = 7;
      views.shift();
      await collect();
      say(String(large[5]));
    `;
    const push = (bytes: number): string =>
      keeper(`globalThis.views?.push(memory("ring", ${bytes}, { grow: true }));`);
    // Nearly all of it is never touched.
    const { trace } = await run(script, { small: push(4_096), large: push(3 * 2 ** 30) });
    expect(trace).toEqual(['opened', '5,6,3221225472', '1 files, 2 mappings', '7']);
  });

  test('does without room where the process may not have so many addresses', async () => {
    const script = `
      import { spawnSync } from 'node:child_process';
      install('v1');
      const addon = await openAddon();
      const roomOf = (line) => line.split(' ')[0].split('-').map((end) => parseInt(end, 16)).reduce((a, b) => b - a);
      say(String(maps().map(roomOf)));
      await close(addon);
      await collect();
      const kibibytes = Number(/^VmSize:\\s+(\\d+)/m.exec(fs.readFileSync('/proc/self/status', 'latin1'))[1]);
      // Half of the least room more than it has now.
      const limit = kibibytes * 1024 + 2 ** 29;
      const { status } = spawnSync('prlimit', ['--pid', String(process.pid), '--as=' + limit]);
      const limited = await openAddon();
      say([status, maps().map(roomOf), limited.exports.add()].join());
      install('v2');
      const first = limited.exports.address();
      await reload(limited);
      await collect();
      say([maps().map(roomOf), limited.exports.address() === first, limited.exports.add()].join());
    `;
    const { trace } = await run(script, { v1: ring('c', 1), v2: ring('c', 2, 'BYTES=(3<<20)') });
    const mebibyte = 2 ** 20;
    expect(trace).toEqual([
      ...['opened', `${1026 * mebibyte}`, 'closed'],
      ...['opened', `0,${2 * mebibyte},1`],
      ...['reloaded stateless', `${4 * mebibyte},false,3`],
    ]);
  });

  test('can be mapped by another process, which cannot shorten it', async () => {
    const script = `
      import { spawnSync } from 'node:child_process';
      install('v1');
      const addon = await openAddon();
      addon.exports.add();
      const [number] = files();
      const other = \`
        const fs = require('node:fs');
        const file = fs.openSync('/proc/\${process.pid}/fd/\${number}', 'r+');
        const byte = Buffer.alloc(1);
        fs.readSync(file, byte, 0, 1, 0);
        byte[0] += 40;
        fs.writeSync(file, byte, 0, 1, 0);
        try { fs.ftruncateSync(file, 10); } catch ({ code }) { console.log(code, fs.fstatSync(file).size); }
      \`;
      say(spawnSync(process.execPath, ['--eval', other], { encoding: 'utf8' }).stdout.trim());
      say(String(addon.exports.add()));
      await close(addon);
    `;
    const { trace } = await run(script, { v1: ring('c', 1) });
    expect(trace).toEqual(['opened', 'EPERM 4096', '42', 'closed']);
  });

  test.runIf(fs.existsSync('/sys/kernel/mm/transparent_hugepage'))(
    'asks for huge pages when it is large',
    async () => {
      const script = `
      install('v1');
      const addon = await openAddon();
      const flagsOf = () => fs.readFileSync('/proc/self/smaps', 'latin1').split('napi-reload:')[1].match(/^VmFlags: (.*)/m)[1];
      say(String(flagsOf().split(' ').includes('hg')));
      install('v2');
      await reload(addon);
      say(String(flagsOf().split(' ').includes('hg')));
      await close(addon);
    `;
      const { trace } = await run(script, { v1: ring('c', 1), v2: ring('c', 2, 'BYTES=(64<<20)') });
      expect(trace).toEqual(['opened', 'false', 'reloaded stateless', 'true', 'closed']);
    },
  );
});
