// Checks the format of the C and C++ files; `--write` formats them.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const FOLDERS = ['native', 'test', 'examples', 'bench'];
const SKIPPED = new Set(['build', 'node_modules']);
const LOCAL = join(ROOT, 'node_modules/.bin/clang-format');

/** @param {string} folder @returns {string[]} */
function findFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : findFiles(path);
    return /\.(c|cc|h|hpp)$/.test(entry.name) ? [path] : [];
  });
}

const command = existsSync(LOCAL) ? LOCAL : 'clang-format';
const write = process.argv.includes('--write');
const files = FOLDERS.flatMap((folder) => findFiles(join(ROOT, folder)));
const mode = write ? ['-i'] : ['--dry-run', '-Werror'];
const { status, error } = spawnSync(command, [...mode, ...files], { stdio: 'inherit' });

if (error !== undefined && 'code' in error && error.code === 'ENOENT') {
  const undone = write ? 'C++ not formatted' : 'C++ format not checked';
  console.log(`clang-format not found: ${undone}; apt-get install clang-format`);
  process.exitCode = process.env['CI'] === 'true' ? 1 : 0;
} else {
  process.exitCode = status ?? 1;
}
