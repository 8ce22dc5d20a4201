/** A configuration is found, and read at once: real files, some of them in a process of its own. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfigSync } from '../../../src/config/load.ts';
import { createScratch, type Scratch } from '../../support/addons.ts';
import { compiledSource } from '../../support/compiled.ts';

const JSON_TEXT = '{ "options": { "history": 7 } }';
const ESM = 'export default { options: { history: 7 } };\n';
const CJS = 'module.exports = { options: { history: 7 } };\n';
const TYPED = `import { defineConfig } from 'napi-reload';
enum Depth { Deep = 7 }
export default defineConfig({ options: { history: Depth.Deep as number } });
`;

/** A folder without symbolic links on its way. */
function project(): Scratch {
  const scratch = createScratch();
  expect(fs.realpathSync(scratch.path)).toBe(scratch.path);
  scratch.write('package.json', '{ "name": "p" }');
  return scratch;
}

function refusal(from: string): { readonly message: string; readonly details: unknown } {
  try {
    loadConfigSync(from);
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_CONFIG_INVALID' });
    return error as { message: string; details: unknown };
  }
  throw new Error('Nothing was refused');
}

describe('loadConfigSync', () => {
  test('passes by what cannot be looked at', () => {
    using scratch = project();
    const file = scratch.write('napi-reload.config.json', JSON_TEXT);
    scratch.write('below/deeper/x', '');
    for (const name of ['package.json', 'napi-reload.config.mjs'])
      fs.symlinkSync(name, scratch.file(`below/${name}`));
    expect(loadConfigSync(scratch.file('below/deeper')).file).toBe(file);
  });

  // Only root can make files of others.
  test.runIf(process.getuid?.() === 0)('passes by what others have put where everybody can', () => {
    using scratch = project();
    const file = scratch.write('napi-reload.config.json', JSON_TEXT);
    scratch.write('shared/below/x', '');
    const planted = scratch.write('shared/napi-reload.config.cjs', 'throw new Error("run");');
    const shared = scratch.file('shared');
    fs.chmodSync(shared, 0o1777);
    expect(refusal(scratch.file('shared/below')).message).toContain('run');
    fs.lchownSync(planted, 65_534, 65_534);
    expect(loadConfigSync(scratch.file('shared/below')).file).toBe(file);
    // In a folder of one's own, as a container has it, they are what one works with.
    fs.chmodSync(shared, 0o755);
    expect(refusal(scratch.file('shared/below')).message).toContain('run');
  });

  test.each([
    ['napi-reload.config.json', JSON_TEXT],
    ['napi-reload.config.mjs', ESM],
    ['napi-reload.config.cjs', CJS],
    ['napi-reload.config.js', CJS],
    ['napi-reload.config.js', ESM],
    ['napi-reload.config.ts', TYPED],
    ['napi-reload.config.mts', TYPED],
    ['package.json', `{ "napiReload": ${JSON_TEXT} }`],
  ])('reads %s with %j', (name, text) => {
    using scratch = project();
    if (text === ESM && name.endsWith('.js')) scratch.write('package.json', '{ "type": "module" }');
    const file = scratch.write(name, text);
    const config = loadConfigSync(scratch.path);
    expect(config).toMatchObject({ file, folder: scratch.path, options: { history: 7 } });
  });

  test.each([
    ['napi-reload.config.json', JSON_TEXT],
    ['napi-reload.config.mjs', ESM],
    ['napi-reload.config.js', ESM],
    ['napi-reload.config.cjs', CJS],
    ['napi-reload.config.js', CJS],
    ['napi-reload.config.ts', TYPED],
  ])('reads %s as it is now, each time, from %j', (name, text) => {
    using scratch = project();
    if (text === ESM) scratch.write('package.json', '{ "type": "module" }');
    for (const history of ['7', '8', '9']) {
      scratch.write(name, text.replaceAll('7', history));
      expect(loadConfigSync(scratch.path).options.history).toBe(Number(history));
    }
  });

  test('reads what a module imports as it is now, too', () => {
    using scratch = project();
    scratch.write('napi-reload.config.mjs', "export { default } from './shared.mjs';\n");
    for (const history of [1, 2, 3]) {
      scratch.write('shared.mjs', `export default { options: { history: ${history} } };\n`);
      expect(loadConfigSync(scratch.path).options.history).toBe(history);
    }
  });

  test('takes functions from a module', () => {
    using scratch = project();
    scratch.write(
      'napi-reload.config.mjs',
      'export default { options: { migrate: { 1: (x) => x + 1 } } };\n',
    );
    const step = loadConfigSync(scratch.path).options.migrate?.[1] as unknown as (x: number) => number;
    expect(step(1)).toBe(2);
  });

  test('takes the nearest, of this folder or above', () => {
    using scratch = project();
    const far = scratch.write('napi-reload.config.json', JSON_TEXT);
    scratch.write('a/package.json', '{ "name": "a" }');
    const near = scratch.write('a/b/package.json', '{ "napiReload": {} }');
    scratch.write('a/b/c/d.txt', '');
    expect(loadConfigSync(scratch.file('a/b/c')).file).toBe(near);
    expect(loadConfigSync(scratch.file('a')).file).toBe(far);
  });

  test('has defaults where there is none up to the root', () => {
    expect(loadConfigSync('/')).toMatchObject({ file: null, folder: '/', include: null });
    using scratch = project();
    expect(loadConfigSync(scratch.path)).toMatchObject({ file: null, folder: scratch.path });
  });

  test('takes no folder for a configuration that has the name of one', () => {
    using scratch = project();
    fs.mkdirSync(scratch.file('napi-reload.config.ts'));
    expect(loadConfigSync(scratch.path).file).toBeNull();
  });

  test('knows its folder without symbolic links', () => {
    using scratch = project();
    const file = scratch.write('real/napi-reload.config.json', JSON_TEXT);
    fs.symlinkSync('real', scratch.file('link'));
    expect(loadConfigSync(scratch.file('link'))).toMatchObject({ file, folder: scratch.file('real') });
  });

  test('refuses two in one folder, and names both', () => {
    using scratch = project();
    scratch.write('napi-reload.config.json', JSON_TEXT);
    scratch.write('package.json', '{ "napiReload": {} }');
    scratch.write('deep/down/x', '');
    const { message, details } = refusal(scratch.file('deep/down'));
    expect(details).toMatchObject({ file: scratch.path, option: null });
    expect(message).toContain(
      'found "napi-reload.config.json" and "package.json#napiReload", wanted one of them',
    );
    scratch.write('package.json', '{}');
    scratch.write('napi-reload.config.cjs', CJS);
    expect(refusal(scratch.path).message).toContain('"napi-reload.config.cjs" and "napi-reload.config.json"');
  });

  test('minds no fault of a package.json that says nothing of it, and no mark of byte order', () => {
    using scratch = project();
    const file = scratch.write('napi-reload.config.json', `\uFEFF${JSON_TEXT}`);
    scratch.write('a/package.json', '{ "name": ');
    expect(loadConfigSync(scratch.file('a'))).toMatchObject({ file, options: { history: 7 } });
  });

  test('refuses a folder that does not exist', () => {
    using scratch = project();
    expect(refusal(scratch.file('gone')).message).toContain('no such folder');
  });

  test.each([
    [
      'napi-reload.config.json',
      '{\n  "watch": tru\n}',
      /: found Unexpected token .* JSON.*, wanted a file of JSON$/,
    ],
    [
      'package.json',
      '{ "napiReload": {}',
      /: found Expected .* in JSON at position 18.*, wanted a file of JSON$/,
    ],
    [
      'napi-reload.config.json',
      '{ "options": { "migrate": { "1": "x" } } }',
      /options\.migrate\.1: found "x"/,
    ],
    [
      'napi-reload.config.mjs',
      '\nexport default {{;\n',
      /: found .*Unexpected token .*napi-reload\.config\.mjs:2:\d+, wanted a module/,
    ],
    ['napi-reload.config.cjs', 'throw new TypeError("not\\n today");', /: found not today, wanted a module/],
    [
      'napi-reload.config.mjs',
      'export const config = {};',
      /found no default export, wanted "export default"/,
    ],
    ['napi-reload.config.mjs', 'export default await 1;', /found an await outside of functions/],
    ['napi-reload.config.mjs', 'export default async () => ({});', /found .*\(function\), wanted an object/],
    [
      'napi-reload.config.mjs',
      "import './gone.mjs'; export default {};",
      /found Cannot find module .*gone\.mjs/,
    ],
    ['napi-reload.config.ts', '\nexport default {', /found .*napi-reload\.config\.ts:2/],
    ['napi-reload.config.ts', 'export default await Promise.resolve({});', /found .*\bawait\b/],
  ])('refuses %s with %j', (name, text, message) => {
    using scratch = project();
    const file = scratch.write(name, text);
    const refused = refusal(scratch.path);
    expect(refused.details).toMatchObject({ file });
    expect(refused.message).toMatch(message);
    // And the second time, when it is read in another way.
    expect(refusal(scratch.path).details).toMatchObject({ file });
  });

  test('leaves no module behind in the cache of Node.js, however often it reads', () => {
    using scratch = project();
    const file = scratch.write('napi-reload.config.cjs', CJS);
    loadConfigSync(scratch.path);
    loadConfigSync(scratch.path);
    const count = (): number => Object.keys(require.cache).length;
    const before = count();
    for (let n = 0; n < 20; n++) {
      fs.writeFileSync(file, `${CJS}// ${n}`);
      loadConfigSync(scratch.path);
    }
    expect(count()).toBe(before);
  });
});

