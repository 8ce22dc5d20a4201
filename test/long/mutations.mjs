// `node test/long/mutations.mjs [count] [seed] [library]`: so many mutations of real addons go through `open()` in child
// processes. Each must come to a load or a ReloadError; what ends a process is reported with its mutation.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { addon } from '../fixtures/ledger/build.mjs';

const CHILD = path.join(import.meta.dirname, 'mutations/child.mjs');
const BUILT = path.resolve(import.meta.dirname, '../../dist/index.js');
/** A child that has nothing to say for so long hangs. */
const SILENCE_MAX_MS = 20_000;

/** A prebuilt addon of the registry, and one of ours that uses all of Node-API. */
function addons() {
  const folder = path.dirname(createRequire(import.meta.url).resolve('bufferutil/package.json'));
  return [path.join(folder, 'prebuilds/linux-x64/bufferutil.node'), addon('quiet')];
}

/**
 * @typedef {{
 *   mutations: number,
 *   seed: number,
 *   outcomes: Record<string, number>,
 *   findings: unknown[],
 * }} MutationReport `outcomes`: how many came to `loaded`, and to each code of a ReloadError; `findings`: what ended a process, or
 *   threw something else than a ReloadError
 */

/**
 * Runs one child until its end.
 *
 * @param {string} library @param {string} file @param {number} seed @param {number} from @param {number} to
 * @param {MutationReport} report
 * @returns {Promise<number>} the number to go on with
 */
async function runChild(library, file, seed, from, to, report) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'napi-reload-mutations-'));
  const child = spawn(process.execPath, [CHILD, library, file, seed, from, to].map(String), {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, MUTATIONS_FOLDER: folder },
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), SILENCE_MAX_MS);
  let next = from;
  let trying = '';
  for await (const line of readline.createInterface({ input: child.stdout })) {
    timer.refresh();
    const [, number, verb, rest = ''] = /^(\d+) (tries|came to) (.*)$/.exec(line) ?? [];
    if (verb === 'tries') trying = rest;
    if (verb !== 'came to') continue;
    next = Number(number) + 1;
    report.outcomes[rest] = (report.outcomes[rest] ?? 0) + 1;
    if (rest.startsWith('foreign'))
      report.findings.push({ file, seed, number: next - 1, what: trying, end: rest });
    trying = '';
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  clearTimeout(timer);
  fs.rmSync(folder, { recursive: true, force: true });
  const end = child.signalCode ?? child.exitCode;
  if (end === 0) return to;
  report.findings.push({ file, seed, number: next, what: trying, end });
  return next + 1;
}

/**
 * @param {number} count of mutations, shared evenly by the addons
 * @param {number} seed
 * @param {string} [library] index.js of this package; that in dist/ by default
 * @returns {Promise<MutationReport>}
 */
export async function runMutations(count, seed, library = BUILT) {
  /** @type {MutationReport} */
  const report = { mutations: 0, seed, outcomes: {}, findings: [] };
  const files = addons();
  for (const [index, file] of files.entries()) {
    const end = Math.floor((count * (index + 1)) / files.length) - report.mutations;
    for (let from = 0; from < end; ) from = await runChild(library, file, seed, from, end, report);
    report.mutations += end;
  }
  return report;
}

if (process.argv[1] === import.meta.filename) {
  const [count = '2000', seed = String(Date.now() % 2 ** 31), library] = process.argv.slice(2);
  const { findings, ...counts } = await runMutations(Number(count), Number(seed), library);
  for (const finding of findings) console.error(JSON.stringify(finding));
  console.log(JSON.stringify({ ...counts, findings: findings.length }));
  if (findings.length > 0) process.exitCode = 1;
}
