/** The assertions and the matchers: each passes where it must, and fails where it must, with what it found. */
import { AssertionError } from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Addon, open } from '../../../src/addon.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import type { OpenOptions } from '../../../src/options.ts';
import {
  assertKeepsState,
  assertLeaksLessThan,
  assertReloads,
  assertStaysOnVersion,
  assertUnloads,
  createReloadable,
  type Subject,
} from '../../../src/testing/testing.ts';
import '../../../src/vitest/vitest.ts';
import { counter } from '../../fixtures/ledger/build.mjs';
import { createScratch, install, scriptedAddon } from '../../support/addons.ts';
import { makeKitProject, TOTAL, type Total } from '../../support/kits.ts';

/** Refused by its own `init`. */
const REFUSED = `${TOTAL} exports.napiReload.init = () => { throw new Error('no such state'); };`;
/** Loses what it had. */
const FORGETFUL = `${TOTAL} exports.napiReload.save = () => ({ total: total - 1 });`;
const OTHER = `${TOTAL} exports.version = () => 2;`;

interface Opened<T> extends AsyncDisposable {
  readonly addon: Addon<T>;
  build(script: string): void;
}

function openTotal(script = TOTAL, options: OpenOptions = {}): Promise<Opened<Total>> {
  return openAddon<Total>(scriptedAddon(script), options);
}

async function openAddon<T>(built: string, options: OpenOptions = {}): Promise<Opened<T>> {
  const scratch = createScratch();
  const target = scratch.file('total.node');
  install(built, target);
  const addon = await open<T>(target, { stageDir: scratch.file('stage'), ...options });
  return {
    addon,
    build: (script) => install(scriptedAddon(script), target),
    async [Symbol.asyncDispose]() {
      await addon.close();
      scratch[Symbol.dispose]();
    },
  };
}

/** @returns the message of what the assertion and the matcher both fail with */
async function failure(...attempts: readonly (() => Promise<unknown>)[]): Promise<string> {
  const messages = [];
  for (const attempt of attempts) {
    const error = await attempt().then(
      () => expect.fail('it passed'),
      (found: Error) => found,
    );
    messages.push(error.message);
  }
  return messages.join('\n---\n');
}

describe('toReload', () => {
  test('passes when a new version goes live', async () => {
    await using total = await openTotal();
    total.build(OTHER);
    await expect(total.addon).toReload();
    await expect(total).toReload({ force: true });
    expect(await assertReloads(total, { force: true })).toMatchObject({ from: 3, to: 4, state: 'carried' });
  });

  test('fails when nothing is new, and when the new version is refused', async () => {
    await using total = await openTotal();
    await expect(total.addon).not.toReload();
    const attempts = [() => expect(total.addon).toReload(), () => assertReloads(total.addon)];
    expect(await failure(...attempts)).toMatch(
      /^(Expected a new version to go live\nunchanged: .* version 1 serves\n.*\{ force: true \}(\n---\n)?){2}$/,
    );
    total.build(REFUSED);
    await expect(total.addon).not.toReload();
    expect(await failure(...attempts)).toMatch(
      /^(Expected a new .*\nrefused in "prepare" with ERR_HOOK_THREW: Hook "init" .*\n {2}because: no such state(\n---\n)?){2}$/,
    );
  });

  test('with "not" fails when a new version goes live, and shows its report', async () => {
    await using total = await openTotal();
    const message = await failure(() => expect(total.addon).not.toReload({ force: true }));
    expect(message).toMatch(
      /^Expected not a new version to go live\nreloaded: version 1 -> 2, state carried\n {2}phases \(ms\): .*load \d.*swap \d/,
    );
    expect(message).toContain('version 1 was unloaded');
  });
});

