/** Live instances of a native class move to the new version. */
import { describe, expect, test } from 'vitest';
import { createScratch } from '../support/addons.ts';
import { tell, v1, v2, version } from './instance-stories.ts';
import { traceOf } from './trace.ts';

describe('a live instance', () => {
  test('is the same object in the new version, however it was made', async () => {
    const trace = await tell({
      builds: { v1: v1(), v2: v2() },
      script: `
        const { Counter } = addon.exports;
        class Sub extends Counter { own = 'sub' }
        const [plain, sub, native, fixed] = [new Counter(1), new Sub(2), addon.exports.make(3), Counter.of(4)];
        plain.mark = 'mine';
        const marks = new WeakMap([[plain, 'known']]);
        for (const each of [plain, sub, native, fixed]) each.add(10);
        install('v2');
        counts(await addon.reload());
        sayAll(plain, sub, native, fixed);
        say([plain, sub, native, fixed].every((each) => each instanceof Counter));
        say([sub instanceof Sub, marks.get(plain), plain.add(5)].join());
        sayAll(new Sub(6), addon.exports.make(7));`,
    });
    expect(trace).toEqual([
      'v1 unmapped: 4 made, 4 destroyed',
      '{"moved":{"Counter":4},"stayed":{}} unloaded',
      'v2 11 mark=mine made=2',
      'v2 12 own=sub made=2',
      'v2 13 made=2',
      'v2 14 made=2',
      'true',
      'true,known,16',
      'v2 6 made=2 own=sub',
      'v2 7 made=2',
      // Those that JavaScript still holds pin the version at the end of the handle; the process destroys them.
      'closed',
      'v2 unmapped: 6 made, 6 destroyed',
    ]);
  });

  test('finds the instances that it refers to moved as well when it is restored', async () => {
    const trace = await tell({
      builds: { v1: v1(), v2: v2() },
      script: `
        const { Counter } = addon.exports;
        const first = new Counter(1);
        const second = new Counter(2, first);
        const self = new Counter(3);
        install('v2');
        counts(await addon.reload());
        say(second.friendValue());
        first.add(4);
        say(second.friendValue());`,
    });
    expect(trace.slice(1, 4)).toEqual(['{"moved":{"Counter":3},"stayed":{}} unloaded', '1001', '1005']);
  });

  test('moves on through any number of versions', async () => {
    const trace = await tell({
      builds: { v1: v1(), v2: v2(), v3: version(3) },
      script: `
        const each = new addon.exports.Counter(0);
        for (let round = 0; round < 20; round++) {
          install(['v2', 'v3', 'v1'][round % 3]);
          await addon.reload();
          each.add(1);
        }
        sayAll(each);
        say(addon.versions().length);`,
    });
    expect(trace.filter((line) => line.includes('unmapped')).slice(0, 20)).toEqual(
      Array.from({ length: 20 }, (_, round) => `v${[1, 2, 3][round % 3]} unmapped: 1 made, 1 destroyed`),
    );
    expect(trace).toContain('v3 20 made=3');
    expect(trace).toContain('1');
  });

  test('of a class under two names moves by the one that the new version has', async () => {
    const trace = await tell({
      builds: { v1: v1('second_name'), v2: v2() },
      script: `
        const all = [addon.exports.make(1), new addon.exports.Alias(2)];
        install('v2');
        counts(await addon.reload());
        sayAll(...all);`,
    });
    expect(trace.slice(1, 4)).toEqual([
      '{"moved":{"Counter":2},"stayed":{}} unloaded',
      'v2 1 made=2',
      'v2 2 made=2',
    ]);
  });

  test('that died before the reload is not moved', async () => {
    const trace = await tell({
      builds: { v1: v1(), v2: v2() },
      script: `
        const { Counter } = addon.exports;
        const kept = new Counter(1);
        (() => { for (let index = 0; index < 100; index++) new Counter(index); })();
        collect();
        install('v2');
        say(JSON.stringify((await addon.reload()).instances));
        await collectUntil(() => addon.versions().length === 1);
        sayAll(kept);`,
    });
    expect(trace.slice(0, 3)).toEqual([
      '{"moved":{"Counter":1},"stayed":{}}',
      'v1 unmapped: 101 made, 101 destroyed',
      'v2 1 made=2',
    ]);
  });

  test('that native code referenced is moved, and let go of when the old version ends', async () => {
    const trace = await tell({
      builds: { v1: v1(), v2: v2(), v3: version(3, 'restore_fails_at=1') },
      script: `
        const each = new addon.exports.Counter(1);
        say([each.keep(), each.keep()].join());
        install('v3');
        await tryReload(addon);
        say([each.letGo(), each.keep()].join());
        install('v2');
        await tryReload(addon);
        say([each.keep(), each.letGo()].join());`,
    });
    expect(trace.slice(0, 6)).toEqual([
      '1,2',
      'v3 unmapped: 1 made, 1 destroyed',
      'ERR_HOOK_THREW classes.Counter.restore: restore failed',
      // Put back as it was, with what it counted.
      '1,2',
      'v1 unmapped: 1 made, 1 destroyed',
      '{"moved":{"Counter":1},"stayed":{}} unloaded',
    ]);
    expect(trace[6]).toBe('1,0');
  });

  test.each([
    ['describes it no more', v2('no_class')],
    ['has no such class', v2('bare')],
  ])('stays with its version, which says so, when the new one %s', async (_, next) => {
    const trace = await tell({
      builds: { v1: v1(), v2: next },
      script: `
        const each = new addon.exports.Counter(1);
        install('v2');
        counts(await addon.reload());
        sayAll(each);
        say(each.add(1));`,
    });
    expect(trace.slice(0, 3)).toEqual([
      '{"moved":{},"stayed":{"Counter":1}} pinned wrapped-object 1',
      'v1 1',
      '2',
    ]);
    expect(trace.at(-1)).toBe('v1 unmapped: 1 made, 1 destroyed');
  });

  test('of a state that is discarded stays with its version', async () => {
    const trace = await tell({
      builds: { v1: v1(), v2: v2() },
      script: `
        const each = new addon.exports.Counter(1);
        install('v2');
        counts(await addon.reload({ discardState: true }));
        sayAll(each);`,
    });
    expect(trace.slice(0, 2)).toEqual(['{"moved":{},"stayed":{}} pinned wrapped-object 1', 'v1 1']);
  });

  test('leaves its native object to an old version that something else pins, until that ends', async () => {
    const trace = await tell({
      builds: { v1: v1(), v2: v2() },
      script: `
        const each = new addon.exports.Counter(1);
        let buffer = addon.exports.buffer();
        install('v2');
        counts(await addon.reload());
        sayAll(each);
        buffer = undefined;
        await collectUntil(() => addon.versions().length === 1);
        sayAll(each);`,
    });
    expect(trace.slice(0, 4)).toEqual([
      '{"moved":{"Counter":1},"stayed":{}} pinned external-buffer 1',
      'v2 1 made=2',
      'v1 unmapped: 1 made, 1 destroyed',
      'v2 1 made=2',
    ]);
  });
});

