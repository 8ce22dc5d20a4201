/** `ctx.memory`, by way of whole reloads: over a mapping, and where V8 allows no array buffer over foreign memory. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { AddonGroup } from '../../../src/group.ts';
import { type Outside, realOutside } from '../../../src/outside.ts';
import { createScratch, install, scriptedAddon } from '../../support/addons.ts';
import { type Ring, ring } from '../../support/ring.ts';
import {
  addressOf,
  asking,
  type Handle,
  openFiles,
  openHandle,
  sum,
  type Wish,
  type Wishes,
  without,
} from './memory-support.ts';

const ways: [string, Outside][] = [
  ['over a mapping', realOutside],
  ['where external buffers are not allowed', without({ memoryBuffer: () => null })],
];

describe.each(ways)('ctx.memory %s', (_, outside) => {
  const open = (wishes: Wishes): Promise<Handle> => openHandle(asking(wishes, 'first'), outside);

  test('gives as many zeros as it is asked for, aligned to 64', async () => {
    const { view, addon } = await open({ init: [['ring', 1_000]], prepare: [['table', 1]] });
    expect([view().length, view('table').length]).toEqual([1_000, 1]);
    expect(sum(view())).toBe(0);
    expect([addressOf(view()) % 64n, addressOf(view('table')) % 64n]).toEqual([0n, 0n]);
    expect(addon.memory()).toEqual([
      { name: 'table', bytes: 1 },
      { name: 'ring', bytes: 1_000 },
    ]);
  });

  test('gives each version the same bytes at the same address', async () => {
    const { view, reload } = await open({ init: [['ring', 4_096]] });
    const first = view();
    first.fill(7);
    await reload(asking({ prepare: [['ring', 4_096]] }, 'second'));
    const second = view();
    expect(second).not.toBe(first);
    expect(addressOf(second)).toBe(addressOf(first));
    first[5] = 9;
    expect([second[0], second[5]]).toEqual([7, 9]);
  });

  test('gives native code a pointer that the next version has too', async () => {
    const { addon, reload } = await openHandle(ring('c', 1), outside);
    const { address, add } = addon.exports as unknown as Ring;
    const first = address();
    expect([first % 64n, add()]).toEqual([0n, 1]);
    await reload(ring('c', 2));
    expect([address() === first, add()]).toEqual([true, 3]);
  });

  test('keeps what a version between does not ask for', async () => {
    const { view, reload, addon } = await open({ init: [['ring', 100]] });
    view().fill(3);
    await reload(asking({ init: [['other', 50]] }));
    expect(addon.memory().map(({ name }) => name)).toEqual(['ring', 'other']);
    await reload(asking({ init: [['ring', 100]] }));
    expect(sum(view())).toBe(300);
  });

  test.each([50, 200])('refuses a version that asks for %i bytes where there are 100', async (wanted) => {
    const { view, reload, addon } = await open({ init: [['ring', 100]] });
    view().fill(1);
    const refusal = reload(asking({ init: [['ring', wanted]] }));
    const details = { name: 'ring', version: 2, found: 100, wanted, addon: addon.current.source };
    await expect(refusal).rejects.toMatchObject({ code: 'ERR_MEMORY_SIZE', details });
    expect([addon.current.id, addon.exports.id(), sum(view())]).toEqual([1, 'first', 100]);
    expect(addon.memory()).toEqual([{ name: 'ring', bytes: 100 }]);
  });

  test('does not shrink, also when it may grow', async () => {
    const { reload } = await open({ init: [['ring', 100]] });
    const refusal = reload(asking({ init: [['ring', 50, { grow: true }]] }));
    await expect(refusal).rejects.toMatchObject({
      code: 'ERR_MEMORY_SIZE',
      details: { found: 100, wanted: 50 },
    });
  });

  test('grows with its contents when it may, and the view from before stays good', async () => {
    const { view, reload, addon } = await open({ init: [['ring', 1_000]] });
    const first = view();
    first.fill(2);
    await reload(
      asking({ prepare: [['ring', 5_000, { grow: true }]], init: [['ring', 9_000, { grow: true }]] }),
    );
    expect(view().length).toBe(9_000);
    expect([sum(view()), sum(view().subarray(0, 1_000)), sum(first)]).toEqual([2_000, 2_000, 2_000]);
    expect(addon.memory()).toEqual([{ name: 'ring', bytes: 9_000 }]);
    expect(addressOf(view())).toBe(addressOf(first));
    view()[0] = 5;
    expect(first[0]).toBe(5);
  });

  test('takes names and growth of a refused version back', async () => {
    const { view, reload, addon } = await open({ init: [['ring', 100]] });
    const first = view();
    first.fill(1);
    const last =
      'views.ring.fill(9, 100); views.made.fill(9); globalThis.refusedView = views.ring; throw new Error("no");';
    const init: readonly Wish[] = [
      ['ring', 5_000, { grow: true }],
      ['made', 10],
    ];
    await expect(reload(asking({ init, last }))).rejects.toMatchObject({ code: 'ERR_HOOK_THREW' });
    const refusedView = Reflect.get(globalThis, 'refusedView') as Uint8Array;
    expect([refusedView.length, sum(refusedView.subarray(0, 100)), view()]).toEqual([5_000, 100, first]);
    expect(addon.memory()).toEqual([{ name: 'ring', bytes: 100 }]);
    // Whoever still has it may write on.
    refusedView.fill(8, 100);
    await reload(asking({ init }));
    expect([view().length, sum(view()), sum(view('made'))]).toEqual([5_000, 100, 0]);
  });

  test('leaves nothing of a first version that is refused', async () => {
    const before = openFiles();
    const built = asking({ prepare: [['ring', 100]], last: 'throw new Error("no");' });
    await expect(openHandle(built, outside)).rejects.toMatchObject({ code: 'ERR_HOOK_THREW' });
    expect(openFiles()).toBe(before);
  });

  test('starts afresh with discardState, and leaves the old version its bytes when that is refused', async () => {
    const { view, reload, addon } = await open({ init: [['ring', 100]] });
    const first = view();
    const files = openFiles();
    first.fill(1);
    const discard = { discardState: true };
    const refused = asking({ init: [['ring', 50]], last: 'views.ring.fill(9); throw new Error("no");' });
    await expect(reload(refused, discard)).rejects.toMatchObject({ code: 'ERR_HOOK_THREW' });
    expect([sum(first), addon.memory()]).toEqual([100, [{ name: 'ring', bytes: 100 }]]);
    await reload(asking({ init: [['ring', 50]] }), discard);
    expect([view().length, sum(view()), sum(first)]).toEqual([50, 0, 100]);
    expect(addon.memory()).toEqual([{ name: 'ring', bytes: 50 }]);
    expect(openFiles()).toBe(files);
    await reload(asking({ init: [] }, 'third'), discard);
    expect(addon.memory()).toEqual([]);
  });

  test('refuses to be asked once init has returned, and after the end', async () => {
    const { addon, view, reload } = await open({ init: [['ring', 100]] });
    const late = expect.objectContaining({
      code: 'ERR_MEMORY_LATE',
      details: expect.objectContaining({ version: 1 }),
    });
    const { ask } = addon.exports;
    const first = view();
    expect(() => ask('ring', 100)).toThrow(late);
    await reload(asking({ init: [['ring', 100]] }, 'second'));
    expect(() => ask('ring', 100)).toThrow(expect.objectContaining({ code: 'ERR_MEMORY_LATE' }));
    await addon.close();
    expect(addon.memory()).toEqual([]);
    first.fill(4);
    expect(sum(first)).toBe(400);
  });

  test('refuses to be asked by the save that verifies', async () => {
    const { reload } = await open({ init: [] });
    const asksLate = scriptedAddon(`
      let ask;
      exports.napiReload = { init({ memory }) { ask = memory; }, save: () => ask('ring', 100) };
    `);
    await expect(reload(asksLate)).rejects.toMatchObject({
      code: 'ERR_STATE_ROUNDTRIP',
      cause: { cause: { code: 'ERR_MEMORY_LATE' } },
    });
  });

  test.each([
    ['name', ['', 1]],
    ['name', ['a\0b', 1]],
    ['name', ['é'.repeat(101), 1]],
    ['name', [7, 1]],
    ['byteLength', ['ring', 0]],
    ['byteLength', ['ring', -1]],
    ['byteLength', ['ring', 1.5]],
    ['byteLength', ['ring', '64']],
    ['byteLength', ['ring', 2 ** 53]],
    ['options', ['ring', 1, null]],
    ['options', ['ring', 1, 'grow']],
    ['options.grow', ['ring', 1, { grow: 'yes' }]],
  ])('refuses a wrong %s: %j', async (argument, wish) => {
    const opening = open({ init: [wish as unknown as Wish] });
    const option = `ctx.memory ${argument}`;
    await expect(opening).rejects.toMatchObject({
      cause: { code: 'ERR_INVALID_OPTION', details: { option } },
    });
  });

  test('takes the longest name', async () => {
    const name = 'é'.repeat(100);
    const { view, addon } = await open({ init: [[name, 1]] });
    expect([view(name).length, addon.memory()[0]?.name]).toEqual([1, name]);
  });

  test('keeps the bytes when somebody transfers the buffer', async () => {
    const { view, reload } = await open({ init: [['ring', 100]] });
    view().fill(6);
    const { buffer } = view();
    const moves = [
      () => structuredClone(buffer, { transfer: [buffer as ArrayBuffer] }),
      () => (buffer as ArrayBuffer & { transfer(): ArrayBuffer }).transfer(),
    ];
    for (const move of moves) {
      try {
        move();
      } catch {
        // Node.js or V8 does not let it go.
      }
    }
    await reload(asking({ init: [['ring', 100]] }, 'second'));
    expect([view().length, sum(view())]).toEqual([100, 600]);
  });

  test('undoes what all members of a group asked for when one is refused', async () => {
    const scratch = createScratch();
    onTestFinished(() => scratch[Symbol.dispose]());
    const [core, search] = [scratch.file('core.node'), scratch.file('search.node')];
    install(asking({ init: [['ring', 100]] }), core);
    install(asking({ init: [] }), search);
    const options = { stageDir: scratch.file('stage') };
    const group = await AddonGroup.open<Record<'core' | 'search', unknown>>(
      { core: { file: core }, search: { file: search } },
      options,
      outside,
    );
    onTestFinished(() => group.close());
    install(
      asking({
        init: [
          ['ring', 200, { grow: true }],
          ['made', 1],
        ],
      }),
      core,
    );
    install(asking({ last: 'throw new Error("no");' }), search);
    await expect(group.reload()).rejects.toMatchObject({ code: 'ERR_HOOK_THREW' });
    expect(group.members.core.memory()).toEqual([{ name: 'ring', bytes: 100 }]);
    install(asking({ init: [] }, 'mended'), search);
    await group.reload();
    expect(group.members.core.memory()).toEqual([
      { name: 'ring', bytes: 200 },
      { name: 'made', bytes: 1 },
    ]);
  });
});
