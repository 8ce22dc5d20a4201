// `npm run soak:edits [-- 500]`: one source file is edited again and again, each edit is built and goes live.
// At the end comes a burst of edits faster than any build: the last of them must be what serves.
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { open } from '../../dist/index.js';

const edits = Number(process.argv[2] ?? 500);
const BURST = 20;
/** Of a long run; in a short one V8 is still warming up. Each version is a file, a build, and reports of both. */
const RSS_BYTES_PER_RELOAD_MAX = 64 * 1024;
const EDITS_MEASURED_MIN = 300;
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
const mapped = readFileSync('/proc/self/maps', 'latin1')
  .split('\n')
  .filter((line) => line.includes(folder));
const staged = readdirSync(path.join(folder, 'stage')).filter((name) => name !== '.lock');
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
const isLong = edits >= EDITS_MEASURED_MIN;
const problems = [
  ...(oneByOne === edits ? [] : [`${edits} edits made ${oneByOne} versions live`]),
  ...(burstVersions >= 1 && burstVersions <= BURST
    ? []
    : [`${BURST} edits at once made ${burstVersions} live`]),
  ...mapped.map((line) => `it is still mapped: ${line}`),
  ...staged.map((name) => `it is still in the stage directory: ${name}`),
  ...(isLong && rssBytesPerReload > RSS_BYTES_PER_RELOAD_MAX
    ? [`each reload left ${rssBytesPerReload} bytes, of ${RSS_BYTES_PER_RELOAD_MAX}`]
    : []),
];
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