describe('toKeepState', () => {
  test('passes when the new version has what was read before', async () => {
    await using total = await openTotal();
    total.addon.exports.add(3);
    total.build(OTHER);
    await expect(total.addon).toKeepState((exports) => ({ total: exports.total() }));
    await assertKeepsState(total, async (exports) => exports.total(), { force: true });
  });

  test('fails when it has something else, with both', async () => {
    await using total = await openTotal(FORGETFUL);
    const read = (exports: Total): number => exports.total();
    await expect(total.addon).not.toKeepState(read, { force: true });
    const found = await assertKeepsState(total, read, { force: true }).catch((error: unknown) => error);
    expect(found).toBeInstanceOf(AssertionError);
    expect(found).toMatchObject({ actual: -2, expected: -1 });
    const matched = await Promise.resolve(expect(total.addon).toKeepState(read, { force: true })).catch(
      (error: unknown) => error,
    );
    expect(matched).toMatchObject({ actual: -3, expected: -2 });
  });

  test('with "not" fails too when no new version goes live, and when state is kept', async () => {
    await using total = await openTotal();
    const read = (exports: Total): number => exports.total();
    expect(await failure(() => expect(total.addon).not.toKeepState(read))).toMatch(
      /^Expected a new version to go live, without which there is nothing to test\nunchanged: /,
    );
    expect(await failure(() => expect(total.addon).not.toKeepState(read, { force: true }))).toMatch(
      /^Expected not state to be kept over a reload\nreloaded: version 1 -> 2/,
    );
    total.build(REFUSED);
    expect(await failure(() => expect(total.addon).not.toKeepState(read))).toContain('ERR_HOOK_THREW');
  });

  test('fails when no new version goes live', async () => {
    await using total = await openTotal();
    const read = (exports: Total): number => exports.total();
    expect(
      await failure(
        () => expect(total.addon).toKeepState(read),
        () => assertKeepsState(total.addon, read),
      ),
    ).toMatch(/^(Expected state to be kept over a reload\nunchanged: [^-]*(\n---\n)?){2}$/);
  });

  test('refuses a state that says nothing', async () => {
    await using total = await openTotal();
    for (const read of [() => undefined, (exports: Total) => exports]) {
      await expect(assertKeepsState(total, read, { force: true })).rejects.toMatchObject({
        code: 'ERR_INVALID_OPTION',
        details: { option: 'read' },
      });
    }
  });
});

describe('toUnload', () => {
  test('passes when the version that was replaced leaves the memory', async () => {
    await using total = await openTotal();
    await expect(total.addon).toUnload({ force: true });
    await assertUnloads(total, { force: true });
  });

  test('fails when nothing was replaced', async () => {
    await using total = await openTotal();
    expect(await failure(() => expect(total.addon).not.toUnload())).toMatch(
      /^Expected a new version to go live, /,
    );
    expect(
      await failure(
        () => expect(total.addon).toUnload(),
        () => assertUnloads(total),
      ),
    ).toMatch(/^(Expected the version .* to be unloaded\nunchanged: [^-]*(\n---\n)?){2}$/);
  });

  test('fails while an instance is held, with the pin, and passes when that is garbage', async () => {
    await using total = await openAddon<{ Counter: new (value: number) => object }>(counter(1));
    const held: { instance: object | null } = { instance: new total.addon.exports.Counter(1) };
    const force = { force: true, withinMs: 10 };
    await expect(total.addon).not.toUnload(force);
    held.instance = new total.addon.exports.Counter(1);
    expect(await failure(() => expect(total.addon).toUnload(force))).toMatch(
      /\n {2}found: version 2 is pinned by 1 wrapped-object$/,
    );
    held.instance = new total.addon.exports.Counter(1);
    expect(await failure(() => assertUnloads(total, force))).toContain('pinned by 1 wrapped-object');
    new total.addon.exports.Counter(1);
    await expect(total.addon).toUnload({ force: true });
    held.instance = null;
  });

  test('fails when it stays for good, with the reason', async () => {
    await using total = await openTotal(TOTAL, { reclaim: 'never' });
    expect(
      await failure(
        () => expect(total.addon).toUnload({ force: true }),
        () => assertUnloads(total, { force: true }),
      ),
    ).toMatch(/found: version 1 stays in memory: \S+[\s\S]*found: version 2 stays in memory: \S+/);
  });
});