describe('a program that is required ahead of another', () => {
  /** As `node --require napi-reload/register` does: all of it before the first line of the script. */
  function ahead(scratch: Scratch): { readonly stdout: string; readonly stderr: string } {
    fs.mkdirSync(scratch.file('node_modules'));
    fs.symlinkSync(path.dirname(compiledSource()), scratch.file('node_modules/napi-reload'));
    const load = JSON.stringify(path.join(compiledSource(), 'config/load.js'));
    const print = 'console.log(JSON.stringify(config.options), config.file)';
    scratch.write('ahead.cjs', `const config = require(${load}).loadConfigSync(); ${print};`);
    scratch.write('app.cjs', 'console.log("app");');
    const args = ['--require', './ahead.cjs', 'app.cjs'];
    const { stdout, stderr, status, signal } = spawnSync(process.execPath, args, {
      cwd: scratch.path,
      encoding: 'utf8',
    });
    expect([status, signal], stderr).toEqual([0, null]);
    return { stdout, stderr };
  }

  test.each([
    ['napi-reload.config.json', JSON_TEXT],
    [
      'napi-reload.config.mjs',
      `import { defineConfig } from 'napi-reload';\n${ESM.replace('{', 'defineConfig({').replace(';', ');')}`,
    ],
    ['napi-reload.config.cjs', CJS],
    ['napi-reload.config.ts', TYPED],
    [
      'napi-reload.config.mts',
      "import type { Config } from 'napi-reload';\nexport default { options: { history: 7 } } satisfies Config;\n",
    ],
  ])('reads %s', (name, text) => {
    using scratch = project();
    const file = scratch.write(name, text);
    expect(ahead(scratch).stdout).toBe(`{"history":7} ${file}\napp\n`);
  });
});
