/** What a retired version leaves behind. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { firstVersion } from './support.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const TURNS_MAX = 200;
/** What a user may go on holding. */
const kept: object[] = [];

/** Collects until the engine has told of it, turn after turn of the event loop. */
async function isCollected(reference: WeakRef<object>): Promise<boolean> {
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    // A deref() keeps its object until the turn ends.
    await new Promise(setImmediate);
    collectGarbage();
    if (reference.deref() === undefined) return true;
  }
  return false;
}

interface Instance {
  which(): number;
}
interface Raw {
  C: new () => Instance;
  list: object;
}

function rawExports(version: number): object {
  const made: object = {
    f: () => version,
    list: [version],
    nested: { g: () => version, table: new Uint8Array(1) },
    C: class {
      static table = [version];
      which(): number {
        return version;
      }
    },
    get self() {
      return made;
    },
  };
  return made;
}

test('a version without instances is collected once another is live, and its plan kept', async () => {
  const live = firstVersion<Raw>({});
  const retired = ((): WeakRef<object>[] => {
    const raw = rawExports(1) as Raw;
    const found = [raw, raw.C, raw.C.prototype, raw.list].map(
      (object) => new WeakRef<object>(object as object),
    );
    kept.push(live.reload(raw));
    new live.exports.C().which();
    return found;
  })();
  live.reload(rawExports(2));
  for (const reference of retired) expect(await isCollected(reference)).toBe(true);
});

test('a version is collected when a later one dropped all of its names', async () => {
  const live = firstVersion<Raw>({});
  const retired = ((): WeakRef<object>[] => {
    const raw = rawExports(1) as Raw;
    live.reload(raw);
    kept.push(live.exports.C);
    return [raw, raw.C, raw.list].map((object) => new WeakRef<object>(object as object));
  })();
  live.reload({});
  for (const reference of retired) expect(await isCollected(reference)).toBe(true);
});

test('a version lives as long as an instance of it, which runs its code', async () => {
  const live = firstVersion<Raw>({});
  const holder: { instance: Instance | null } = { instance: null };
  const retired = ((): WeakRef<object> => {
    const raw = rawExports(1) as Raw;
    live.reload(raw);
    holder.instance = new live.exports.C();
    return new WeakRef<object>(raw.C);
  })();
  live.reload(rawExports(2));
  await new Promise(setImmediate);
  collectGarbage();
  expect([holder.instance?.which(), retired.deref() === undefined]).toEqual([1, false]);
  holder.instance = null;
  expect(await isCollected(retired)).toBe(true);
});
