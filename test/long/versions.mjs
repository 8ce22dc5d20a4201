// `npm run test:versions -- [major …] [filter …]`: all that `npm test` runs, once on each version of Node.js, with that
// version's headers. The shim is built once, before: that one build serves them all is a part of what is shown.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { nodeVersion } from './node-versions.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SHIM = path.join(ROOT, 'build/Release/napi_reload.node');
const MAJORS = [20, 22, 24, 26];
/** A run that takes longer hangs. */
const RUN_MAX_MS = 45 * 60_000;
const COUNTS = /^(?<passed>\d+) passed, (?<failed>\d+) failed(?:, (?<skipped>\d+) skipped)?$/m;

/** @typedef {{ version: string, passed: number, failed: number, skipped: number, seconds: number }} Row */

/**
 * Whatever starts Node.js by name, or builds for it, gets this version too.
 *
 * @param {import('./node-versions.mjs').NodeVersion} node
 */
function environment({ prefix, execPath }) {
  return {
    ...process.env,
    PATH: `${path.dirname(execPath)}${path.delimiter}${process.env['PATH']}`,
    // npm hands these on to its scripts, and node-gyp takes them for its own.
    NODE: execPath,
    npm_node_execpath: execPath,
    npm_config_nodedir: prefix,
    // Of one handle, with each builder: fewer where the same tests run at each change.
    EDITS: '20',
  };
}

/**
 * @param {number} major
 * @param {readonly string[]} filters
 * @returns {Promise<Row>}
 */
async function run(major, filters) {
  const node = nodeVersion(major);
  console.log(`\n=== Node.js ${node.version}`);
  const startMs = performance.now();
  const child = spawn(node.execPath, ['test/run.mjs', ...filters], {
    cwd: ROOT,
    env: environment(node),
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: RUN_MAX_MS,
  });
  let last = '';
  child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
    process.stdout.write(text);
    last = (last + text).slice(-1000);
  });
  const [exitCode] = await once(child, 'close');
  const { passed = 0, failed = 0, skipped = 0 } = COUNTS.exec(last)?.groups ?? {};
  // A run that ended before it could count has failed, whatever it passed.
  const isTrue = exitCode === (Number(failed) > 0 ? 1 : 0);
  return {
    version: node.version,
    passed: Number(passed),
    failed: isTrue ? Number(failed) : Number(failed) + 1,
    skipped: Number(skipped),
    seconds: Math.round((performance.now() - startMs) / 1000),
  };
}

const hashOfShim = () => createHash('sha256').update(fs.readFileSync(SHIM)).digest('hex').slice(0, 16);

/** @param {readonly string[]} given */
async function main(given) {
  const majors = given.filter((text) => /^\d+$/.test(text)).map(Number);
  const unknown = majors.find((major) => !MAJORS.includes(major));
  if (unknown !== undefined) throw new Error(`no version ${unknown}; there are ${MAJORS.join(', ')}`);
  const filters = given.filter((text) => !/^\d+$/.test(text));
  const shim = hashOfShim();
  const rows = [];
  for (const major of majors.length > 0 ? majors : MAJORS) rows.push(await run(major, filters));
  console.log();
  console.table(Object.fromEntries(rows.map(({ version, ...row }) => [version, row])));
  if (hashOfShim() !== shim) throw new Error('the shim was built anew meanwhile: no one build served all');
  console.log(`shim ${shim} served all`);
  if (rows.some(({ failed }) => failed > 0)) process.exitCode = 1;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(`test:versions: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
