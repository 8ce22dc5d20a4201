/** One reload for all threads that share an image: they stop, and go on when all have the new version, or all the old. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addon } from '../fixtures/ledger/build.mjs';
import { createScratch, FIXTURES, type Scratch } from '../support/addons.ts';
import { compiledUrl } from '../support/compiled.ts';
import { v1, v2 } from './instance-stories.ts';
import { type Ended, endOf } from './trace.ts';

let scratch: Scratch;
beforeEach(() => {
  scratch = createScratch();
});
afterEach(() => scratch[Symbol.dispose]());

const CREW = pathToFileURL(path.join(FIXTURES, 'threads/crew.mjs')).href;
const GOOD: Builds = { v1: addon('crew', 1), v2: addon('crew', 2), v3: addon('crew', 3) };
const NAMES =
  'addAll, block, counted, file, hire, hold, inCall, install, isMapped, letGo, openCrew, quiet, reasonOf, shared, stageDir, staged, stopAdding, turn';
type Builds = Readonly<Record<string, string>>;

const WELL = { errors: '', exitCode: 0, signal: null };

/** The script is the body of a module; what it gives to `console.log` is the trace. */
function run(script: string, builds: Builds = GOOD): Promise<Ended> {
  const head = `import { ${NAMES} } from ${JSON.stringify(CREW)};\nimport { once } from 'node:events';\n`;
  return start(['--input-type=module', '--eval', head + PRELUDE + script], builds, []);
}

function runFixture(name: string, args: readonly number[]): Promise<Ended> {
  return start([path.join(FIXTURES, 'threads', name)], GOOD, args);
}

function start(command: readonly string[], builds: Builds, args: readonly number[]): Promise<Ended> {
  const plan = { library: compiledUrl('index.js'), folder: scratch.path, builds, args };
  const env = { ...process.env, CREW_PLAN: JSON.stringify(plan) };
  return endOf(spawn(process.execPath, command, { env, stdio: ['pipe', 'pipe', 'pipe'] }));
}

const PRELUDE = `
  const say = (...words) => console.log(words.join(' '));
  const attempt = (addon, options) => addon.reload(options).then(({ status }) => status, reasonOf);
  const inAll = async (main, crew, code) => {
    const told = await Promise.all(crew.map(({ tell }) => tell('return ' + code)));
    return [await new Function('addon', 'turn', 'return ' + code)(main, turn), ...told].join(' ');
  };
  const closeAll = async (main, crew) => {
    await Promise.all(crew.map(({ tell }) => tell('await addon.close();')));
    await main.close();
    await Promise.all(crew.map(({ worker }) => worker.terminate()));
    say('mapped', isMapped(), 'staged', staged());
  };
`;
const GONE = 'mapped false staged 0';

/** What was refused leaves each thread by itself, and its image goes with the last: no reload waits for other threads. */
const ONCE_GONE = `(async () => {
  while (addon.versions().length > 1) await turn();
  return addon.exports.version() + ":" + addon.versions().map(({ state }) => state);
})()`;

