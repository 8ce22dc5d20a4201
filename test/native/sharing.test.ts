/** One image for several handles (`scope: 'process'`): in main and in workers, until the last of them lets go. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addon } from '../fixtures/ledger/build.mjs';
import { createScratch, type Scratch } from '../support/addons.ts';
import { type Ended, type Plan, traceAddon, traceOf } from './trace.ts';

let scratch: Scratch;
beforeEach(() => {
  scratch = createScratch();
});
afterEach(() => scratch[Symbol.dispose]());

type Scope = 'thread' | 'process';

const WELL = { errors: '', exitCode: 0, signal: null };
const plan = (scope: Scope): Plan => ({
  builds: { v1: traceAddon(1), v2: traceAddon(2), v3: traceAddon(3) },
  options: { scope },
});
const run = (script: string, scope: Scope = 'process'): Promise<Ended> =>
  traceOf(scratch, PRELUDE + script, plan(scope));

/** What each script has at hand; `startWorker` gives a worker that has opened the addon and waits to be told how to end. */
const PRELUDE = `
  import { once } from 'node:events';
  import { Worker } from 'node:worker_threads';
  const IN_WORKER = ${JSON.stringify(`
    const { openAddon, reload, close, say, install } = await import(process.env.TRACE_CHILD);
    const { parentPort, workerData } = await import('node:worker_threads');
    const addon = await openAddon();
    parentPort.on('message', async (code) => {
      const run = new Function('addon', 'reload', 'close', 'say', 'install', 'parentPort', 'return (async () => {' + code + '})()');
      await run(addon, reload, close, say, install, parentPort);
      parentPort.postMessage('done');
    });
    parentPort.postMessage('opened');
  `)};
  async function startWorker(options = {}) {
    const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(IN_WORKER)), options);
    worker.on('error', (error) => { worker.threw = error.code ?? error.message; });
    worker.ended = new Promise((resolve) => worker.once('exit', resolve));
    await once(worker, 'message');
    return worker;
  }
  async function tell(worker, code) {
    worker.postMessage(code);
    await once(worker, 'message');
  }
  const mapped = () => fs.readFileSync('/proc/self/maps', 'utf8').includes(stageDir);
  const show = (addon) => say(addon.versions().map((v) => [v.id, v.state, v.sharedWith].join(' ')).join(', ') || 'none');
`;

const FIRST = ['v1 mapped', 'v1 module init', 'v1 prepare', 'v1 init 0', 'v1 save 0', 'opened'];
const JOINED = (count: number): readonly string[] => [
  ...['v1 module init', 'v1 prepare', `v1 init ${count}`, `v1 save ${count}`, 'opened'],
];

