// `npm run bench:report`: measures, and writes what it found into the documents: docs/bench/report.json, a chart of each subject
// with a page for all, and the figures in Markdown. `--again` measures nothing, and writes the rest anew.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { documentsOf, drawDocuments, faultsOf, FOLDER, REPORT } from './draw/documents.mjs';

const root = path.resolve(import.meta.dirname, '..');
const file = path.join(root, REPORT);

if (!process.argv.includes('--again')) {
  const args = [path.join(root, 'bench/run.mjs'), '--json', `${file}.new`];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  renameSync(`${file}.new`, file);
  spawnSync(path.join(root, 'node_modules/.bin/biome'), ['format', '--write', file], { stdio: 'inherit' });
}
/** @type {import('./draw/documents.mjs').Report} */
const report = JSON.parse(readFileSync(file, 'utf8'));
const faults = faultsOf(report, []);
if (faults.length > 0) throw new Error(`${REPORT} is none to publish: ${faults.join('; ')}`);
const written = [...drawDocuments(report), ...documentsOf(root, report)];
for (const [name, text] of written) {
  writeFileSync(path.join(root, name), text);
  console.log(name);
}
// Of a subject that there is no more.
const current = new Set(written.map(([name]) => name));
for (const name of readdirSync(path.join(root, FOLDER))) {
  if (name.endsWith('.svg') && !current.has(`${FOLDER}/${name}`)) rmSync(path.join(root, FOLDER, name));
}
