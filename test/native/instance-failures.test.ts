/** What a new version does wrong while live instances move to it: the old one serves on, with all of them as they were. */
import { describe, expect, test } from 'vitest';
import { tell, v1, v2 } from './instance-stories.ts';

describe('a move that fails', () => {
  const failures: readonly (readonly [name: string, macro: string, refusal: string, native: string])[] = [
    ['save', 'save_fails_at', 'ERR_HOOK_THREW classes.Counter.save: save failed', ''],
    [
      'constructor',
      'constructor_fails_at',
      'ERR_HOOK_THREW classes.Counter.constructor: the constructor failed',
      'v2',
    ],
    ['restore', 'restore_fails_at', 'ERR_HOOK_THREW classes.Counter.restore: restore failed', 'v2'],
  ];
  const positions = [
    ['first', 1],
    ['middle', 3],
    ['last', 5],
  ] as const;
  const cases = failures.flatMap(([hook, macro, ...rest]) =>
    positions.map(([name, at]) => [hook, macro, name, at, ...rest] as const),
  );

  test.each(cases)(
    'of %s leaves all as they were: %s, at the %s of five',
    async (hook, macro, _, at, refusal, made) => {
      const failing = `${macro}=${at}`;
      const trace = await tell({
        builds: hook === 'save' ? { v1: v1(failing), v2: v2() } : { v1: v1(), v2: v2(failing) },
        script: `
        const { Counter, total } = addon.exports;
        const all = [new Counter(1), addon.exports.make(2), new (class extends Counter {})(3), Counter.of(4)];
        all.push(new Counter(5, all[0]));
        all[1].mine = true;
        Object.freeze(all[0]);
        total(7);
        const before = JSON.stringify(all.map((each) => [each.value, each.version(), Object.entries(each)]));
        install('v2');
        await tryReload(addon);
        const after = JSON.stringify(all.map((each) => [each.value, each.version(), Object.entries(each)]));
        say(before === after);
        say([all.map((each) => each.add(1)).join(), total(0), all[4].friendValue(), addon.current.id].join(' '));`,
      });
      // As many as were made before it failed.
      const count = hook === 'restore' ? 5 : at;
      const discarded = made === '' ? 0 : count;
      expect(trace.slice(0, 4)).toEqual([
        // C++ destroys no object whose constructor threw.
        `v2 unmapped: ${discarded} made, ${hook === 'constructor' ? discarded - 1 : discarded} destroyed`,
        refusal,
        'true',
        '2,3,4,5,6 7 2 1',
      ]);
      expect(trace.slice(4)).toEqual(['closed', 'v1 unmapped: 5 made, 5 destroyed']);
    },
  );

  test('because save returned a promise says so', async () => {
    const trace = await tell({
      builds: { v1: v1('async_save'), v2: v2() },
      script: `const each = new addon.exports.Counter(1); install('v2'); await tryReload(addon); sayAll(each);`,
    });
    expect(trace[1]).toMatch(/^ERR_HOOK_ASYNC classes\.Counter\.save/);
    expect(trace[2]).toBe('v1 1');
  });

  test('because the new version cannot save what it took is refused', async () => {
    const trace = await tell({
      builds: { v1: v1(), v2: v2('save_fails_at=2') },
      script: `const all = [new addon.exports.Counter(1), new addon.exports.Counter(2)];
        install('v2'); await tryReload(addon); sayAll(...all);`,
    });
    expect(trace.slice(0, 4)).toEqual([
      'v2 unmapped: 2 made, 2 destroyed',
      'ERR_STATE_ROUNDTRIP save-failed: save failed',
      'v1 1',
      'v1 2',
    ]);
  });

  test('because it saves something else than it was given is refused, where that is asked for', async () => {
    const story = {
      builds: { v1: v1(), v2: v2('forgetful') },
      script: `
        const all = [1, 2, 3].map((value) => new addon.exports.Counter(value));
        install('v2');
        try { await addon.reload(); } catch ({ code, details }) { say([code, details.reason, details.path].join(' ')); }
        sayAll(...all);`,
    };
    expect((await tell({ ...story, options: { verify: 'deep' } })).slice(1, 5)).toEqual([
      'ERR_STATE_ROUNDTRIP differs classes.Counter[1].value',
      'v1 1',
      'v1 2',
      'v1 3',
    ]);
    expect((await tell(story)).slice(1, 4)).toEqual(['v2 1 made=2', 'v2 2 made=2', 'v2 3 made=2']);
  });

  test('because nobody declared another schema is refused', async () => {
    const script = `
      const each = new addon.exports.Counter(1);
      install('v2');
      await tryReload(addon);
      sayAll(each);`;
    const refused = await tell({ builds: { v1: v1(), v2: v2('schema=2') }, script });
    expect(refused.slice(1, 3)).toEqual([expect.stringMatching(/^ERR_STATE_SCHEMA instances/), 'v1 1']);
    const taken = await tell({ builds: { v1: v1(), v2: v2('schema=2', 'accepts=1') }, script });
    expect(taken.slice(1, 3)).toEqual(['{"moved":{"Counter":1},"stayed":{}} unloaded', 'v2 1 made=2']);
  });

  test('because the new version freezes what native code made by itself is refused', async () => {
    const trace = await tell({
      builds: { v1: v1(), v2: v2('freezes') },
      script: `
        const all = [addon.exports.make(1), new addon.exports.Counter(2)];
        install('v2');
        await tryReload(addon);
        say(all.map((each) => [each.version(), each.add(1), each instanceof addon.exports.Counter].join()).join(' '));`,
    });
    expect(trace.slice(0, 3)).toEqual([
      'v2 unmapped: 2 made, 2 destroyed',
      'ERR_HOOK_INVALID: found [object Object] (object), wanted a constructor that leaves the object extensible, with its prototype',
      '1,2,true 1,3,true',
    ]);
  });

  test('puts all back when finalizers of the new version throw, and tells of each as uncaught', async () => {
    const trace = await tell({
      builds: { v1: v1(), v2: v2('restore_fails_at=3', 'finalizer_throws') },
      script: `
        process.on('uncaughtException', ({ message }) => say('uncaught: ' + message));
        addon.on('warning', ({ code, cause }) => say(code + ' ' + cause));
        const all = [1, 2, 3].map((value) => new addon.exports.Counter(value));
        install('v2');
        await tryReload(addon);
        sayAll(...all);`,
    });
    expect(trace.slice(0, 8)).toEqual([
      ...Array(3).fill('uncaught: the finalizer failed'),
      'v2 unmapped: 3 made, 3 destroyed',
      'ERR_HOOK_THREW classes.Counter.restore: restore failed',
      'v1 1',
      'v1 2',
      'v1 3',
    ]);
  });

  test('puts back an instance whose reference the old version deleted meanwhile', async () => {
    const trace = await tell({
      builds: { v1: v1(), v2: v2('calls_out', 'restore_fails_at=2') },
      script: `
        const all = [1, 2].map((value) => new addon.exports.Counter(value));
        // Exports are the old version's until the swap.
        globalThis.inRestore = () => addon.exports.forget(all[0]);
        install('v2');
        await tryReload(addon);
        sayAll(...all);`,
    });
    expect(trace).toEqual([
      'v2 unmapped: 2 made, 2 destroyed',
      'ERR_HOOK_THREW classes.Counter.restore: restore failed',
      'v1 1',
      'v1 2',
      'closed',
      'v1 unmapped: 2 made, 1 destroyed',
    ]);
  });

  test.each([
    [
      'fails',
      'restore_fails_at=2',
      'ERR_HOOK_THREW classes.Counter.restore: restore failed',
      'nothing',
      'v1 2',
    ],
    ['succeeds', 'calls_out', '{"moved":{"Counter":2},"stayed":{}} unloaded', 'v2 1 made=2', 'v2 2 made=2'],
  ])(
    'destroys once what the old version destroyed meanwhile, when the move %s',
    async (_, macro, outcome, ...said) => {
      const trace = await tell({
        builds: { v1: v1(), v2: v2('calls_out', macro) },
        script: `
        const all = [1, 2].map((value) => new addon.exports.Counter(value));
        const { destroy } = addon.exports;
        globalThis.inRestore = (nth) => { if (nth === 1) destroy(all[0]); };
        install('v2');
        await tryReload(addon);
        for (const each of all) { try { sayAll(each); } catch { say('nothing'); } }`,
      });
      expect(trace).toContain('v1 unmapped: 2 made, 2 destroyed');
      expect(trace).toContain('v2 unmapped: 2 made, 2 destroyed');
      expect(trace.filter((line) => !/unmapped|closed/.test(line))).toEqual([outcome, ...said]);
    },
  );
});
