// Checks the format of the C and C++ files; `--write` formats them.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const FOLDERS = ['native', 'test', 'examples', 'bench'];
const SKIPPED = new Set(['build', 'node_modules']);
/** The first that is there. Version 14 has formatted what there is; others break some lines in other places. */
const COMMANDS = [join(ROOT, 'node_modules/.bin/clang-format'), 'clang-format-14', 'clang-format'];

/** @param {string} folder @returns {string[]} */
function findFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : findFiles(path);
    return /\.(c|cc|h|hpp)$/.test(entry.name) ? [path] : [];
  });
}

const write = process.argv.includes('--write');
const files = FOLDERS.flatMap((folder) => findFiles(join(ROOT, folder)));
const mode = write ? ['-i'] : ['--dry-run', '-Werror'];
const command = COMMANDS.find((name) => spawnSync(name, ['--version']).error === undefined);

if (command === undefined) {
  const undone = write ? 'C++ not formatted' : 'C++ format not checked';
  console.log(`clang-format not found: ${undone}; apt-get install clang-format-14`);
  process.exitCode = process.env['CI'] === 'true' ? 1 : 0;
} else {
  process.exitCode = spawnSync(command, [...mode, ...files], { stdio: 'inherit' }).status ?? 1;
}
