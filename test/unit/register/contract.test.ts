/** Who loads an addon sees the same with the register as without, but for the reloads. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  compileAddon,
  createScratch,
  FIXTURES,
  install,
  type Scratch,
  scriptedAddon,
} from '../../support/addons.ts';
import { compiledUrl } from '../../support/compiled.ts';
import { DIFFERENCES } from '../../support/node-differences.mjs';

let scratch: Scratch;
beforeEach(() => {
  scratch = createScratch();
});
afterEach(() => scratch[Symbol.dispose]());

interface Ended {
  readonly output: string;
  readonly errors: string;
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** The script is the body of a module in the folder of the addons. */
async function run(
  script: string,
  registered: boolean,
  execArgv: readonly string[] = [],
  variables: NodeJS.ProcessEnv = {},
): Promise<Ended> {
  const file = scratch.write(
    'app.mjs',
    `import { createRequire } from 'node:module';
    import fs from 'node:fs';
    const require = createRequire(import.meta.url);
    const say = (...words) => console.log(...words);
    const { getAddon } = await import(process.env.LIBRARY);
    ${script}`,
  );
  const register = registered ? ['--import', compiledUrl('register/register.js')] : [];
  const child = spawn(process.execPath, [...execArgv, ...register, file], {
    cwd: scratch.path,
    env: {
      ...process.env,
      LIBRARY: compiledUrl('index.js'),
      XDG_CACHE_HOME: scratch.file('cache'),
      ...variables,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  return new Promise((resolve) => {
    child.once('close', (exitCode, signal) => resolve({ output, errors, exitCode, signal }));
  });
}

const put = (name: string, script: string): void => install(scriptedAddon(script), scratch.file(name));

describe('process.dlopen', () => {
  const cases = {
    'fills the exports that the caller holds': `
      const exports = {};
      const module = { exports };
      process.dlopen(module, require.resolve('./plain.node'));
      say(module.exports === exports, exports.one(), Object.keys(exports));
    `,
    'keeps what the caller had put there': `
      const module = { exports: { mine: 1 } };
      process.dlopen(module, require.resolve('./plain.node'));
      say(module.exports.mine, module.exports.one());
    `,
    'takes the flags of the loader': `
      const { RTLD_LAZY, RTLD_NOW, RTLD_GLOBAL } = require('node:os').constants.dlopen;
      for (const flags of [RTLD_LAZY, RTLD_NOW, RTLD_NOW | RTLD_GLOBAL]) {
        const module = { exports: {} };
        process.dlopen(module, require.resolve('./plain.node'), flags);
        say(module.exports.one());
      }
    `,
    'gives back what the init returned in place of the exports': `
      const module = { exports: {} };
      process.dlopen(module, require.resolve('./function.node'));
      say(typeof module.exports, module.exports(), module.exports.two());
    `,
    'throws what the init threw': `
      try { require('./throws.node'); } catch (error) { say(error.name, error.message, error.code); }
      try { require('./throws.node'); } catch (error) { say(error.name, error.message, error.code); }
    `,
    'throws of a missing file what the system says': `
      try { process.dlopen({ exports: {} }, '/missing.node'); } catch (error) { say(error.code, error.message); }
    `,
    'throws of a file that is no addon what the system says': `
      try { require('./text.node'); } catch (error) { say(error.code, error.message); }
    `,
    'throws of arguments that make no sense what Node.js does': `
      for (const args of [[], [{}], [null, 'x.node'], [{ exports: {} }, 5], [{ exports: null }, require.resolve('./plain.node')]]) {
        try { process.dlopen(...args); say('well'); } catch (error) { say(error.code, error.message); }
      }
    `,
    'loads once more for a require without its cache': `
      const first = require('./plain.node');
      delete require.cache[require.resolve('./plain.node')];
      const second = require('./plain.node');
      say(first.one(), second.one());
    `,
    'lets properties be added to the exports, as bindings does': `
      const exports = require('./plain.node');
      exports.path = 'there';
      say(require('./plain.node').path);
    `,
    'finds one file behind several names': `
      fs.symlinkSync('plain.node', 'link.node');
      const module = { exports: {} };
      process.dlopen(module, './link.node');
      say(module.exports.one(), require('./plain.node').one());
    `,
  };
  test.each(Object.entries(cases))('%s', async (_, script) => {
    put('plain.node', 'exports.one = () => 1;');
    put('function.node', 'const main = () => 1; main.two = () => 2; return main;');
    put('throws.node', 'throw Object.assign(new RangeError("no start"), { code: "MINE" });');
    scratch.write('text.node', 'no addon');
    const plain = await run(script, false);
    fs.rmSync(scratch.file('link.node'), { force: true });
    const registered = await run(script, true);
    expect(plain.exitCode).toBe(0);
    expect(plain.output).not.toBe('');
    expect(registered.output).toBe(plain.output);
    expect([registered.exitCode, registered.signal]).toEqual([0, null]);
    // What cannot be a handle is told of; nothing else is.
    expect(registered.errors.replace(/^\[napi-reload] .*was loaded as Node.js does it.*\n/gm, '')).toBe('');
  });
});

describe('what is required', () => {
  test('in the init of another addon is loaded too, where plain Node.js waits for itself for ever', async () => {
    put('plain.node', 'exports.one = () => 1;');
    put('nested.node', 'exports.inner = globalThis.require("./plain.node");');
    const { output } = await run(
      `globalThis.require = require; say(require('./nested.node').inner.one());`,
      true,
    );
    expect(output).toBe('1\n');
  });

  test('is the exports of a handle, found by them, by path and by URL', async () => {
    put('plain.node', 'exports.one = () => 1;');
    const { output } = await run(
      `const plain = require('./plain.node');
      const { pathToFileURL } = require('node:url');
      const addon = getAddon(plain);
      say(addon.current.id, addon.exports === plain);
      say(getAddon('plain.node') === addon, getAddon(pathToFileURL('plain.node')) === addon);
      say(getAddon({}), getAddon('other.node'), getAddon(1));
      say(getAddon(new URL('https://example.org/plain.node')), getAddon('file:///a%2Fb.node'));`,
      true,
    );
    expect(output).toBe('1 true\ntrue true\nundefined undefined undefined\nundefined undefined\n');
  });

  test('from node_modules is as Node.js loads it', async () => {
    put('node_modules/dependency/index.node', 'exports.one = () => 1;');
    const { output } = await run(
      `const dependency = require('./node_modules/dependency/index.node');
      say(dependency.one(), getAddon(dependency));`,
      true,
    );
    expect(output).toBe('1 undefined\n');
  });

  test('is opened anew after its handle was closed', async () => {
    put('plain.node', 'exports.one = () => 1;');
    const { output } = await run(
      `const first = require('./plain.node');
      await getAddon(first).close();
      try { first.one(); } catch (error) { say(error.code); }
      delete require.cache[require.resolve('./plain.node')];
      const second = require('./plain.node');
      say(second.one(), second === first, getAddon('plain.node') === getAddon(second));`,
      true,
    );
    expect(output).toBe('ERR_CLOSED\n1 false true\n');
  });

  test('is loaded plainly, and named, where no handle can be had', async () => {
    put('plain.node', 'exports.one = () => 1; exports.napiReload = { schema: "two" };');
    const { output, errors } = await run(
      `const plain = require('./plain.node'); say(plain.one(), getAddon(plain));`,
      true,
    );
    expect(output).toBe('1 undefined\n');
    expect(errors).toContain('plain.node" was loaded as Node.js does it and cannot be reloaded');
    expect(errors).toContain('napiReload.schema');
  });

  test('leaves no files when the app ends, in whatever way it says', async () => {
    put('plain.node', 'exports.one = () => 1;');
    for (const end of ['', 'process.exit(3);', 'setTimeout(() => {}, 1);']) {
      const { exitCode } = await run(`say(require('./plain.node').one()); ${end}`, true);
      expect(exitCode).toBe(end.includes('exit') ? 3 : 0);
      expect(fs.readdirSync(scratch.file('cache/napi-reload'))).toEqual(['.lock']);
    }
  });
});

/** Puts another build in its place and says when it is live. */
const SWAP = `
  const swap = async (addon, next) => {
    const reloaded = new Promise((resolve) => addon.once('reloaded', resolve));
    fs.renameSync(next, 'plain.node');
    return reloaded;
  };
`;

describe('a configuration that has versions rehearsed', () => {
  test('has that done for those that replace others: nobody can wait for the first', async () => {
    scratch.write('napi-reload.config.json', '{ "options": { "rehearse": true } }');
    put('plain.node', 'exports.version = () => 1;');
    put('next.node', 'if (process.argv[3] === "rehearsal") process.abort(); exports.version = () => 2;');
    const { output } = await run(
      `const children = () => fs.readFileSync('/proc/thread-self/children', 'utf8').trim();
      const plain = require('./plain.node');
      const addon = getAddon(plain);
      for (let turns = 0; turns < 10; turns += 1) await new Promise(setImmediate);
      say(plain.version(), children() === '');
      const failed = new Promise((resolve) => addon.once('failed', resolve));
      fs.renameSync('next.node', 'plain.node');
      say((await failed).code, plain.version());`,
      true,
    );
    expect(output).toBe('1 true\nERR_REHEARSAL_CRASHED 1\n');
  });
});

describe('a prepare that takes longer', () => {
  const slow = (version: number, prepare: string): string => `
    let total = 0;
    exports.version = () => ${version};
    exports.total = () => total;
    exports.napiReload = {
      prepare: ${prepare},
      init({ state }) { total = state ?? 10; },
      save: () => total,
    };`;

  test('keeps nobody waiting: the addon serves, and its init follows before any reload', async () => {
    put(
      'plain.node',
      slow(1, 'async () => { await new Promise((resolve) => { globalThis.go = resolve; }); }'),
    );
    put('next.node', slow(2, '() => {}'));
    const { output, errors } = await run(
      `${SWAP}
      const plain = require('./plain.node');
      say(plain.version(), plain.total());
      const report = swap(getAddon(plain), 'next.node');
      globalThis.go();
      say((await report).state, plain.version(), plain.total());`,
      true,
    );
    expect(output).toBe('1 0\ncarried 2 10\n');
    expect(errors).toMatch(/version 2 replaced version 1/);
  });

  test('is told of when it fails, and the addon serves on', async () => {
    put('plain.node', slow(1, 'async () => { throw new Error("no luck"); }'));
    put('next.node', slow(2, '() => {}'));
    const { output, errors } = await run(
      `${SWAP}
      const plain = require('./plain.node');
      const addon = getAddon(plain);
      const error = await new Promise((resolve) => addon.once('failed', resolve));
      say(error.code, error.details.hook, plain.version(), plain.total());
      await swap(addon, 'next.node');
      say(plain.version());`,
      true,
    );
    expect(output).toBe('ERR_HOOK_THREW prepare 1 0\n2\n');
    expect(errors).toContain('no luck');
  });
});

test('all threads of an app go over together, Workers among them', async () => {
  put('plain.node', 'exports.version = () => 1;');
  put('next.node', 'exports.version = () => 2;');
  const { output, exitCode } = await run(
    `${SWAP}
    const { Worker, isMainThread, parentPort } = require('node:worker_threads');
    const plain = require('./plain.node');
    if (isMainThread) {
      const worker = new Worker(new URL(import.meta.url));
      const answer = () => new Promise((resolve) => worker.once('message', resolve));
      say(plain.version(), await answer());
      await swap(getAddon(plain), 'next.node');
      const second = answer();
      worker.postMessage('again');
      say(plain.version(), await second);
      await worker.terminate();
    } else {
      parentPort.on('message', () => parentPort.postMessage(plain.version()));
      parentPort.postMessage(plain.version());
    }`,
    true,
  );
  expect(output).toBe('1 1\n2 2\n');
  expect(exitCode).toBe(0);
});

test('a file that changed before the watch began is found', async () => {
  put('plain.node', 'exports.version = () => 1;');
  put('next.node', 'exports.version = () => 2;');
  const { output } = await run(
    `const plain = require('./plain.node');
    fs.renameSync('next.node', 'plain.node');
    await new Promise((resolve) => getAddon(plain).once('reloaded', resolve));
    say(plain.version());`,
    true,
  );
  expect(output).toBe('2\n');
});

const canImport = DIFFERENCES.importOfAddons.isHere();

test.skipIf(!canImport)(
  'import of an addon gives the exports of a handle (Node.js 22 and later)',
  async () => {
    put('plain.node', 'exports.one = () => 1;');
    const { output } = await run(
      `const { default: plain } = await import('./plain.node');
    say(plain.one(), getAddon(plain).current.id);`,
      true,
      ['--experimental-addon-modules'],
    );
    expect(output).toBe('1 1\n');
  },
);

test('the shim of another copy of the package is loaded as it is', async () => {
  fs.copyFileSync(
    path.resolve(FIXTURES, '../../build/Release/napi_reload.node'),
    scratch.file('napi_reload.node'),
  );
  const { output, errors } = await run(
    `const shim = require('./napi_reload.node'); say(typeof shim.mintBegin, getAddon(shim));`,
    true,
  );
  expect(errors).toBe('');
  expect(output).toBe('function undefined\n');
});

test('an addon whose Node-API is found by dlsym is a handle that stays in memory', async () => {
  install(compileAddon([path.join(FIXTURES, 'bare.c')]), scratch.file('plain.node'));
  const { output, exitCode } = await run(
    `const plain = require('./plain.node'); say(Object.keys(plain).length > 0, getAddon(plain)?.current.id);`,
    true,
  );
  expect([output, exitCode]).toEqual(['true 1\n', 0]);
});

describe('a configuration', () => {
  const LOOK = `
    const outcome = (name) => { const loaded = require(name); return getAddon(loaded) === undefined ? 'plain' : 'handle'; };
  `;

  test('says which addons can be reloaded', async () => {
    for (const name of ['a.node', 'b.node', 'lib/c.node']) put(name, 'exports.one = () => 1;');
    scratch.write('napi-reload.config.json', JSON.stringify({ include: ['*.node'], exclude: ['b.node'] }));
    const { output } = await run(
      `${LOOK} say(outcome('./a.node'), outcome('./b.node'), outcome('./lib/c.node'));`,
      true,
    );
    expect(output).toBe('handle plain plain\n');
  });

  test('gives the options of a handle, such as steps of a migration', async () => {
    put('plain.node', 'exports.napiReload = { save: () => 1 };');
    put(
      'next.node',
      'let state; exports.state = () => state; exports.napiReload = { schema: 2, init(c) { state = c.state; }, save: () => state };',
    );
    scratch.write(
      'napi-reload.config.mjs',
      `export default { addons: { 'plain.node': { migrate: { 1: (state) => state + 41 } } } };`,
    );
    const { output } = await run(
      `${SWAP}
      const plain = require('./plain.node');
      await swap(getAddon(plain), 'next.node');
      say(plain.state());`,
      true,
    );
    expect(output).toBe('42\n');
  });

  test('has the handle build what is edited', async () => {
    put('plain.node', 'exports.version = () => 1;');
    put('next.node', 'exports.version = () => 2;');
    scratch.write('source.txt', '1');
    scratch.write('package.json', '{}');
    const build = { command: 'cp', args: ['next.node', 'plain.node.new'] };
    const script = 'cp next.node plain.node.new && mv plain.node.new plain.node';
    scratch.write(
      'napi-reload.config.json',
      JSON.stringify({
        build: { ...build, command: 'sh', args: ['-c', script] },
        watch: { paths: ['source.txt'] },
      }),
    );
    const { output, errors } = await run(
      `const plain = require('./plain.node');
      say(plain.version());
      const addon = getAddon(plain);
      const reloaded = new Promise((resolve) => addon.once('reloaded', resolve));
      // Nobody tells when the watch has begun.
      const edits = setInterval(() => fs.appendFileSync('source.txt', '2'), 50);
      await reloaded;
      clearInterval(edits);
      say(plain.version());`,
      true,
    );
    expect(errors).toMatch(/version 2 replaced version 1/);
    expect(output).toBe('1\n2\n');
  });

  test('that cannot be used ends the start with what is wrong', async () => {
    scratch.write('napi-reload.config.json', JSON.stringify({ includes: [] }));
    const { errors, exitCode } = await run(`say('never');`, true);
    expect(errors).toContain('includes');
    expect(exitCode).toBe(1);
  });
});

test('the variable of a run of dev that is over is of no matter: the app watches for itself', async () => {
  put('plain.node', 'exports.version = () => 1;');
  put('next.node', 'exports.version = () => 2;');
  const { output } = await run(
    `${SWAP}
    const plain = require('./plain.node');
    await swap(getAddon(plain), 'next.node');
    say(plain.version());`,
    true,
    [],
    { NAPI_RELOAD_DEV: scratch.file('gone.sock') },
  );
  expect(output).toBe('2\n');
});
