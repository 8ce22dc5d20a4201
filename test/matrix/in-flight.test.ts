/** Calls that are under way while the version is switched: each runs once and is answered once, wherever it runs. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Addon, open } from '../../src/index.ts';
import { createScratch, install, type Scratch, scriptedAddon } from '../support/addons.ts';

const CALLS_IN_FLIGHT = 10_000;
const CALLS_PER_TURN = 50;
const CALLS_MAX = 50_000;
/** The calls under way wait for each other, and the machine may be slow. */
const DRAIN_TIMEOUT_MS = 30_000;

interface Kernel {
  /** Waits until another version has begun. */
  wait(call: number): Promise<readonly [call: number, version: number]>;
  /** How many calls have entered any version. */
  entered(): number | Promise<number>;
  /** How often each call has run, in any version. */
  runs(): Uint8Array | Promise<Uint8Array>;
}

/** Memory of all versions has a byte for each call, and the number of the version that began last. */
const versionOf = (version: number, end = ''): string =>
  scriptedAddon(`
    let runs, latest, entered = 0, begun;
    const untilNext = () => begun ??= (async () => {
      while (latest[0] <= ${version}) await new Promise((resolve) => setTimeout(resolve, 1));
    })();
    exports.wait = async (call) => {
      runs[call] += 1;
      entered += 1;
      if (${version} === 1) await untilNext();
      return [call, ${version}];
    };
    exports.entered = () => entered;
    exports.runs = () => runs.slice();
    exports.napiReload = {
      save: () => entered,
      init({ state, memory }) {
        entered = state ?? 0;
        runs = memory('runs', ${CALLS_MAX});
        latest = memory('latest', 1);
        latest[0] = ${version};
        ${end}
      },
    };
  `);

describe.each(['inline', 'worker', 'process'] as const)('calls in flight, isolation %s', (isolation) => {
  let scratch: Scratch;
  let file: string;
  let addon: Addon<Kernel>;

  beforeEach(async () => {
    scratch = createScratch();
    file = scratch.file('kernel.node');
    install(versionOf(1), file);
    const options = { stageDir: scratch.file('stage'), drainTimeoutMs: DRAIN_TIMEOUT_MS };
    addon =
      isolation === 'inline'
        ? await open<Kernel>(file, options)
        : await open<Kernel>(file, { ...options, isolation, host: { spare: false } });
  });

  afterEach(async () => {
    await addon.close();
    scratch[Symbol.dispose]();
  });

  /** Calls without a pause, before the reload and while it goes on. */
  async function callDuring(reload: () => Promise<unknown>) {
    const answers: Promise<readonly [number, number]>[] = [];
    const call = (): void => void answers.push(addon.exports.wait(answers.length));
    for (let count = 0; count < CALLS_IN_FLIGHT; count++) call();
    expect(await addon.exports.entered()).toBe(CALLS_IN_FLIGHT);
    let isOver = false;
    const outcome = reload()
      .catch((error: unknown) => error)
      .finally(() => {
        isOver = true;
      });
    while (!isOver) {
      const room = CALLS_MAX - CALLS_PER_TURN - answers.length;
      for (let count = 0; count < Math.min(CALLS_PER_TURN, room); count++) call();
      await new Promise(setImmediate);
    }
    for (let count = 0; count < CALLS_PER_TURN; count++) call();
    const settled = await Promise.all(answers);
    return {
      outcome: await outcome,
      calls: settled.map(([number]) => number),
      versions: settled.map(([, version]) => version),
      runs: [...(await addon.exports.runs()).subarray(0, settled.length)],
    };
  }

  const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

  test('are answered once by the version that they entered, later ones by the new one', async () => {
    install(versionOf(2), file);
    const { outcome, calls, versions, runs } = await callDuring(() => addon.reload());
    expect(outcome).toMatchObject({ status: 'reloaded', from: 1, to: 2, retired: { outcome: 'unloaded' } });
    expect(calls).toEqual(upTo(calls.length));
    expect(new Set(runs)).toEqual(new Set([1]));
    expect(new Set(versions.slice(0, CALLS_IN_FLIGHT))).toEqual(new Set([1]));
    expect(versions.at(-1)).toBe(2);
    // Once, in the order of the calls.
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(await addon.exports.entered()).toBe(calls.length);
  });

  test('are answered once by the version that serves on when the new one fails', async () => {
    install(versionOf(2, 'throw new Error("no");'), file);
    const { outcome, calls, versions, runs } = await callDuring(() => addon.reload());
    expect(outcome).toMatchObject({ code: 'ERR_HOOK_THREW' });
    expect(calls).toEqual(upTo(calls.length));
    expect(new Set(runs)).toEqual(new Set([1]));
    expect(new Set(versions)).toEqual(new Set([1]));
    expect(await addon.exports.entered()).toBe(calls.length);
  });
});