describe('a reload while all threads call', () => {
  test('loses no call, and no thread runs another version than the rest', async () => {
    const ended = await runFixture('storm.mjs', [12, 6]);
    const [line = '{}'] = ended.trace;
    const { added, count, adds, newest, msPerReload, ...figures } = JSON.parse(line);
    expect({ ...ended, trace: [] }).toEqual({ trace: [], ...WELL });
    expect(added).toBeGreaterThan(0);
    expect([count, adds]).toEqual([added, added]);
    // No reload is after the last call but the last ones.
    expect(newest).toBeGreaterThanOrEqual(9);
    expect(figures).toEqual({
      ...{ tooOld: 0, to: 13, isOneVersion: true, versions: Array(6).fill(13) },
      ...{ isMapped: false, staged: 0 },
    });
  });

  test('goes on while Workers come, lead reloads of their own, end and are terminated', async () => {
    const ended = await runFixture('churn.mjs', [10, 3]);
    const { ends, adds, ...figures } = JSON.parse(ended.trace[0] ?? '{}');
    expect({ ...ended, trace: [] }).toEqual({ trace: [], ...WELL });
    expect(figures).toEqual({ outcomes: { reloaded: 10 }, lost: 0, tooOld: 0, isMapped: false, staged: 0 });
  });

  test('is one at a time when several ask at once, and none is refused', async () => {
    const ended = await run(`
      install('v1');
      const main = await openCrew({ drainTimeoutMs: 10_000 });
      const crew = await Promise.all([hire(), hire(), hire()]);
      const adding = [addAll(main), ...crew.map(({ tell }) => tell('return addAll(addon);'))];
      const ask = (options) => Promise.all([
        attempt(main, options),
        ...crew.map(({ tell }) => tell('return addon.reload(' + JSON.stringify(options ?? {}) + ').then((r) => r.status, reasonOf)')),
      ]);
      for (const name of ['v2', 'v3', 'v1']) {
        install(name);
        say((await ask()).sort().join(' '), await inAll(main, crew, 'addon.current.id'));
      }
      say((await ask({ force: true })).join(' '), await inAll(main, crew, 'addon.current.id'));
      stopAdding();
      await Promise.all(adding);
      say('lost', counted().adds - main.exports.count(), 'too old', counted().tooOld);
      await closeAll(main, crew);
    `);
    const one = 'reloaded unchanged unchanged unchanged';
    const trace = [`${one} 2 2 2 2`, `${one} 3 3 3 3`, `${one} 4 4 4 4`];
    const forced = 'reloaded reloaded reloaded reloaded 8 8 8 8';
    expect(ended).toEqual({ trace: [...trace, forced, 'lost 0 too old 0', GONE], ...WELL });
  });

  test('is led by one of them when all watch', async () => {
    const ended = await run(`
      install('v1');
      const watch = { debounceMs: 20 };
      const main = await openCrew({ watch });
      const crew = await Promise.all([hire({ watch }), hire({ watch })]);
      const failures = crew.map(({ tell }) => tell('addon.on("failed", (error) => { shared[1] = -1; });'));
      await Promise.all(failures);
      main.on('failed', (error) => say(reasonOf(error)));
      for (const name of ['v2', 'v3']) {
        const reloaded = [once(main, 'reloaded'), ...crew.map(({ tell }) =>
          tell('await new Promise((resolve) => addon.once("reloaded", resolve));'))];
        install(name);
        await Promise.all(reloaded);
        say(await inAll(main, crew, 'addon.exports.version() + ":" + addon.current.id'));
      }
      say('failed', shared[1]);
      await closeAll(main, crew);
    `);
    expect(ended).toEqual({ trace: ['2:2 2:2 2:2', '3:3 3:3 3:3', 'failed 0', GONE], ...WELL });
  });
});

describe('a thread in a long native call', () => {
  test('makes the reload fail within its bound, and all stay until it has ended', async () => {
    const ended = await run(`
      install('v1');
      const main = await openCrew({ drainTimeoutMs: 1000 });
      const crew = [await hire(), await hire()];
      const held = crew[0].tell(hold());
      await inCall();
      install('v2');
      say(await attempt(main));
      say(main.exports.version(), await crew[1].tell('return addon.exports.version();'));
      letGo();
      await held;
      say(await inAll(main, crew, 'addon.exports.version()'));
      say(await attempt(main));
      say(await inAll(main, crew, 'addon.exports.version()'));
      await closeAll(main, crew);
    `);
    const trace = ['ERR_BUSY threads 1', '1 1', '1 1 1', 'reloaded', '2 2 2', GONE];
    expect(ended).toEqual({ trace, ...WELL });
  });

  test('is waited for by a watch, which tries again until it has ended', async () => {
    const ended = await run(`
      install('v1');
      const main = await openCrew({ drainTimeoutMs: 100, watch: { debounceMs: 20 } });
      const crew = [await hire()];
      const failed = once(main, 'failed');
      const reloaded = once(main, 'reloaded');
      const held = crew[0].tell(hold());
      await inCall();
      install('v2');
      say(reasonOf((await failed)[0]));
      letGo();
      await held;
      await reloaded;
      say(await inAll(main, crew, 'addon.exports.version()'));
      await closeAll(main, crew);
    `);
    expect(ended).toEqual({ trace: ['ERR_BUSY threads 1', '2 2', GONE], ...WELL });
  });

  test('is no matter where nobody waits for it at all: one that is in no call comes all the same', async () => {
    const ended = await run(`
      install('v1');
      const main = await openCrew({ drainTimeoutMs: 0 });
      const crew = [await hire(), await hire()];
      install('v2');
      say(await attempt(main), await inAll(main, crew, 'addon.exports.version()'));
      await closeAll(main, crew);
    `);
    expect(ended).toEqual({ trace: ['reloaded 2 2 2', GONE], ...WELL });
  });

  test('that is terminated in it does not come, and is no hindrance when it has gone', async () => {
    const ended = await run(`
      install('v1');
      const main = await openCrew({ drainTimeoutMs: 1000 });
      const crewman = await hire();
      crewman.tell(hold()).catch(() => {});
      await inCall();
      const terminated = crewman.worker.terminate();
      install('v2');
      say(await attempt(main));
      letGo();
      await terminated;
      say(await attempt(main), main.exports.version());
      await closeAll(main, []);
    `);
    expect(ended).toEqual({ trace: ['ERR_BUSY threads 1', 'reloaded 2', GONE], ...WELL });
  });
});

