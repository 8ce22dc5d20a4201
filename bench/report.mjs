// `npm run bench:report`: measures, and writes what it found into the documents: docs/bench/report.json, a chart of each subject
// with a page for all, and the blocks of figures in Markdown. `--again` measures nothing, and writes the rest anew.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { drawDocuments, documentsOf, REPORT } from './documents.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

if (!process.argv.includes('--again')) {
  const args = [path.join(root, 'bench/run.mjs'), '--json', path.join(root, REPORT)];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
const report = JSON.parse(readFileSync(path.join(root, REPORT), 'utf8'));
for (const [file, text] of [...drawDocuments(report), ...documentsOf(root, report)]) {
  writeFileSync(path.join(root, file), text);
  console.log(file);
}
