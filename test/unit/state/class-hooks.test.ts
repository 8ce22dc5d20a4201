import { describe, expect, test } from 'vitest';
import { isReloadError } from '../../../src/errors.ts';
import { readHooks } from '../../../src/state/hooks.ts';

class Counter {
  value = 1;
}
const context = { reason: 'reload', state: undefined, memory: () => new Uint8Array() } as const;

function refusal(exports: object): unknown {
  try {
    readHooks(exports, 7);
  } catch (error) {
    if (isReloadError(error, 'ERR_HOOK_INVALID')) return error.details;
    throw error;
  }
  return null;
}

describe('readHooks', () => {
  test('finds a class by its name among the exports, and by a dotted one', () => {
    const save = (): number => 1;
    const napiReload = { classes: { Counter: { save }, 'stats.Counter': { save } } };
    const { classes } = readHooks({ Counter, stats: { Counter }, napiReload }, 1);
    expect([...classes.keys()]).toEqual(['Counter', 'stats.Counter']);
    expect([...classes.values()].map(({ made }) => made)).toEqual([Counter, Counter]);
  });

  test('finds the class that the whole of the exports is', () => {
    const exports = Object.assign(class Whole {}, { napiReload: { classes: { Whole: { save: () => 1 } } } });
    expect(readHooks(exports, 1).classes.get('Whole')?.made).toBe(exports);
  });

  test('gives the constructor the state alone where there is no args', () => {
    const napiReload = { classes: { Counter: { save: (each: Counter) => each.value } } };
    const hooks = readHooks({ Counter, napiReload }, 1).classes.get('Counter');
    expect(hooks?.save(new Counter())).toBe(1);
    expect(hooks?.args('state', context)).toEqual(['state']);
    expect(hooks?.restore).toBeNull();
  });

  test('calls the hooks of a class as methods of its description', () => {
    const seen: unknown[] = [];
    const description = {
      save(this: unknown): unknown {
        seen.push(this);
        return 1;
      },
      args(this: unknown, state: unknown, given: unknown): unknown[] {
        seen.push(this, state, given);
        return [];
      },
      restore(this: unknown, instance: unknown, state: unknown, given: unknown): void {
        seen.push(this, instance, state, given);
      },
    };
    const hooks = readHooks({ Counter, napiReload: { classes: { Counter: description } } }, 1).classes.get(
      'Counter',
    );
    const instance = new Counter();
    hooks?.save(instance);
    hooks?.args('state', context);
    hooks?.restore?.(instance, 'state', context);
    expect(seen).toEqual([
      description,
      description,
      'state',
      context,
      description,
      instance,
      'state',
      context,
    ]);
  });

  test.each([
    ['classes is no object', { napiReload: { classes: 3 } }, 'napiReload.classes', 'an object'],
    [
      'a description is no object',
      { Counter, napiReload: { classes: { Counter: 3 } } },
      'napiReload.classes.Counter',
      'an object with save',
    ],
    [
      'no class has the name',
      { napiReload: { classes: { Counter: { save() {} } } } },
      'napiReload.classes.Counter',
      'a class among the exports',
    ],
    [
      'what has the name is a function without a prototype',
      { Counter: () => 1, napiReload: { classes: { Counter: { save() {} } } } },
      'napiReload.classes.Counter',
      'a class among the exports',
    ],
    [
      'save is missing',
      { Counter, napiReload: { classes: { Counter: {} } } },
      'napiReload.classes.Counter.save',
      'a function',
    ],
    [
      'restore is no function',
      { Counter, napiReload: { classes: { Counter: { save() {}, restore: 3 } } } },
      'napiReload.classes.Counter.restore',
      'a function',
    ],
  ])('refuses classes where %s', (_, exports, path, wanted) => {
    expect(refusal(exports)).toMatchObject({ path, wanted: expect.stringContaining(wanted) });
  });
});
