/** A configuration that is edited while it is watched. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ResolvedConfig } from '../../../src/config/resolve.ts';
import { type ConfigWatch, watchConfig } from '../../../src/config/watch.ts';
import type { ReloadError } from '../../../src/errors.ts';
import { createScratch, type Scratch } from '../../support/addons.ts';
import { compiledUrl } from '../../support/compiled.ts';
import { editSeen } from '../../support/edits.ts';

type Told = { readonly config: ResolvedConfig } | { readonly error: ReloadError };

interface Watched extends AsyncDisposable {
  readonly watch: ConfigWatch;
  /** The next thing that is told. */
  next(): Promise<Told>;
  /** How much was told that nobody asked for. */
  untold(): number;
}

async function watched(from: string): Promise<Watched> {
  const told: Told[] = [];
  const waiting: ((told: Told) => void)[] = [];
  const tell = (one: Told): void => {
    const first = waiting.shift();
    if (first === undefined) told.push(one);
    else first(one);
  };
  const watch = await watchConfig(from, {
    onChange: (config) => tell({ config }),
    onError: (error) => tell({ error }),
  });
  return {
    watch,
    next: () => {
      const first = told.shift();
      return first === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(first);
    },
    untold: () => told.length,
    [Symbol.asyncDispose]: () => watch.close(),
  };
}

function project(): Scratch {
  const scratch = createScratch();
  scratch.write('package.json', '{ "name": "p" }');
  return scratch;
}

const history = (count: unknown): string => JSON.stringify({ options: { history: count } });

describe('watchConfig', () => {
  test('tells of an edit, keeps what it had over one that cannot be used, and goes on', async () => {
    using scratch = project();
    const file = scratch.write('napi-reload.config.json', history(1));
    await using watching = await watched(scratch.path);
    const { watch } = watching;
    expect(watch.current.options).toEqual({ history: 1 });
    fs.writeFileSync(file, history(2));
    expect(await watching.next()).toMatchObject({ config: { options: { history: 2 } } });
    fs.writeFileSync(file, history('x'));
    expect(await watching.next()).toMatchObject({
      error: { code: 'ERR_CONFIG_INVALID', details: { file, option: 'options.history' } },
    });
    expect(watch.current.options).toEqual({ history: 2 });
    fs.writeFileSync(file, '{ "options": ');
    expect(await watching.next()).toMatchObject({ error: { details: { option: null } } });
    expect(() => watch.reload()).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }));
    expect(watch.current.options).toEqual({ history: 2 });
    // As editors do that write a new file and rename it.
    fs.renameSync(scratch.write('.new', history(3)), file);
    expect(await watching.next()).toMatchObject({ config: { options: { history: 3 } } });
    expect(watch.current.options).toEqual({ history: 3 });
    expect(watching.untold()).toBe(0);
  });

  test.each([
    ['napi-reload.config.mjs', (count: number) => `export default ${history(count)};\n`],
    ['napi-reload.config.cjs', (count: number) => `module.exports = ${history(count)};\n`],
    ['napi-reload.config.ts', (count: number) => `export default ${history(count)} as object;\n`],
    ['package.json', (count: number) => `{ "napiReload": ${history(count)} }`],
  ])('reads %s anew for each edit', async (name, text) => {
    using scratch = project();
    const file = scratch.write(name, text(1));
    await using watching = await watched(scratch.path);
    for (const count of [2, 3, 4]) {
      fs.writeFileSync(file, text(count));
      expect(await watching.next()).toMatchObject({ config: { file, options: { history: count } } });
    }
  });

  test('sees a second one that is made, which is refused, and a nearer one, which is taken', async () => {
    using scratch = project();
    const far = scratch.write('napi-reload.config.json', history(1));
    fs.mkdirSync(scratch.file('a'));
    await using watching = await watched(scratch.file('a'));
    expect(watching.watch.current.file).toBe(far);
    const second = scratch.write('napi-reload.config.cjs', '');
    expect(await watching.next()).toMatchObject({ error: { details: { file: scratch.path, option: null } } });
    fs.rmSync(second);
    const near = scratch.write('a/napi-reload.config.json', history(2));
    expect(await watching.next()).toMatchObject({ config: { file: near, options: { history: 2 } } });
  });

  test('follows the one further up that comes into force', async () => {
    using scratch = project();
    const far = scratch.write('napi-reload.config.json', history(1));
    const near = scratch.write('a/package.json', `{ "napiReload": ${history(2)} }`);
    await using watching = await watched(scratch.file('a'));
    expect(watching.watch.current.file).toBe(near);
    scratch.write('a/package.json', '{}');
    expect(await watching.next()).toMatchObject({ config: { file: far, options: { history: 1 } } });
    scratch.write('napi-reload.config.json', history(3));
    expect(await watching.next()).toMatchObject({ config: { file: far, options: { history: 3 } } });
    expect(watching.untold()).toBe(0);
  });

  test('does not tell of a package.json whose other parts change', async () => {
    using scratch = project();
    const file = scratch.write('package.json', `{ "napiReload": ${history(1)} }`);
    await using watching = await watched(scratch.path);
    await editSeen(file, `{ "name": "renamed", "napiReload": ${history(1)} }`);
    expect(watching.untold()).toBe(0);
    fs.writeFileSync(file, `{ "name": "renamed", "napiReload": ${history(2)} }`);
    expect(await watching.next()).toMatchObject({ config: { options: { history: 2 } } });
    expect(watching.untold()).toBe(0);
  });

  test('reads it when it is asked to, and does not tell of that', async () => {
    using scratch = project();
    const file = scratch.write('napi-reload.config.json', history(1));
    await using watching = await watched(scratch.path);
    fs.writeFileSync(file, history(2));
    expect(watching.watch.reload().options).toEqual({ history: 2 });
    expect(watching.watch.current.options).toEqual({ history: 2 });
    fs.writeFileSync(file, history(3));
    expect(await watching.next()).toMatchObject({ config: { options: { history: 3 } } });
  });

  test('refuses at first what cannot be used', async () => {
    using scratch = project();
    scratch.write('napi-reload.config.json', history('x'));
    await expect(watched(scratch.path)).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' });
  });

  test.each([
    ['keeps a process alive until it is closed', {}, 200, 'watching\nclosed\n'],
    ['does not keep a process alive that asks for that', { persistent: false }, 30_000, 'watching\n'],
  ])('%s', (_, options, closedAfterMs, stdout) => {
    using scratch = project();
    scratch.write('napi-reload.config.json', history(1));
    // What closes it does not keep the process alive itself.
    const script = `
      const { watchConfig } = await import(${JSON.stringify(compiledUrl('config/watch.js'))});
      const listeners = { onChange() {}, onError() {} };
      const watch = await watchConfig('.', listeners, ${JSON.stringify(options)});
      console.log('watching');
      setTimeout(async () => { await watch.close(); console.log('closed'); }, ${closedAfterMs}).unref();`;
    const ran = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: scratch.path,
      encoding: 'utf8',
    });
    expect(ran).toMatchObject({ status: 0, signal: null, stdout, stderr: '' });
  });
});