describe('all threads stay with the old version', () => {
  const cases = [
    { build: 'crewInitThrows', name: 'the init of the new one throws', reason: 'ERR_HOOK_THREW init' },
    { build: 'crewJoinThrows', name: 'its init throws in another thread', reason: 'ERR_HOOK_THREW init' },
    { build: 'crewLoadThrows', name: 'it cannot be loaded in another thread', reason: 'ERR_INIT_THREW' },
    {
      build: 'crewSaveThrows',
      name: 'it could not hand on the state',
      reason: 'ERR_STATE_ROUNDTRIP save-failed',
    },
  ] as const;
  test.each(cases)('when $name', async ({ build, reason }) => {
    const builds = { ...GOOD, bad: addon(build, 3) };
    const ended = await run(
      `
      install('v1');
      const main = await openCrew();
      const crew = [await hire(), await hire()];
      for (const { tell } of crew) await tell('addon.exports.add(shared);');
      install('bad');
      say(await attempt(main), await inAll(main, crew, 'addon.exports.version()'));
      say(await inAll(main, crew, ${JSON.stringify(ONCE_GONE)}));
      install('v2');
      say(await attempt(main), main.exports.count());
      say(await inAll(main, crew, 'addon.exports.version()'));
      await closeAll(main, crew);
    `,
      builds,
    );
    expect(ended).toEqual({
      trace: [`${reason} 1 1 1`, '1:live 1:live 1:live', 'reloaded 2', '2 2 2', GONE],
      ...WELL,
    });
  });

  test('when the old one cannot save', async () => {
    const ended = await run(
      `
      install('bad');
      const main = await openCrew();
      const crew = [await hire()];
      install('v2');
      say(await attempt(main));
      say(await inAll(main, crew, 'addon.exports.version()'));
      say(await attempt(main, { discardState: true }));
      say(await inAll(main, crew, 'addon.exports.version()'));
      await closeAll(main, crew);
    `,
      { ...GOOD, bad: addon('crewThirdSaveThrows', 3) },
    );
    expect(ended).toEqual({ trace: ['ERR_HOOK_THREW save', '3 3', 'reloaded', '2 2', GONE], ...WELL });
  });
});