describe('a reload in the middle of a native call', () => {
  test('waits for the call, so that what it changes is not lost', async () => {
    const trace = await tell({
      builds: { v1: v1(), v2: v2() },
      script: `
        const each = new addon.exports.Counter(1);
        install('v2');
        let reloading;
        each.within(() => { reloading = addon.reload(); });
        counts(await reloading);
        sayAll(each);`,
    });
    expect(trace.slice(1, 3)).toEqual(['{"moved":{"Counter":1},"stayed":{}} unloaded', 'v2 2 made=2']);
  });

  test('is refused when the call does not end', async () => {
    const trace = await tell({
      builds: { v1: v1(), v2: v2() },
      options: { drainTimeoutMs: 20 },
      script: `
        const each = new addon.exports.Counter(1);
        install('v2');
        let outcome;
        // The call runs the event loop itself, and what promises wait for, until the reload has come to its end.
        const call = () => each.within(() => {
          tryReload(addon).then(() => { outcome = 'over'; });
          addon.exports.runLoop(() => { process._tickCallback(); return outcome === 'over'; });
        });
        // Not from a microtask, in which no others run.
        await new Promise((resolve) => setTimeout(() => resolve(call())));
        sayAll(each);
        await tryReload(addon);
        sayAll(each);`,
    });
    expect(trace.slice(0, 6)).toEqual([
      'v2 unmapped: 0 made, 0 destroyed',
      'ERR_BUSY in-call: a native call of the old version that began before the reload has not ended; reload when it has',
      'v1 2',
      'v1 unmapped: 1 made, 1 destroyed',
      '{"moved":{"Counter":1},"stayed":{}} unloaded',
      'v2 2 made=2',
    ]);
  });
});

