/** What an addon can do to its host, or say on its line, that must harm neither the host nor whoever started it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Addon, open } from '../../../src/index.ts';
import { createScratch, install, type Scratch, scriptedAddon } from '../../support/addons.ts';

interface Noisy {
  pid(): Promise<number>;
  say(): Promise<void>;
  write(text: string): Promise<void>;
  revoked(): Promise<unknown>;
  revokedLater(): Promise<unknown>;
  getter(): Promise<unknown>;
  throwOdd(): Promise<never>;
  throwShared(): Promise<never>;
  throwRevoked(): Promise<never>;
}

const NOISY = `
  const port = typeof process.send === 'function' ? null : process.getBuiltinModule?.('node:worker_threads')?.parentPort;
  const revoked = () => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; };
  exports.pid = () => process.pid;
  exports.say = () => {
    for (const message of ['ready', 7, null, undefined]) { process.send?.(message ?? null); port?.postMessage(message); }
  };
  exports.write = (text) => { process.getBuiltinModule('node:fs').writeSync(3, text + '\\n'); };
  exports.revoked = revoked;
  exports.revokedLater = async () => [revoked()];
  exports.getter = () => ({ get [Symbol.asyncIterator]() { throw new RangeError('from the getter'); } });
  exports.throwOdd = () => {
    throw Object.defineProperties(new Error(), {
      message: { get() { throw 1; } }, code: { get() { throw 2; } }, name: { value: { toString() { throw 3; } } },
    });
  };
  exports.throwShared = () => { throw Object.assign(new RangeError('shared'), { bytes: new SharedArrayBuffer(8) }); };
  exports.throwRevoked = () => { throw Object.assign(new RangeError('revoked'), { it: revoked(), cause: revoked() }); };
`;

describe.each(['worker', 'process'] as const)('an addon in a %s', (isolation) => {
  let scratch: Scratch;
  let addon: Addon<Noisy>;

  beforeEach(async () => {
    scratch = createScratch();
    const file = scratch.file('noisy.node');
    install(scriptedAddon(NOISY), file);
    addon = (await open(file, { isolation, stageDir: scratch.file('stage') })) as unknown as Addon<Noisy>;
  });

  afterEach(async () => {
    await addon.close();
    scratch[Symbol.dispose]();
  });

  test('that says something on the line of its host is not heard', async () => {
    const pid = await addon.exports.pid();
    await addon.exports.say();
    await expect(addon.exports.pid()).resolves.toBe(pid);
  });

  // A Worker asks by a port that its addon does not know.
  const texts = isolation === 'process' ? ['no request', 'null'] : [];
  if (texts.length > 0)
    test.each(texts)('that writes %j where its host asks for memory loses its host alone', async (text) => {
      const crashed = new Promise((resolve) => addon.once('crashed', resolve));
      const pid = await addon.exports.pid();
      await addon.exports.write(text).catch(() => undefined);
      await expect(crashed).resolves.toMatchObject({ next: 'restart' });
      expect(await addon.exports.pid()).not.toBe(pid);
    });

  test.each([
    ['revoked', /revoked/],
    ['revokedLater', /revoked/],
    ['getter', /from the getter/],
    ['throwOdd', /.*/],
    ['throwShared', /shared/],
    ['throwRevoked', /revoked/],
  ] as const)('answers %s with an error, and lives on', async (name, message) => {
    const crashed: unknown[] = [];
    addon.on('crashed', (crash) => crashed.push(crash));
    const pid = await addon.exports.pid();
    const error: unknown = await addon.exports[name]().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toMatch(message);
    await expect(addon.exports.pid()).resolves.toBe(pid);
    expect(crashed).toEqual([]);
  });
});