describe('a handle that shares its image', () => {
  test('has the statics of the others, and leaves them the image when it closes', async () => {
    const ended = await run(`
      install('v1');
      const main = await openAddon();
      main.exports.increment();
      const worker = await startWorker();
      show(main);
      await tell(worker, 'addon.exports.increment();');
      sayStaged();
      await close(main);
      show(main);
      await tell(worker, 'addon.exports.increment(); await close(addon);');
      show(main);
      sayStaged();
      say('mapped ' + mapped());
      await worker.terminate();
    `);
    expect(ended).toEqual({
      trace: [
        ...[...FIRST, 'v1 increment 1', ...JOINED(1), '1 live 1', 'v1 increment 2'],
        ...['staged 3 directories, copies: 1 1 1', 'v1 dispose', 'closed', '1 shared 1'],
        ...['v1 increment 3', 'v1 dispose', 'v1 unmapped', 'closed', 'none'],
        ...['staged 0 directories, copies: none', 'mapped false'],
      ],
      ...WELL,
    });
  });

  test('takes the others along when it reloads, and carries the state once', async () => {
    const ended = await run(`
      install('v1');
      const first = await openAddon();
      const second = await openAddon();
      const followed = once(second, 'reloaded');
      first.exports.increment();
      install('v2');
      await reload(first);
      const [report] = await followed;
      say('followed ' + [report.from, report.to, report.state, report.retired.outcome].join(' '));
      second.exports.increment();
      show(first);
      await reload(second);
      await close(first);
      await close(second);
      sayStaged();
    `);
    const LED = ['v2 mapped', 'v2 module init', 'v2 prepare', 'v2 module init', 'v2 prepare'];
    const SWITCH = ['v1 save 1', 'v2 init 1', 'v2 init 1', 'v2 save 1', 'v2 save 1'];
    expect(ended).toEqual({
      trace: [
        ...[...FIRST, ...JOINED(0), 'v1 increment 1', ...LED, ...SWITCH, 'v1 dispose', 'v1 dispose'],
        ...['v1 unmapped', 'reloaded carried', 'followed 1 2 shared shared', 'v2 increment 2'],
        ...['2 live 1', 'unchanged live', 'v2 dispose', 'closed', 'v2 dispose', 'v2 unmapped', 'closed'],
        'staged 0 directories, copies: none',
      ],
      ...WELL,
    });
  });

  test('stays when the new version cannot be shared, until it is alone', async () => {
    const unfollowed = { v2: addon('unfollowed') };
    const ended = await traceOf(
      scratch,
      `${PRELUDE}
      install('v1');
      const main = await openAddon();
      const other = await openAddon();
      install('v2');
      await main.reload().catch(({ code, details, message }) => {
        say([code, details.reason, details.sharedWith, message.includes(details.addon)].join(' '));
      });
      main.exports.increment();
      await close(other);
      await reload(main, { discardState: true });
      await close(main);
    `,
      { ...plan('process'), builds: { ...plan('process').builds, ...unfollowed } },
    );
    expect(ended).toEqual({
      trace: [
        ...[...FIRST, ...JOINED(0), 'ERR_BUSY shared 1 true', 'v1 increment 1', 'v1 dispose', 'closed'],
        ...['v1 dispose', 'v1 unmapped', 'reloaded discarded', 'closed'],
      ],
      ...WELL,
    });
  });

  test('is told of unchanged bytes although others have it', async () => {
    const ended = await run(`
      install('v1');
      const first = await openAddon();
      const second = await openAddon();
      await reload(first);
      await close(first);
      await close(second);
    `);
    const trace = [
      ...FIRST,
      ...JOINED(0),
      'unchanged live',
      'v1 dispose',
      'closed',
      'v1 dispose',
      'v1 unmapped',
    ];
    expect(ended).toEqual({ trace: [...trace, 'closed'], ...WELL });
  });

  test('gets an image of its own when it loads the same bytes again, and others join that one then', async () => {
    const ended = await run(`
      install('v1');
      const main = await openAddon();
      main.exports.increment();
      await reload(main, { force: true, discardState: true });
      main.exports.increment();
      const other = await openAddon();
      show(main);
      await close(main);
      await close(other);
      sayStaged();
    `);
    const AGAIN = ['v1 mapped', 'v1 module init', 'v1 prepare', 'v1 init 0', 'v1 save 0'];
    expect(ended).toEqual({
      trace: [
        ...[...FIRST, 'v1 increment 1', ...AGAIN, 'v1 dispose', 'v1 unmapped', 'reloaded discarded'],
        ...['v1 increment 1', ...JOINED(1), '2 live 1', 'v1 dispose', 'closed'],
        ...['v1 dispose', 'v1 unmapped', 'closed', 'staged 0 directories, copies: none'],
      ],
      ...WELL,
    });
  });

  test('tells by an event that the others have left it too', async () => {
    const ended = await run(`
      install('v1');
      const main = await openAddon();
      main.on('unloaded', ({ id }) => say('unloaded ' + id));
      const other = await openAddon();
      await close(main);
      await close(other);
      show(main);
    `);
    const left = ['v1 dispose', 'closed', 'v1 dispose', 'v1 unmapped', 'closed', 'unloaded 1', 'none'];
    expect(ended).toEqual({ trace: [...FIRST, ...JOINED(0), ...left], ...WELL });
  });

  test('is one of a single image when many threads open it at once', async () => {
    const ended = await run(`
      install('v1');
      const count = 6;
      const all = await Promise.all([openAddon(), ...Array.from({ length: count }, () => startWorker())]);
      const [main, ...workers] = all;
      say('shared with ' + main.current.sharedWith);
      sayStaged();
      await Promise.all([close(main), ...workers.map((worker) => worker.terminate())]);
      sayStaged();
      say('mapped ' + mapped());
    `);
    const counts = (line: string): number => ended.trace.filter((each) => each === line).length;
    expect({ ...ended, trace: [] }).toEqual({ trace: [], ...WELL });
    expect(['v1 mapped', 'v1 unmapped', 'v1 module init', 'opened'].map(counts)).toEqual([1, 1, 7, 7]);
    expect(ended.trace).toContain('shared with 6');
    expect(ended.trace.slice(-2)).toEqual(['staged 0 directories, copies: none', 'mapped false']);
  });
});

describe('a process that ends with a shared image', () => {
  test.each(['', 'process.exit(0);', `process.kill(process.pid, 'SIGTERM');`])(
    'leaves no copy that is not swept: %j',
    async (end) => {
      const ended = await run(`
        install('v1');
        const main = await openAddon();
        const worker = await startWorker();
        worker.unref();
        ${end}
      `);
      const signal = end.includes('SIGTERM') ? 'SIGTERM' : null;
      expect(ended).toMatchObject({ errors: '', exitCode: signal === null ? 0 : null, signal });
      const next = await run(`install('v1'); await close(await openAddon()); sayStaged();`);
      expect(next.trace.at(-1)).toBe('staged 0 directories, copies: none');
    },
  );
});

