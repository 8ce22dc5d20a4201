/** State that crosses a change of its layout, and state that is compared, through the public API. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Addon, type OpenOptions, open } from '../../src/index.ts';
import { createScratch, install, type Scratch, scriptedAddon } from '../support/addons.ts';

interface Recorder {
  given(): { state: unknown; from?: { version: number; schema: number } };
  prepared(): { schema: number };
}

/** Saves `state`, an expression, and keeps what its `init` was given. */
const recorder = (schema: number, state: string, hooks = ''): string =>
  scriptedAddon(`
    let context; let before;
    exports.given = () => context;
    exports.prepared = () => before;
    exports.napiReload = {
      schema: ${schema},
      prepare: ({ from }) => { before = from; },
      init: (given) => { context = given; },
      save: () => (${state}),
      ${hooks}
    };
  `);

let scratch: Scratch;
let addon: Addon<Recorder>;

beforeEach(() => {
  scratch = createScratch();
});
afterEach(async () => {
  await addon.close();
  scratch[Symbol.dispose]();
});

async function openRecorder(built: string, options: OpenOptions = {}): Promise<void> {
  install(built, scratch.file('kernel.node'));
  addon = await open<Recorder>(scratch.file('kernel.node'), { stageDir: scratch.file('stage'), ...options });
}

function reload(built: string): ReturnType<typeof addon.reload> {
  install(built, scratch.file('kernel.node'));
  return addon.reload();
}

describe('a version that accepts other schemas', () => {
  test('is given the state as it is, and told of its schema', async () => {
    await openRecorder(recorder(1, '"one"'));
    expect(await reload(recorder(3, '"three"', 'accepts: [1, 2],'))).toMatchObject({ state: 'carried' });
    expect(addon.exports.given()).toMatchObject({
      reason: 'reload',
      state: 'one',
      from: { version: 1, schema: 1 },
    });
    expect(addon.exports.prepared()).toEqual({ version: 1, schema: 1 });
    expect(addon.current.schema).toBe(3);
  });

  test('is given what the steps make of it where they lead to its own schema', async () => {
    await openRecorder(recorder(1, '"one"'), { migrate: { 1: (state: string) => `${state}+` } });
    await reload(recorder(2, '"two"', 'accepts: [1],'));
    expect(addon.exports.given()).toMatchObject({ state: 'one+', from: { version: 1, schema: 2 } });
    expect(addon.exports.prepared()).toEqual({ version: 1, schema: 2 });
  });

  test('is given the state where the steps lead to a schema that it accepts', async () => {
    await openRecorder(recorder(1, '"one"'), { migrate: { 1: (state: string) => `${state}+` } });
    await reload(recorder(4, '"four"', 'accepts: [2],'));
    expect(addon.exports.given()).toMatchObject({ state: 'one+', from: { version: 1, schema: 2 } });
  });

  test('is refused a state of a schema that it does not accept', async () => {
    await openRecorder(recorder(1, '"one"'));
    await expect(reload(recorder(4, '"four"', 'accepts: [2, 3],'))).rejects.toMatchObject({
      code: 'ERR_STATE_SCHEMA',
      details: { from: 1, to: 4, reason: 'missing-step', step: [1, 2] },
    });
    expect(addon.current.schema).toBe(1);
  });

  test('is refused when what it accepts is no list of schemas', async () => {
    await openRecorder(recorder(1, '"one"'));
    await expect(reload(recorder(2, '"two"', 'accepts: ["1"],'))).rejects.toMatchObject({
      code: 'ERR_HOOK_INVALID',
      details: { path: 'napiReload.accepts[0]' },
    });
  });
});

describe('with verify "deep", a new version', () => {
  const deep = { verify: 'deep' } as const;

  test('goes live when it saves what it was given', async () => {
    await openRecorder(recorder(1, '({ rows: new Float64Array([1, NaN]) })'), deep);
    await reload(recorder(1, 'context?.state ?? null'));
    expect(addon.current.id).toBe(2);
  });

  test('is refused when it saves something else, and the old one serves', async () => {
    await openRecorder(recorder(1, '({ rows: [1, 2] })'), deep);
    await expect(reload(recorder(1, '({ rows: [1, 3] })'))).rejects.toMatchObject({
      code: 'ERR_STATE_ROUNDTRIP',
      details: { version: 2, reason: 'differs', path: 'state.rows[1]' },
    });
    expect(addon.current.id).toBe(1);
  });

  test('is refused when its init changes the state that it is given in place', async () => {
    await openRecorder(recorder(1, '({ rows: [1, 2] })'), deep);
    const hooks = 'init(given) { context = given; given.state?.rows.push(3); },';
    await expect(reload(recorder(1, 'context.state ?? null', hooks))).rejects.toMatchObject({
      details: { reason: 'differs', path: 'state.rows[2]' },
    });
  });

  test('is refused before its init when the state is no data', async () => {
    await openRecorder(recorder(1, '({ call() {} })'), deep);
    const hooks = 'init({ reason }) { if (reason !== "first") throw new Error("called"); },';
    await expect(reload(recorder(1, '({})', hooks))).rejects.toMatchObject({
      code: 'ERR_STATE_ROUNDTRIP',
      details: { reason: 'not-cloneable', path: null },
    });
  });

  test('is compared with the state that the steps made', async () => {
    await openRecorder(recorder(1, '1'), { ...deep, migrate: { 1: (state: number) => state + 1 } });
    await reload(recorder(2, '2'));
    await expect(reload(recorder(2, '3'))).rejects.toMatchObject({ details: { path: 'state' } });
  });

  test('is not compared with a state of another schema that it accepted', async () => {
    await openRecorder(recorder(1, '1'), deep);
    await reload(recorder(2, '"one"', 'accepts: [1],'));
    expect(addon.current.id).toBe(2);
  });

  test('is not compared where there is no state', async () => {
    await openRecorder(scriptedAddon('exports.given = () => null;'), deep);
    expect(await reload(recorder(1, '1'))).toMatchObject({ state: 'stateless' });
  });
});

test('without verify "deep", a new version may save another state than it was given', async () => {
  await openRecorder(recorder(1, '1'));
  await reload(recorder(1, '2'));
  expect(addon.current.id).toBe(2);
});