describe('what follows', () => {
  test('goes back with the thread that rolls back, and further back with the next', async () => {
    const ended = await run(`
      install('v1');
      const main = await openCrew();
      const crew = [await hire()];
      const [{ tell }] = crew;
      const show = async () => say(await inAll(main, crew, 'addon.exports.version() + ":" + addon.current.id'));
      for (const name of ['v2', 'v3']) { install(name); await main.reload(); }
      await show();
      await main.rollback();
      await show();
      await tell('await addon.rollback();');
      await show();
      await closeAll(main, crew);
    `);
    expect(ended).toEqual({ trace: ['3:3 3:3', '2:4 2:4', '1:5 1:5', GONE], ...WELL });
  });

  test('has gone in all threads before its handle leads the next reload', async () => {
    const builds = {
      v1: addon('crewRemembers', 1),
      bad: addon('crewRemembersJoinThrows', 2),
      v2: addon('crewRemembers', 2),
    };
    const ended = await run(
      `
      install('v1');
      const main = await openCrew();
      const crew = [await hire()];
      main.on('progress', ({ phase }) => phase === 'prepare' && install('v2'));
      const led = crew[0].tell(\`
        await new Promise((resolve) => addon.on('progress', ({ phase }) => phase === 'prepare' && resolve()));
        return addon.reload().then(({ status }) => status, reasonOf);
      \`);
      install('bad');
      say(await attempt(main));
      say(await led, await inAll(main, crew, 'addon.exports.version()'));
      const notes = '(async () => {' +
        // What was refused is on its way out for longer than all of that.
        'for (let turns = 0; turns < 2; turns += addon.versions().length === 1 ? 1 : 0) await turn();' +
        'return notes.length + ":" + notes.at(-1); })()';
      say(await inAll(main, crew, notes));
      await closeAll(main, crew);
    `,
      builds,
    );
    expect(ended).toEqual({
      trace: ['ERR_HOOK_THREW init', 'reloaded 2 2', '8192:2 8192:2', GONE],
      ...WELL,
    });
  });

  test('says so: by an event, with a report of its own', async () => {
    const ended = await run(`
      install('v1');
      const main = await openCrew();
      const crew = [await hire()];
      const report = crew[0].tell('return new Promise((resolve) => addon.once("reloaded", resolve));');
      install('v2');
      await main.reload();
      const { status, from, to, state } = await report;
      say(status, from, to, state);
      await closeAll(main, crew);
    `);
    expect(ended).toEqual({ trace: ['reloaded 1 2 shared', GONE], ...WELL });
  });

  test('moves its own live instances, or gives all of them back', async () => {
    const ended = await run(
      `
      install('v1');
      const main = await openCrew();
      const crew = [await hire()];
      const [{ tell }] = crew;
      const mine = new main.exports.Counter(1);
      await tell('globalThis.theirs = new addon.exports.Counter(2); theirs.add(10);');
      const show = async () => say([mine.version(), mine.value].join(':'),
        await tell('return [theirs.version(), theirs.value, theirs instanceof addon.exports.Counter].join(":");'));
      const moved = tell('return new Promise((resolve) => addon.once("reloaded", resolve));');
      await show();
      install('bad');
      say(await attempt(main));
      await show();
      install('v2');
      say(JSON.stringify((await main.reload()).instances), JSON.stringify((await moved).instances));
      await show();
      await tell('addon.close()');
      await crew[0].worker.terminate();
      await main.close();
    `,
      { v1: v1(), v2: v2(), bad: v2('restore_fails_at=2') },
    );
    const one = '{"moved":{"Counter":1},"stayed":{}}';
    expect(ended).toMatchObject(WELL);
    expect(ended.trace.filter((line) => !line.includes('unmapped'))).toEqual([
      ...['1:1 1:12:true', 'ERR_HOOK_THREW classes.Counter.restore', '1:1 1:12:true'],
      ...[`${one} ${one}`, '2:1 2:12:true'],
    ]);
  });

  test('is every group that has the image, as a whole', async () => {
    fs.mkdirSync(scratch.file('other'));
    const ended = await run(`
      const { openGroup } = await import(JSON.parse(process.env.CREW_PLAN).library);
      const fs = await import('node:fs');
      const other = file.replace('crew.node', 'other/crew.node');
      const both = (name) => { install(name); fs.copyFileSync(file, other + '.new'); fs.renameSync(other + '.new', other); };
      both('v1');
      const options = { stageDir, scope: 'process' };
      const [one, two] = [await openGroup({ a: { file }, b: { file: other } }, options), await openGroup({ a: { file }, b: { file: other } }, options)];
      const crew = [await hire()];
      const show = () => say([one, two].flatMap((group) => ['a', 'b'].map((name) => group.members[name].exports.version())).join(' '));
      show();
      both('v2');
      const followed = once(two, 'reloaded');
      say((await one.reload()).status, await crew[0].tell('return addon.exports.version();'));
      const [{ members }] = await followed;
      show();
      say(members.a.state, members.b.state);
      install('v3');
      say((await two.reload()).status, await crew[0].tell('return addon.exports.version();'));
      show();
      await one.rollback();
      show();
      await two.rollback();
      show();
      await one.close();
      await two.close();
      await crew[0].tell('await addon.close();');
      await crew[0].worker.terminate();
      say('mapped', isMapped(), 'staged', staged());
    `);
    expect(ended).toEqual({
      trace: [
        '1 1 1 1',
        'reloaded 2',
        '2 2 2 2',
        'shared shared',
        'reloaded 3',
        '3 2 3 2',
        '2 2 2 2',
        '1 1 1 1',
        GONE,
      ],
      ...WELL,
    });
  });
});

