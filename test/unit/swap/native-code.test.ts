/** Facades that are native functions, over versions of the ledger. */
import path from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { ledgerUse, type LoadedVersion, open, removeFolder, retire } from '../../fixtures/ledger/load.mjs';
import { compileAddon, FIXTURES } from '../../support/addons.ts';
import { firstVersion, type Reloading, thrownBy } from './support.ts';

interface Box {
  value: unknown;
}
interface Calls {
  version?: { (): unknown; new (): object };
  self(): unknown;
  newTarget: { (): unknown; new (): object };
  list: { (...values: unknown[]): unknown[]; new (): unknown[] };
  fail(): never;
  callBack(callback: () => unknown): number;
  Box: new (value: unknown) => Box;
  makeBox(): Box;
  isBox(value: unknown): boolean;
}

const versions: LoadedVersion[] = [];
afterEach(() => {
  for (const version of versions.splice(0)) expect(retire(version, true).outcome).toBe('unloaded');
  expect(ledgerUse().images).toBe(0);
});
afterAll(removeFolder);

function load(version: 1 | 2, ...defines: readonly string[]): LoadedVersion {
  const source = path.join(FIXTURES, 'swap/calls.c');
  const loaded = open(compileAddon([source], [`-DVERSION=${version}`, ...defines]));
  versions.push(loaded);
  return loaded;
}
function start(): Reloading<Calls> {
  const { exports, handle } = load(1);
  return firstVersion<Calls>(exports, handle);
}
const reloadTo = ({ reload }: Reloading<Calls>, { exports, handle }: LoadedVersion): void => {
  reload(exports, handle);
};
const stackOf = (run: () => unknown): string => String((thrownBy(run) as Error).stack);

describe('the facade of a native function', () => {
  test('is one: no JavaScript runs between the call and the version', () => {
    const reloading = start();
    const { fail, self } = reloading.exports;
    expect(Function.prototype.toString.call(fail)).toBe('function fail() { [native code] }');
    for (const version of [1, 2] as const) {
      expect(stackOf(fail)).not.toContain('forwarder');
      expect(thrownBy(fail)).toMatchObject({ code: 'ERR_FIXTURE', message: `of version ${version}` });
      const receiver = {};
      expect([self.call(receiver), reloading.exports.self()]).toEqual([receiver, reloading.exports]);
      reloadTo(reloading, load(2));
    }
  });

  test('has the keys, name and length of what it stands for', () => {
    const { exports, handle } = load(1);
    const facade = firstVersion<Calls>(exports, handle).exports.list;
    expect(Reflect.ownKeys(facade)).toEqual(Reflect.ownKeys(exports['list'] as object));
    expect([facade.name, facade.length]).toEqual(['list', 0]);
    expect([...Array(20).keys(), 20].map((count) => facade(...Array(count).keys()).length)).toEqual([
      ...Array(20).keys(),
      20,
    ]);
  });

  test('can be constructed and inherited from, as what it stands for', () => {
    const reloading = start();
    const { Box, newTarget, list } = reloading.exports;
    class Mine extends Box {}
    const check = (): void => {
      const { makeBox, isBox } = reloading.exports;
      const boxes = [new Box(1), new Mine(2), makeBox()];
      for (const box of boxes) expect([box instanceof Box, isBox(box)]).toEqual([true, true]);
      expect(boxes[1]).toBeInstanceOf(Mine);
      expect([boxes[0]?.constructor, boxes[2]?.constructor]).toEqual([Box, Box]);
      expect([isBox({}), new list()]).toEqual([false, []]);
      expect(newTarget()).toBe(undefined);
      expect(new newTarget()).toBe(newTarget);
      expect(Reflect.construct(newTarget, [], Mine)).toBe(Mine);
    };
    check();
    reloadTo(reloading, load(2));
    check();
  });

  test('changes to JavaScript, to a class, to a version of Node.js itself, and back', () => {
    const reloading = start();
    const { version } = reloading.exports;
    if (version === undefined) throw new Error('the fixture has no version');
    reloadTo(reloading, load(2, '-DSCRIPT'));
    expect([version(), reloading.exports.version]).toEqual(['script', version]);
    expect(new version()).toBeInstanceOf(version);
    class Mine extends version {}
    expect(new Mine()).toBeInstanceOf(Mine);
    reloadTo(reloading, load(2));
    expect([version(), Function.prototype.toString.call(version)]).toEqual([
      2,
      expect.stringContaining('native'),
    ]);
    reloadTo(reloading, load(1, '-DCLASS'));
    expect([new version(), new Mine()]).toEqual([{ value: undefined }, { value: undefined }]);
    reloading.reload(load(1).exports);
    expect(version()).toBe(1);
    reloadTo(reloading, load(2));
    expect(version()).toBe(2);
  });

  test('throws while no version has it, and after revoke', () => {
    const reloading = start();
    const { version, self } = reloading.exports;
    reloadTo(reloading, load(2, '-DWITHOUT'));
    expect(thrownBy(() => version?.())).toMatchObject({
      code: 'ERR_EXPORT_REMOVED',
      details: { name: 'version', version: 2 },
    });
    expect(thrownBy(() => version && new version())).toMatchObject({ code: 'ERR_EXPORT_REMOVED' });
    reloadTo(reloading, load(1));
    expect(version?.()).toBe(1);
    const why = new TypeError('closed');
    reloading.live.revoke(() => why);
    for (const use of [() => version?.(), () => version && new version(), self]) {
      expect(thrownBy(use)).toBe(why);
    }
  });

  test('ends a call in the code and with the data that it began with, when the next version is published', () => {
    const reloading = start();
    const { callBack } = reloading.exports;
    const next = load(2);
    const made = reloading.plan(next.exports, next.handle);
    const inner: unknown[] = [];
    const outer = callBack(() => {
      made.publish();
      inner.push(callBack(() => undefined));
      inner.push(retire(versions[0] as LoadedVersion).pins);
    });
    expect([outer, inner]).toEqual([10, [20, 'frame:1']]);
  });

  test('is not changed by a plan', () => {
    const { exports, plan } = start();
    const { version, self } = exports;
    const next = load(2, '-DWITHOUT');
    plan(next.exports, next.handle);
    expect([version?.(), exports.version, exports.self]).toEqual([1, version, self]);
  });

  test('throws what names the version, when that was unloaded under it', () => {
    const { exports } = start();
    for (const version of versions.splice(0)) retire(version);
    expect(thrownBy(() => exports.version?.())).toMatchObject({ code: 'ERR_VERSION_UNLOADED' });
  });

  test('leaves a version that was unloaded before its publish to throw', () => {
    const reloading = start();
    const next = load(2);
    const made = reloading.plan(next.exports, next.handle);
    retire(next);
    versions.splice(versions.indexOf(next), 1);
    made.publish();
    expect(thrownBy(() => reloading.exports.version?.())).toMatchObject({ code: 'ERR_VERSION_UNLOADED' });
  });
});

test('a facade that was made for JavaScript follows into native code', () => {
  const first = load(1, '-DSCRIPT');
  const reloading = firstVersion<Calls>(first.exports, first.handle);
  const { version } = reloading.exports;
  reloadTo(reloading, load(2));
  expect([version?.(), reloading.exports.version]).toEqual([2, version]);
});
