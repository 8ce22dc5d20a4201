// `npm run test:faults`: everything that can fail fails, each call for every n. Prints how many points were failed of each
// category, and how many outcomes were bad: another version served than the good one, an error had no code, something
// stayed behind, a process ended. Lists the bad ones. Tests are counted apart from points: those that sweep, and those
// that tell one story each. A test that was skipped is a failure here: all means all.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startVitest } from 'vitest/node';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'napi-reload-faults-'));
const report = path.join(folder, 'report.jsonl');
process.chdir(path.resolve(import.meta.dirname, '../..'));
Object.assign(process.env, { FAULTS: 'all', FAULTS_REPORT: report, NO_COLOR: '1' });

// Of all files, or of those that are named.
const filters = process.argv.length > 2 ? process.argv.slice(2) : ['test/fault'];
const vitest = await startVitest('test', filters, { watch: false, reporters: ['default'] });
const modules = vitest.state.getTestModules();
const loose = vitest.state.getUnhandledErrors();
await vitest.close();

/** @typedef {{ point: string, found: string }} Bad */
/** @type {{ category: string, points: number, bad: Bad[] }[]} */
const sweeps = fs.existsSync(report)
  ? fs
      .readFileSync(report, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  : [];
fs.rmSync(folder, { recursive: true });

let tests = 0;
/** @type {string[]} */
const failures = loose.map((error) => `outside of any test: ${/** @type {Error} */ (error).stack}`);
/** @type {string[]} */
const skipped = [];
for (const module of modules) {
  const name = path.basename(module.moduleId, '.test.ts');
  for (const error of module.errors()) failures.push(`${name}: ${error.message}`);
  for (const test of module.children.allTests()) {
    const result = test.result();
    if (result.state === 'skipped')
      skipped.push(`${name}: ${test.fullName}${result.note ? ` (${result.note})` : ''}`);
    const isGood = result.state === 'passed' || result.state === 'skipped';
    const found =
      (result.errors ?? []).map(({ stack, message }) => stack ?? message).join('\n') || result.state;
    if (!isGood) failures.push(`${name}: ${test.fullName}: ${found}`);
    if (result.state !== 'skipped') tests += 1;
  }
}

/** @type {Map<string, { points: number, bad: Bad[] }>} */
const categories = new Map();
for (const { category, points, bad } of sweeps) {
  const sum = categories.get(category) ?? { points: 0, bad: [] };
  categories.set(category, { points: sum.points + points, bad: [...sum.bad, ...bad] });
}
for (const [category, { bad }] of categories)
  for (const { point, found } of bad) console.log(`bad: ${category}: ${point}: ${found}`);
for (const each of failures) console.log(`failed: ${each}`);
for (const each of skipped) console.log(`skipped: ${each}`);
const lines = [...categories].sort(([a], [b]) => a.localeCompare(b));
for (const [category, { points, bad }] of lines)
  console.log(JSON.stringify({ category, points, bad: bad.length }));
const sum = (/** @type {number[]} */ numbers) => numbers.reduce((a, b) => a + b, 0);
const points = sum(lines.map(([, each]) => each.points));
const bad = sum(lines.map(([, each]) => each.bad.length));
console.log(JSON.stringify({ points, bad, tests, failed: failures.length, skipped: skipped.length }));
process.exitCode = tests > 0 && bad + failures.length + skipped.length === 0 ? 0 : 1;
