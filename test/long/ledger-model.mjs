// `node test/long/ledger-model.mjs [operations] [seed ...]`: random operations on the ledger, compared with a model, in
// child processes; each seed gets its share. Without seeds: fixed ones and a new one. A child that fails or dies is
// repeated with ever fewer operations, and the shortest list that still does it is printed.
//
// LEDGER_SHIM and LEDGER_CFLAGS choose other builds, LEDGER_PRELOAD a library for the children alone.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const CHILD = path.join(import.meta.dirname, 'ledger-model/child.mjs');
const FIXED_SEEDS = [1, 20_241_122, 7_919];
const OPERATIONS = 200_000;
/** Children that shorten one find. */
const TRIES_MAX = 80;
const CHILD_MAX_MS = 3_600_000;

const [operations = String(OPERATIONS), ...given] = process.argv.slice(2);
const seeds = given.length > 0 ? given.map(Number) : [...FIXED_SEEDS, Date.now() % 2 ** 31];
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'napi-reload-model-'));
process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
const file = path.join(folder, 'list.json');

/** @param {readonly number[]} args */
function run(...args) {
  const env = { ...process.env, LD_PRELOAD: process.env['LEDGER_PRELOAD'] ?? '' };
  const child = spawnSync(process.execPath, [CHILD, file, ...args.map(String)], {
    encoding: 'utf8',
    env,
    timeout: CHILD_MAX_MS,
  });
  return { isGood: child.status === 0, end: child.signal ?? child.status, ...child };
}

/**
 * Leaves out ever smaller parts of the list, as long as it still fails.
 *
 * @param {readonly unknown[]} list @returns {readonly unknown[] | null} null where it does not fail again
 */
function shorten(list) {
  let tries = 0;
  const fails = (/** @type {readonly unknown[]} */ shorter) => {
    tries += 1;
    fs.writeFileSync(file, JSON.stringify(shorter));
    return !run().isGood;
  };
  if (!fails(list)) return null;
  let shortest = list;
  for (let part = Math.ceil(list.length / 2); part >= 1 && tries < TRIES_MAX; part = Math.floor(part / 2)) {
    for (let at = 0; at < shortest.length && tries < TRIES_MAX; ) {
      const shorter = [...shortest.slice(0, at), ...shortest.slice(at + part)];
      if (fails(shorter)) shortest = shorter;
      else at += part;
    }
  }
  return shortest;
}

let done = 0;
let findings = 0;
for (const seed of seeds) {
  const { isGood, end, stdout, stderr } = run(Math.ceil(Number(operations) / seeds.length), seed);
  if (isGood) {
    done += Number(stdout);
    continue;
  }
  findings += 1;
  // Without the list, of which a shorter one follows.
  console.error(`seed ${seed} ended with ${end}\n${stderr.replace(/^Counterexample: .*$/m, '')}`);
  const list = JSON.parse(fs.readFileSync(file, 'utf8'));
  const shortest = shorten(list);
  if (shortest === null)
    console.error(`It does not do so again with its last ${list.length} operations alone.`);
  else console.error(`The shortest list:\n${shortest.map((one) => JSON.stringify(one)).join('\n')}`);
}
console.log(JSON.stringify({ operations: done, seeds, findings }));
if (findings > 0) process.exitCode = 1;