describe('toStayOnVersion', () => {
  test('passes when the reload is refused, or finds nothing new', async () => {
    await using total = await openTotal();
    await expect(total.addon).toStayOnVersion(1);
    total.build(REFUSED);
    await expect(total.addon).toStayOnVersion(1, { code: 'ERR_HOOK_THREW' });
    await assertStaysOnVersion(total, 1);
  });

  test('fails when a new version goes live', async () => {
    await using total = await openTotal();
    total.build(OTHER);
    expect(await failure(() => expect(total.addon).toStayOnVersion(1))).toMatch(
      /^Expected version 1 to serve after a reload; version 2 serves\nreloaded: version 1 -> 2/,
    );
    total.build(TOTAL);
    expect(await failure(() => assertStaysOnVersion(total.addon, 2))).toContain('version 3 serves');
  });

  test('fails when it is not refused with the code that is wanted', async () => {
    await using total = await openTotal();
    const code = 'ERR_BUILD_FAILED';
    expect(await failure(() => expect(total.addon).toStayOnVersion(1, { code }))).toContain('unchanged');
    total.build(REFUSED);
    expect(await failure(() => assertStaysOnVersion(total, 1, { code }))).toContain('ERR_HOOK_THREW');
  });

  test('with "not" passes when another version serves, and fails when this one serves on', async () => {
    await using total = await openTotal();
    await expect(total.addon).not.toStayOnVersion(1, { force: true });
    expect(await failure(() => expect(total.addon).not.toStayOnVersion(2))).toMatch(
      /^Expected another version than 2 to serve after a reload; version 2 serves\nunchanged/,
    );
    total.build(REFUSED);
    const code = 'ERR_BUILD_FAILED';
    expect(await failure(() => expect(total.addon).not.toStayOnVersion(2, { code }))).toContain(
      'ERR_HOOK_THREW',
    );
  });

  test('throws what kept it from trying: a build that cannot be started refuses no version', async () => {
    using scratch = createScratch();
    const target = scratch.file('total.node');
    install(scriptedAddon(TOTAL), target);
    const command = scratch.write('build.sh', '#!/bin/sh\n');
    fs.chmodSync(command, 0o755);
    const build = { command, cwd: scratch.path };
    await using addon = await open<Total>(target, { stageDir: scratch.file('stage'), build });
    fs.rmSync(command);
    const refused = { code: 'ERR_BUILD_FAILED', details: { reason: 'spawn' } };
    await expect(assertStaysOnVersion(addon, 1)).rejects.toMatchObject(refused);
  });

  test('refuses a code that is none, and knows each that is one', async () => {
    await using total = await openTotal();
    const code = 'ERR_BUILD_FALED' as 'ERR_BUILD_FAILED';
    await expect(assertStaysOnVersion(total, 1, { code })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      details: { option: 'code' },
      message: expect.stringContaining('did you mean "ERR_BUILD_FAILED"?') as string,
    });
    const source = fs.readFileSync(new URL('../../../src/errors.ts', import.meta.url), 'utf8');
    const codes = [...source.matchAll(/^ {2}(ERR_\w+):/gm)].map(([, name]) => name as ErrorCode);
    expect(codes.length).toBeGreaterThan(30);
    for (const each of codes) {
      const attempt = expect(total.addon).toStayOnVersion(1, { code: each });
      await expect(Promise.resolve(attempt)).rejects.toThrow(`that is refused with ${each};`);
    }
  });
});

