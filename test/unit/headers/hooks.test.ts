/** The object that the headers make: what JavaScript sees of it, and how each hook is called. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Reason } from '../../../src/state/hooks.ts';
import { buildFlavour, type Everything, FLAVOURS, requireAnew } from './support.ts';

/** Of napi_reload.h, or of node-addon-api. */
const NO_INSTANCE =
  /^Cannot move an instance by "napi_unwrap": it wraps nothing$|^Invalid argument$|^An object was /;

describe.each(FLAVOURS)('an addon in $name', (flavour) => {
  let addon: Everything;

  beforeAll(() => {
    addon = requireAnew(buildFlavour(flavour));
  });

  test('works by a plain require, which calls none of its hooks', () => {
    const other = requireAnew(buildFlavour(flavour));
    expect([other.add(2), other.add(3)]).toEqual([2, 5]);
    expect(other.calls()).toEqual([]);
    expect(new other.Counter(7).value()).toBe(7);
  });

  test('exports an ordinary object with the names of the contract and no others', () => {
    const { napiReload } = addon;
    const fn = expect.any(Function);
    expect(napiReload).toEqual({
      schema: 2,
      accepts: [1, 3],
      prepare: fn,
      init: fn,
      save: fn,
      dispose: fn,
      resume: fn,
      classes: { Counter: { save: fn, args: fn, restore: fn } },
    });
    for (const object of [napiReload, napiReload.classes, napiReload.classes['Counter']]) {
      expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
      for (const property of Object.values(Object.getOwnPropertyDescriptors(object))) {
        expect(property).toMatchObject({ writable: true, enumerable: true, configurable: true });
      }
    }
  });

  test('gets each call in its own function, with what the context says', async () => {
    const { napiReload, calls, add } = requireAnew(buildFlavour(flavour));
    const context = { reason: 'reload', state: 5, from: { version: 3, schema: 1 } };
    const told = { reason: 'reload', state: 5, version: 3, schema: 1 };
    expect(await napiReload.prepare(context)).toEqual(told);
    expect(napiReload.init(context)).toBeUndefined();
    expect(add(1)).toBe(6);
    expect(napiReload.save()).toBe(6);
    expect(napiReload.resume()).toBeUndefined();
    expect(napiReload.dispose()).toBeUndefined();
    expect(calls()).toEqual(['prepare', 'init', 'resume', 'dispose']);
  });

  const reasons: readonly Reason[] = ['first', 'reload', 'rollback', 'restart'];

  test.each(reasons)('reads the reason "%s"', (reason) => {
    expect(addon.look({ reason, state: undefined })).toEqual({ reason });
  });

  test('takes null and false for a state, and undefined for none', () => {
    expect(addon.look({ reason: 'reload', state: null })).toEqual({ reason: 'reload', state: null });
    expect(addon.look({ reason: 'reload', state: false })).toEqual({ reason: 'reload', state: false });
    expect(Object.keys(addon.look({ reason: 'reload' }))).not.toContain('version');
  });

  test('moves an instance by its native object', () => {
    const { args, restore, save } = addon.napiReload.classes['Counter'] ?? expect.fail();
    const instance = new addon.Counter(7);
    expect(save(instance)).toBe(7);
    expect(args(7)).toEqual([7, 'from args']);
    expect(restore(instance, 10)).toBeUndefined();
    expect(instance.value()).toBe(17);
  });

  test.each([{}, undefined, 1, []])('throws one error for an instance that is %s', (value) => {
    const { restore, save } = addon.napiReload.classes['Counter'] ?? expect.fail();
    expect(() => save(value as object)).toThrow(NO_INSTANCE);
    expect(() => restore(value as object, 1)).toThrow(NO_INSTANCE);
    expect(save(new addon.Counter(1))).toBe(1);
  });

  test.each(['reason', 'state', 'from'])('throws what an accessor of "%s" threw', (name) => {
    const mine = new RangeError('mine');
    const context = {
      get [name](): never {
        throw mine;
      },
    };
    expect(() => addon.look(context)).toThrow(mine);
    expect(addon.look({ reason: 'first' })['reason']).toBe('first');
  });

  test('throws when it is called without a context', () => {
    const init = addon.napiReload.init as () => void;
    expect(() => init()).toThrow(TypeError);
  });

  test('defines its hooks on any object, with or without a prototype', () => {
    for (const target of [{}, Object.create(null) as object, () => 1]) {
      addon.define(target);
      expect((target as Everything).napiReload.save()).toBe(7);
      expect(Object.keys((target as Everything).napiReload)).toEqual(['save']);
    }
  });

  test('throws one error when what it defines is there already', () => {
    const before = 'Cannot define "napiReload": it is there already';
    expect(() => addon.define({ napiReload: 1 })).toThrow(before);
    expect(() => addon.define({ napiReload: 1 }, true)).toThrow(before);
    expect(() => addon.define({}, true)).toThrow(/^Cannot define "(napiReload|save)": it is there already$/);
    expect(() => addon.define({})).not.toThrow();
  });

  test('throws one error when the object takes no property', () => {
    expect(() => addon.define(Object.freeze({}))).toThrow(
      'Cannot define "napiReload": the object does not take it',
    );
    const mine = new RangeError('mine');
    const refusing = new Proxy(
      {},
      {
        defineProperty() {
          throw mine;
        },
      },
    );
    expect(() => addon.define(refusing)).toThrow(mine);
  });
});