describe('a move in a Worker', () => {
  const WORKER = (at: number, meanwhile: string): string => `
    const { openAddon, install, say } = await import(process.env.TRACE_CHILD);
    const { parentPort } = await import('node:worker_threads');
    const addon = await openAddon();
    globalThis.all = Array.from({ length: 5 }, (_, index) => new addon.exports.Counter(index));
    globalThis.inRestore = (nth) => { if (nth === ${at}) { ${meanwhile} } };
    install('v2');
    await addon.reload().catch(({ code }) => say(code));
  `;

  test.each([
    ['is terminated at the first instance', 1, `parentPort.postMessage('now'); for (;;);`, 1],
    ['is terminated at the last instance', 5, `parentPort.postMessage('now'); for (;;);`, 1],
    ['exits at the first instance', 1, 'process.exit(7);', 7],
    ['exits at the last instance', 5, 'process.exit(7);', 7],
  ])('that %s destroys every native object once', async (_, at, meanwhile, code) => {
    using scratch = createScratch();
    const script = `
      import { once } from 'node:events';
      import { Worker } from 'node:worker_threads';
      install('v1');
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(WORKER(at, meanwhile))})));
      worker.once('message', () => worker.terminate());
      say('worker ended ' + (await once(worker, 'exit'))[0]);`;
    const builds = { v1: v1(), v2: v2('calls_out') };
    const { trace, errors, exitCode, signal } = await traceOf(scratch, script, { builds });
    expect({ errors, exitCode, signal }).toEqual({ errors: '', exitCode: 0, signal: null });
    expect([...trace].sort()).toEqual([
      'opened',
      'v1 unmapped: 5 made, 5 destroyed',
      'v2 unmapped: 5 made, 5 destroyed',
      `worker ended ${code}`,
    ]);
  });
});

test('a group whose last member fails leaves the instances of all members as they were', async () => {
  const trace = await tell({
    builds: { v1: v1(), v2: v2(), bad: v2('restore_fails_at=2') },
    script: `
      const { openGroup } = await import(plan.library);
      const names = ['first', 'second', 'third'];
      const put = (name, build) => fs.copyFileSync(plan.builds[build], plan.folder + '/' + name + '.node');
      const members = {};
      for (const [index, name] of names.entries()) {
        put(name, 'v1');
        members[name] = { file: plan.folder + '/' + name + '.node', after: names.slice(0, index) };
      }
      const group = await openGroup(members, { stageDir });
      const all = names.flatMap((name) => [1, 2].map((value) => new group.members[name].exports.Counter(value)));
      const look = () => all.map((each) => 'v' + each.version() + ':' + each.add(1)).join(' ');
      say(look());
      const replace = (name, build) => { fs.rmSync(plan.folder + '/' + name + '.node'); put(name, build); };
      for (const name of names) replace(name, name === 'third' ? 'bad' : 'v2');
      await group.reload().catch((error) => say(reasonOf(error)));
      say(look());
      replace('third', 'v2');
      say(names.map(((report) => (name) => report.members[name].instances.moved.Counter)(await group.reload())).join());
      say(look());
      await group.close();`,
  });
  expect(trace.filter((line) => !line.includes('unmapped'))).toEqual([
    'v1:2 v1:3 v1:2 v1:3 v1:2 v1:3',
    'ERR_HOOK_THREW classes.Counter.restore',
    'v1:3 v1:4 v1:3 v1:4 v1:3 v1:4',
    '2,2,2',
    'v2:4 v2:5 v2:4 v2:5 v2:4 v2:5',
    'closed',
  ]);
  const ends = trace.filter((line) => line.includes('unmapped'));
  // Of each member: the one that was refused, the one that was replaced, and the one that served last.
  const refused = ends.slice(0, 3).sort();
  expect(refused).toEqual(Array(3).fill('v2 unmapped: 2 made, 2 destroyed'));
  expect(ends.slice(3, 6)).toEqual(Array(3).fill('v1 unmapped: 2 made, 2 destroyed'));
});

test('100,000 instances move at once, and each old one is destroyed once', async () => {
  const trace = await tell({
    builds: { v1: v1(), v2: v2() },
    script: `
      const { Counter } = addon.exports;
      class Sub extends Counter {}
      const all = Array.from({ length: 100_000 }, (_, index) => new (index % 2 ? Sub : Counter)(index));
      install('v2');
      counts(await addon.reload());
      say(all.every((each, index) => each.value === index && each.version() === 2 && each instanceof Counter
        && each instanceof Sub === (index % 2 === 1)));`,
  });
  expect(trace).toEqual([
    'v1 unmapped: 100000 made, 100000 destroyed',
    '{"moved":{"Counter":100000},"stayed":{}} unloaded',
    'true',
    'closed',
    'v2 unmapped: 100000 made, 100000 destroyed',
  ]);
});