describe('toLeakLessThan', () => {
  // Not before: what one leak gave back would be taken by the next, which would not grow.
  afterAll(() => {
    Reflect.deleteProperty(globalThis, 'leaked');
  });

  /** A mebibyte for each version, which its global keeps. */
  const LEAKS = `${TOTAL} globalThis.leaked ??= []; globalThis.leaked.push(new Uint8Array(2 ** 20).fill(1));`;

  /** @returns what each round grew by, and what one reload did, in bytes */
  function grownIn(message: string): { rounds: readonly number[]; each: number } {
    const [, rounds = '', each] = /grew by ([-\d, ]+) bytes, (-?\d+) for each reload/.exec(message) ?? [];
    return { rounds: rounds.split(', ').map(Number), each: Number(each) };
  }

  test('fails for what a test of so many reloads can show', async () => {
    const script = `${TOTAL} globalThis.leaked ??= []; globalThis.leaked.push(new Uint8Array(2 ** 17).fill(1));`;
    await using leaking = await openTotal(script);
    const attempt = () => expect(leaking.addon).toLeakLessThan(4 * 2 ** 20, { reloads: 60 });
    const { rounds, each } = grownIn(await failure(attempt));
    expect(rounds).toHaveLength(3);
    expect(Math.min(...rounds)).toBeGreaterThan((60 * 2 ** 17) / 2);
    expect(each).toBe(Math.round(Math.min(...rounds) / 60));
  });

  test('passes when memory stays below, and fails when it does not', async () => {
    await using total = await openTotal();
    await expect(total.addon).toLeakLessThan(8 * 2 ** 20, { reloads: 20 });
    await using leaking = await openTotal(LEAKS);
    for (const attempt of [
      () => expect(leaking.addon).toLeakLessThan(8 * 2 ** 20, { reloads: 20 }),
      () => assertLeaksLessThan(leaking, 8 * 2 ** 20, { reloads: 20 }),
    ]) {
      const message = await failure(attempt);
      expect(message).toMatch(
        /^Expected 20 reloads to leak less than 8388608 bytes\n {2}resident memory outside of V8's heap grew by .*\nversions in memory: 1\n {2}version \d+: live$/,
      );
      const { rounds, each } = grownIn(message);
      expect(rounds).toHaveLength(3);
      expect(Math.min(...rounds)).toBeGreaterThan((20 * 2 ** 20) / 2);
      expect(each).toBe(Math.round(Math.min(...rounds) / 20));
    }
  });

  test('fails when a reload is refused, with "not" too', async () => {
    await using total = await openTotal();
    total.build(REFUSED);
    expect(await failure(() => expect(total.addon).toLeakLessThan(1))).toContain('ERR_HOOK_THREW');
    expect(await failure(() => expect(total.addon).not.toLeakLessThan(1))).toContain('ERR_HOOK_THREW');
  });

  test.each(['worker', 'process'] as const)('is refused where a %s runs the version', async (isolation) => {
    await using total = await openTotal(TOTAL, { isolation } as object);
    await expect(assertLeaksLessThan(total, 2 ** 20)).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      details: { option: 'isolation' },
    });
    expect(total.addon.current.id).toBe(1);
  });

  test('refuses an option that is misspelt', async () => {
    await using total = await openTotal();
    const options = { reload: 5 } as object;
    await expect(assertLeaksLessThan(total, 1, options)).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message: expect.stringContaining('did you mean "reloads"?') as string,
    });
  });
});

describe('a build that fails and says nothing that a compiler says', () => {
  const LINES = Array.from({ length: 30 }, (_, index) => `  line ${index + 1}`);
  const FAIL = 'if [ -e src/stop.h ]; then for n in $(seq 30); do echo "line $n"; done; exit 3; fi';

  test('is shown with the last lines of its output, by matchers and by the kit', async () => {
    using project = makeKitProject({ before: `{ ${FAIL}; }` });
    const kit = await createReloadable<Total>(project.options);
    await kit.write('src/stop.h', '');
    const shown = await failure(() => expect(kit).toReload());
    expect(shown.split('\n').slice(-20)).toEqual(LINES.slice(-20));
    expect(shown.match(/^ {2}line 30$/gm)).toHaveLength(1);
    await kit.close();
    project.scratch.write('project/src/stop.h', '');
    await expect(createReloadable(project.options)).rejects.toThrow(`\n${LINES.slice(-20).join('\n')}`);
  });

  test('is shown with them where another handle builds', async () => {
    await using total = await openTotal();
    const { source: addon } = total.addon.current;
    const script = `[ -e ${addon}.ready ] && { echo no such tool; exit 3; }; touch ${addon} ${addon}.ready`;
    const build = { command: 'sh', args: ['-c', script], cwd: path.dirname(addon) };
    await using other = await open<Total>(addon, { build });
    expect(await failure(() => expect(other).toReload())).toMatch(/\n {2}no such tool$/);
  });
});

describe('every check', () => {
  test('refuses what is no handle, and does not take a closed one for a refusal', async () => {
    await expect(assertReloads({} as Subject)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
    const total = await openTotal();
    await total[Symbol.asyncDispose]();
    for (const attempt of [
      () => expect(total.addon).not.toReload(),
      () => expect(total.addon).not.toUnload(),
      () => expect(total.addon).toStayOnVersion(1),
    ])
      await expect(Promise.resolve(attempt())).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });
});
