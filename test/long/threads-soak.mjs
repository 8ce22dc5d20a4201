// `npm run soak:threads [-- reloads, Workers, reloads while they come and go]`: all threads share an image and call it as
// fast as they can, while it is reloaded for all of them. Prints figures and a verdict; the exit code is 1 when a call was
// lost, when a thread ran another version than the rest, or when something was left behind.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { addon } from '../fixtures/ledger/build.mjs';

const [reloads = 200, workers = 8, churned = 60] = process.argv.slice(2).map(Number);
const RUN_MAX_MS = 600_000;
const FIXTURES = path.resolve(import.meta.dirname, '../fixtures/threads');
const builds = { v1: addon('crew', 1), v2: addon('crew', 2), v3: addon('crew', 3) };

/** @param {string} script @param {number[]} args */
function run(script, args) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'napi-reload-threads-'));
  const library = new URL('../../dist/index.js', import.meta.url).href;
  const env = { ...process.env, CREW_PLAN: JSON.stringify({ library, folder, builds, args }) };
  const options = /** @type {const} */ ({
    env,
    encoding: 'utf8',
    timeout: RUN_MAX_MS,
    killSignal: 'SIGKILL',
  });
  const { stdout, stderr, status, signal } = spawnSync(
    process.execPath,
    [path.join(FIXTURES, script)],
    options,
  );
  fs.rmSync(folder, { recursive: true, force: true });
  process.stdout.write(`${script}: ${stdout}`);
  process.stderr.write(stderr);
  return status === 0 && signal === null && stderr === '' ? JSON.parse(stdout) : null;
}

const storm = run('storm.mjs', [reloads, workers]);
const churn = run('churn.mjs', [churned, 4]);
const isWell =
  storm !== null &&
  churn !== null &&
  storm.added === storm.count &&
  storm.added === storm.adds &&
  storm.isOneVersion &&
  churn.lost === 0 &&
  churn.outcomes.reloaded === churned &&
  [storm, churn].every(({ tooOld, isMapped, staged }) => tooOld === 0 && !isMapped && staged === 0);
console.log(isWell ? 'well' : 'not well');
process.exitCode = isWell ? 0 : 1;
