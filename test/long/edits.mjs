// `npm run soak:edits [-- 500]`: one source file is edited again and again, each edit is built and goes live.
// At the end comes a burst of edits faster than any build: the last of them must be what serves.
import { mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { open } from '../../dist/index.js';

const edits = Number(process.argv[2] ?? 500);
const BURST = 20;
const include = path.resolve(path.dirname(realpathSync(process.execPath)), '../include/node');
const folder = mkdtempSync(path.join(tmpdir(), 'napi-reload-edits-'));
const source = path.join(folder, 'kernel.c');

/** Saves as editors do: a new file, renamed over the old one. @param {number} edit */
function save(edit) {
  const text = `#include <node_api.h>
static napi_value Edit(napi_env env, napi_callback_info info) {
  napi_value result;
  napi_create_int32(env, ${edit}, &result);
  return result;
}
NAPI_MODULE_INIT() {
  napi_value edit;
  napi_create_function(env, "edit", NAPI_AUTO_LENGTH, Edit, NULL, &edit);
  napi_set_named_property(env, exports, "edit", edit);
  return exports;
}
`;
  writeFileSync(`${source}~`, text);
  renameSync(`${source}~`, source);
}

/** @param {import('../../dist/index.js').Addon} addon @param {number} wanted */
function untilLive(addon, wanted) {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (edit() !== wanted) return;
      addon.off('reloaded', look);
      addon.off('failed', reject);
      resolve(undefined);
    };
    addon.on('reloaded', look);
    addon.on('failed', reject);
    look();
  });
}

save(0);
const output = 'kernel.node';
const addon = await open(path.join(folder, output), {
  build: {
    command: 'gcc',
    args: ['-shared', '-fPIC', '-O0', `-I${include}`, 'kernel.c', '-o', output],
    cwd: folder,
  },
  watch: { paths: [source], debounceMs: 1 },
  stageDir: path.join(folder, 'stage'),
});
const { edit } = /** @type {{ edit(): number }} */ (addon.exports);
let versionsLive = 0;
addon.on('reloaded', () => {
  versionsLive += 1;
});

const start = { rss: process.memoryUsage.rss(), ms: performance.now() };
for (let n = 1; n <= edits; n++) {
  save(n);
  await untilLive(addon, n);
}
const elapsedMs = performance.now() - start.ms;
const rssBytesPerReload = Math.round((process.memoryUsage.rss() - start.rss) / edits);
const oneByOne = versionsLive;

for (let n = 1; n <= BURST; n++) save(edits + n);
await untilLive(addon, edits + BURST);
const burstVersions = versionsLive - oneByOne;

await addon.close();
rmSync(folder, { recursive: true });
console.log(
  JSON.stringify({
    edits,
    versionsLive: oneByOne,
    msPerEdit: Math.round(elapsedMs / edits),
    rssBytesPerReload,
    burst: BURST,
    burstVersions,
  }),
);
if (oneByOne !== edits) {
  console.error(`${edits} edits made ${oneByOne} versions live`);
  process.exitCode = 1;
}