interface Ending {
  readonly name: string;
  /** How main ends the worker, which has opened and, in the scope of a thread, reloaded. */
  readonly end: string;
  readonly exit: string;
}

const ENDINGS: readonly Ending[] = [
  { name: 'exits', end: `worker.postMessage('process.exit(4);');`, exit: '4' },
  { name: 'throws', end: `worker.postMessage('throw new Error("mine");');`, exit: '1 mine' },
  { name: 'is terminated', end: `void worker.terminate();`, exit: '1' },
  {
    name: 'is out of memory',
    end: `worker.postMessage('const all = []; for (;;) all.push(new Array(1e5).fill({}));');`,
    exit: '1 ERR_WORKER_OUT_OF_MEMORY',
  },
];
const SCOPES: readonly Scope[] = ['thread', 'process'];
const cases = SCOPES.flatMap((scope) => ENDINGS.map((ending) => ({ scope, ...ending })));

describe('a worker with live versions', () => {
  test.each(cases)(
    'leaves nothing behind when it $name, in the scope of a $scope',
    async ({ scope, end, exit }) => {
      const ended = await run(
        `
      install('v1');
      const worker = await startWorker({ resourceLimits: { maxOldGenerationSizeMb: 16 } });
      await tell(worker, 'install("v2"); await reload(addon); addon.exports.increment();');
      const main = await openAddon();
      sayStaged();
      ${end}
      const code = await worker.ended;
      say('worker ended ' + [code, worker.threw].filter((part) => part !== undefined).join(' '));
      sayStaged();
      main.exports.increment();
      install('v3');
      await reload(main);
      await close(main);
      sayStaged();
      say('mapped ' + mapped());
    `,
        scope,
      );
      const shared = scope === 'process';
      const V2 = ['v2 mapped', 'v2 module init', 'v2 prepare', 'v1 save 0', 'v2 init 0', 'v2 save 0'];
      const MAIN = ['v2 module init', 'v2 prepare', `v2 init ${shared ? 1 : 0}`, `v2 save ${shared ? 1 : 0}`];
      const count = shared ? 2 : 1;
      const V3 = ['v3 mapped', 'v3 module init', 'v3 prepare', `v2 save ${count}`, `v3 init ${count}`];
      expect(ended).toEqual({
        trace: [
          ...[...FIRST, ...V2, 'v1 dispose', 'v1 unmapped', 'reloaded carried', 'v2 increment 1'],
          ...[...(shared ? [] : ['v2 mapped']), ...MAIN, 'opened'],
          // The image's, main's, and those that the worker may go back to and has; main's is its first version.
          `staged ${shared ? '3 directories, copies: 1 1 2 2' : '2 directories, copies: 1 1 2'}`,
          ...[...(shared ? [] : ['v2 unmapped']), `worker ended ${exit}`],
          `staged ${shared ? '2 directories, copies: 1 2' : '1 directories, copies: 1'}`,
          ...[`v2 increment ${count}`, ...V3, `v3 save ${count}`, 'v2 dispose', 'v2 unmapped'],
          ...['reloaded carried', 'v3 dispose', 'v3 unmapped', 'closed'],
          ...['staged 0 directories, copies: none', 'mapped false'],
        ],
        ...WELL,
      });
    },
  );

  test.each(SCOPES)('reload in turn, in the scope of a %s, and end at any moment', async (scope) => {
    const ended = await run(
      `
      install('v1');
      const churn = \`
        for (let round = 0; round < 12; round++) {
          install(['v1', 'v2', 'v3'][round % 3]);
          await addon.reload({ force: true }).catch((error) => {
            if (!/^ERR_(BUSY|STAGE_INCOMPLETE)$/.test(error.code)) throw error;
          });
          addon.exports.increment();
        }
      \`.replaceAll('install(', '(() => {})(');
      const workers = await Promise.all([startWorker(), startWorker(), startWorker()]);
      const main = await openAddon();
      const busy = workers.map((worker) => Promise.race([tell(worker, churn), worker.ended]));
      for (let round = 0; round < 12; round++) {
        install(['v1', 'v2', 'v3'][round % 3]);
        await main.reload({ force: true }).catch((error) => { if (error.code !== 'ERR_BUSY') throw error; });
        main.exports.increment();
        if (round === 6) void workers[0].terminate();
      }
      await Promise.all(busy);
      await Promise.all(workers.map((worker) => worker.terminate()));
      await close(main);
      sayStaged();
      say('mapped ' + mapped());
    `,
      scope,
    );
    const count = (line: RegExp): number => ended.trace.filter((each) => line.test(each)).length;
    expect({ ...ended, trace: [] }).toEqual({ trace: [], ...WELL });
    expect(count(/ mapped$/)).toBeGreaterThan(0);
    expect(count(/^v. unmapped$/)).toBe(count(/^v. mapped$/));
    expect(ended.trace.slice(-2)).toEqual(['staged 0 directories, copies: none', 'mapped false']);
  });
});
