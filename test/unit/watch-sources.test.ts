/** What builds write themselves, seen through whole handles: each of these once built for ever, or lost an edit. */
import fs from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Addon, type OpenOptions, open } from '../../src/index.ts';
import { createScratch, NODE_INCLUDE, type Scratch } from '../support/addons.ts';

let scratch: Scratch;
interface Kernel {
  value(): number;
}

const source = (value: number | string) => `#include <node_api.h>
#include "gen.h"
static napi_value Value(napi_env env, napi_callback_info info) {
  napi_value result;
  (void)info;
  napi_create_int32(env, ${value}, &result);
  return result;
}
NAPI_MODULE_INIT() {
  napi_value value;
  napi_create_function(env, "value", NAPI_AUTO_LENGTH, Value, NULL, &value);
  napi_set_named_property(env, exports, "value", value);
  return exports;
}
`;

beforeEach(() => {
  scratch = createScratch();
  scratch.write('package.json', '{}');
  scratch.write('out/.keep', '');
  scratch.write('kernel.c', source(1));
  scratch.write('gen.h', '#define GEN 0\n');
});

afterEach(() => scratch[Symbol.dispose]());

/** Saves as editors do. */
function save(name: string, text: string): void {
  fs.renameSync(scratch.write(`${name}~`, text), scratch.file(name));
}

const LINK = `gcc -shared -fPIC -I${NODE_INCLUDE} -DNOW='"'$(date +%N)'"' kernel.c -o out/kernel.node`;
const command = (script: string): OpenOptions => ({
  build: { command: 'sh', args: ['-c', `echo >> builds; ${script}`], cwd: scratch.path },
  watch: { debounceMs: 5 },
  stageDir: scratch.file('stage'),
});
const openKernel = (options: OpenOptions, name = 'out/kernel.node') =>
  open<Kernel>(scratch.file(name), options);
const builds = () => fs.readFileSync(scratch.file('builds'), 'utf8').length;

async function serves(addon: Addon<Kernel>, value: number): Promise<void> {
  while (addon.exports.value() !== value) {
    await new Promise<void>((resolve, reject) => {
      addon.once('reloaded', () => resolve());
      addon.once('failed', reject);
    });
  }
}

test('a build that writes a header again, as it was, is left to end, and later edits are built once', async () => {
  await using addon = await openKernel(command(`echo '#define GEN 1' > gen.h; sleep 0.1; ${LINK}`));
  const before = builds();
  // The header may be new to the watch once.
  expect(before).toBeLessThanOrEqual(2);
  for (const value of [2, 3, 4]) {
    save('kernel.c', source(value));
    await serves(addon, value);
  }
  expect(builds()).toBe(before + 3);
});

test('a build that writes a header anew each time ends, and slows down with a warning that names it', async () => {
  const script = `echo "#define GEN $(date +%N)" > gen.h; sleep 0.05; ${LINK}`;
  await using addon = await openKernel(command(script));
  const warning = await new Promise<string>((resolve) =>
    addon.on('warning', ({ message }) => message.includes('changed during more than') && resolve(message)),
  );
  expect(warning).toContain(JSON.stringify(scratch.file('gen.h')));
  save('kernel.c', source(2));
  await serves(addon, 2);
});

test('two handles on one folder build once each for an edit, also when no two links give the same bytes', async () => {
  const options = command(
    `${LINK}.new -DN=1 && mv out/kernel.node.new out/kernel.node && date +%N >> out/kernel.node`,
  );
  await using first = await openKernel(options);
  await using second = await openKernel(options);
  for (const value of [2, 3, 4, 5]) {
    save('kernel.c', source(value));
    await Promise.all([serves(first, value), serves(second, value)]);
  }
  await Promise.all([first.reload(), second.reload()]);
  expect(builds()).toBe(2 + 2 * 4 + 2);
});

test('a header that only the first build made known is built again when it was edited during that build', async () => {
  scratch.write('binding.gyp', "{ 'targets': [ { 'target_name': 'kernel', 'sources': ['kernel.c'] } ] }");
  scratch.write('kernel.c', source('GEN'));
  let edited = false;
  await using addon = await openKernel(
    {
      build: 'node-gyp',
      watch: true,
      stageDir: scratch.file('stage'),
      onProgress: ({ step }) => {
        if (edited || !step?.startsWith('SOLINK')) return;
        edited = true;
        const objectMs = fs.statSync(scratch.file('build/Release/obj.target/kernel/kernel.o')).mtimeMs;
        save('gen.h', '#define GEN 7\n');
        const before = objectMs / 1_000 - 0.02;
        fs.utimesSync(scratch.file('gen.h'), before, before);
      },
    },
    'build/Release/kernel.node',
  );
  await serves(addon, 7);
});
