import { describe, expect, test } from 'vitest';
import { createDeadline } from '../../../src/deadline.ts';
import { realOutside } from '../../../src/outside.ts';
import { readHooks } from '../../../src/state/hooks.ts';

const silent = new AbortController().signal;
const soon = (signal = silent) => createDeadline({ timeoutMs: 5, signal, during: 'prepare' }, realOutside);
const patient = (signal = silent) =>
  createDeadline({ timeoutMs: 60_000, signal, during: 'prepare' }, realOutside);

describe('readHooks', () => {
  test.each([undefined, null, 7, 'text', {}, () => 1])(
    'gives hooks that do nothing when exports are %s',
    (exports) => {
      const hooks = readHooks(exports, 1);
      expect(hooks.schema).toBe(1);
      expect(hooks.has('save')).toBe(false);
      expect(hooks.callSync('save')).toBeUndefined();
    },
  );

  test.each([
    [{ napiReload: 7 }, 'napiReload'],
    [{ napiReload: null }, 'napiReload'],
    [{ napiReload: { schema: 0 } }, 'napiReload.schema'],
    [{ napiReload: { schema: '2' } }, 'napiReload.schema'],
    [{ napiReload: { schema: 1.5 } }, 'napiReload.schema'],
    [{ napiReload: { accepts: 1 } }, 'napiReload.accepts'],
    [{ napiReload: { accepts: { 0: 1, length: 1 } } }, 'napiReload.accepts'],
    [{ napiReload: { accepts: [1, 0] } }, 'napiReload.accepts[1]'],
    [{ napiReload: { accepts: ['1'] } }, 'napiReload.accepts[0]'],
    [{ napiReload: { accepts: new Array(1) } }, 'napiReload.accepts[0]'],
    [{ napiReload: { save: 'later' } }, 'napiReload.save'],
  ])('refuses %j and names the place', (exports, path) => {
    expect(() => readHooks(exports, 3)).toThrow(
      expect.objectContaining({ code: 'ERR_HOOK_INVALID', details: expect.objectContaining({ path }) }),
    );
  });

  test('reads which schemas init accepts, none by default', () => {
    expect(readHooks({ napiReload: {} }, 1).accepts).toEqual([]);
    expect(readHooks({ napiReload: { schema: 3, accepts: [1, 2] } }, 1).accepts).toEqual([1, 2]);
  });

  test('reports an accessor that throws as ERR_HOOK_THREW', () => {
    const exports = {
      get napiReload() {
        throw new Error('no');
      },
    };
    expect(() => readHooks(exports, 1)).toThrow(expect.objectContaining({ code: 'ERR_HOOK_THREW' }));
  });

  test('calls a hook with the hook object as receiver and the context as argument', () => {
    const napiReload = {
      seen: [] as unknown[],
      init(context: unknown) {
        this.seen.push(context);
      },
    };
    const context = { reason: 'first', state: undefined, memory: () => new Uint8Array() } as const;
    readHooks({ napiReload }, 1).callSync('init', context);
    expect(napiReload.seen).toEqual([context]);
  });

  test('wraps what a hook throws, even when it is no Error', () => {
    const save = () => {
      throw null;
    };
    expect(() => readHooks({ napiReload: { save } }, 4).callSync('save')).toThrow(
      expect.objectContaining({ code: 'ERR_HOOK_THREW', cause: null, details: { hook: 'save', version: 4 } }),
    );
  });

  test('refuses a promise from a synchronous hook and lets its rejection go', async () => {
    const rejected = Promise.reject(new Error('late'));
    const hooks = readHooks({ napiReload: { save: () => rejected } }, 1);
    expect(() => hooks.callSync('save')).toThrow(expect.objectContaining({ code: 'ERR_HOOK_ASYNC' }));
    await expect(rejected).rejects.toThrow('late');
  });

  test('waits for an asynchronous hook, and wraps its rejection', async () => {
    let done = false;
    const prepare = async () => {
      await null;
      done = true;
    };
    await readHooks({ napiReload: { prepare } }, 1).callAsync('prepare', patient());
    expect(done).toBe(true);
    const failing = readHooks({ napiReload: { prepare: () => Promise.reject(new Error('no')) } }, 1);
    await expect(failing.callAsync('prepare', patient())).rejects.toMatchObject({ code: 'ERR_HOOK_THREW' });
  });

  test('gives up on a hook that never settles', async () => {
    const hooks = readHooks({ napiReload: { prepare: () => new Promise(() => undefined) } }, 2);
    await expect(hooks.callAsync('prepare', soon())).rejects.toMatchObject({
      code: 'ERR_HOOK_TIMEOUT',
      details: { hook: 'prepare', version: 2, timeoutMs: 5 },
    });
  });

  test('gives up on a hook when the signal fires, before or while it waits', async () => {
    const hooks = readHooks({ napiReload: { prepare: () => new Promise(() => undefined) } }, 2);
    const controller = new AbortController();
    const waiting = hooks.callAsync('prepare', patient(controller.signal));
    controller.abort('enough');
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: 'enough' });
    await expect(hooks.callAsync('prepare', patient(controller.signal))).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    });
  });
});