describe('a thread that opens what the others are about to go over to', () => {
  test('waits for the outcome, although somebody runs it already', async () => {
    const ended = await run(`
      install('v1');
      const [first, late] = await Promise.all([hire({ drainTimeoutMs: 10_000 }), hire()]);
      install('v2');
      const ahead = await hire();
      await late.tell(\`addon.on('progress', ({ phase }) => {
        if (phase === 'prepare' && shared[4] === 0) setImmediate(() => { \${block(2500)} });
      });\`);
      const outcome = first.tell('return addon.reload().then(({ status }) => status, reasonOf)');
      await inCall();
      const newcomer = await hire();
      const crew = [first, late, ahead, newcomer];
      // How many reloads have led to what it runs.
      say(await newcomer.tell('return addon.exports.add(shared)'), await outcome);
      say((await Promise.all(crew.map(({ tell }) => tell('return addon.exports.version()')))).join(' '));
      await Promise.all(crew.map(({ worker }) => worker.terminate()));
      say('mapped', isMapped(), 'staged', staged());
    `);
    expect(ended).toEqual({ trace: ['1 reloaded', '2 2 2 2', GONE], ...WELL });
  });
});

describe('a thread that ends at the barrier', () => {
  /** `late` enters a native call when it is ready; `first` leads, and `second` waits at the barrier meanwhile. Main only looks. */
  const meet = (call: string, drainTimeoutMs: number): string => `
    install('v1');
    const [first, second, late] = await Promise.all([hire({ drainTimeoutMs: ${drainTimeoutMs} }), hire(), hire()]);
    await late.tell(\`addon.on('progress', ({ phase }) => {
      if (phase === 'prepare' && shared[4] === 0) setImmediate(() => { \${${call}} });
    });\`);
    install('v2');
    void second.tell('await addAll(addon);').catch(() => {});
    const outcome = first.tell('return addon.reload().then(({ status }) => status, reasonOf)');
    await inCall();
    await quiet();
    const show = async (...crew) => say((await Promise.all(crew.map(({ tell }) => tell('return addon.exports.version()')))).join(' '));
    const end = async (...crew) => {
      await Promise.all(crew.map(({ worker }) => worker.terminate()));
      say('mapped', isMapped(), 'staged', staged());
    };
  `;

  test('by terminate() is not waited for', async () => {
    const ended = await run(`
      ${meet('hold()', 10_000)}
      const terminated = second.worker.terminate();
      letGo();
      say(await outcome);
      await terminated;
      await show(first, late);
      await end(first, late);
    `);
    expect(ended).toEqual({ trace: ['reloaded', '2 2', GONE], ...WELL });
  });

  test('by terminate() is out of it within the bound of who is late', async () => {
    const ended = await run(`
      ${meet('hold()', 300)}
      const terminated = second.worker.terminate();
      say(await outcome);
      await terminated;
      letGo();
      await show(first, late);
      say(await first.tell('return addon.reload().then(({ status }) => status, reasonOf)'));
      await show(first, late);
      await end(first, late);
    `);
    expect(ended).toEqual({ trace: ['ERR_BUSY threads 1', '1 1', 'reloaded', '2 2', GONE], ...WELL });
  });

  test('lets the others go on when it was to lead', async () => {
    const ended = await run(`
      ${meet('hold()', 400)}
      await first.worker.terminate();
      letGo();
      await show(second, late);
      say(await second.tell('return addon.reload().then(({ status }) => status, reasonOf)'));
      await show(second, late);
      await end(second, late);
    `);
    expect(ended).toEqual({ trace: ['1 1', 'reloaded', '2 2', GONE], ...WELL });
  });

  test('with the whole process ends within the bound', async () => {
    const ended = await run(`
      ${meet('block(500)', 1000)}
      say('exit');
      process.exit(3);
    `);
    expect(ended).toEqual({ trace: ['exit'], errors: '', exitCode: 3, signal: null });
  });
});
