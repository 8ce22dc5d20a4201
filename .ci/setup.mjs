// Installs and compiles what is missing, and nothing else: npm packages, the C++ shim, the TypeScript; of these only the
// ones that arguments name, where there are any.
// Each part is done again only when the content it is made from has changed. The version of Node.js is no part of that:
// the shim speaks Node-API alone, so that one build of it serves all of them.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/**
 * @typedef {{
 *   name: string,
 *   inputs: readonly string[],
 *   stamp: string,
 *   outputs: readonly string[],
 *   needs: readonly string[],
 *   salt?: string,
 *   command(): [string, ...string[]],
 *   after?(): void,
 * }} Part
 */

/** @type {readonly Part[]} */
const parts = [
  {
    name: 'packages',
    inputs: ['package-lock.json'],
    stamp: 'node_modules/.napi-reload-stamp',
    outputs: ['node_modules/typescript/package.json'],
    needs: [],
    // No install script has to run: the shim is compiled below, and npm 12 would not run it anyway.
    command: () => ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
  },
  {
    name: 'shim',
    inputs: ['native', 'binding.gyp', 'package-lock.json'],
    stamp: 'build/.napi-reload-stamp',
    outputs: ['build/Release/napi_reload.node'],
    needs: ['python3', 'make', 'g++'],
    // Warnings are errors in CI alone.
    salt: process.env['CI'] ?? '',
    command: () => [
      process.execPath,
      path.join(root, 'node_modules/node-gyp/bin/node-gyp.js'),
      'configure',
      'build',
      '--release',
      '--jobs=max',
      ...nodedir(),
    ],
  },
  {
    name: 'TypeScript',
    inputs: ['src', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'],
    stamp: 'dist/.napi-reload-stamp',
    outputs: ['dist/index.js'],
    needs: [],
    command: () => [
      process.execPath,
      path.join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      'tsconfig.build.json',
    ],
    after: removeOrphans,
  },
];

/** Headers beside this Node.js, so that nothing is downloaded. */
function nodedir() {
  const prefix = path.resolve(path.dirname(realpathSync(process.execPath)), '..');
  return existsSync(path.join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : [];
}

/** What a source left behind that is gone would get into the package. */
function removeOrphans() {
  for (const name of files('dist')) {
    const source = name.replace(/^dist/, 'src').replace(/(\.d\.ts|\.js)$/, '.ts');
    if (!existsSync(path.join(root, source))) rmSync(path.join(root, name), { force: true });
  }
}

/** @param {string} entry @returns {Generator<string>} */
function* files(entry) {
  const absolute = path.join(root, entry);
  for (const child of readdirSync(absolute, { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    if (child.isDirectory()) yield* files(path.join(entry, child.name));
    else yield path.join(entry, child.name);
  }
}

/** @param {Part} part */
function digest({ inputs, salt = '' }) {
  const hash = createHash('sha256').update(process.platform + process.arch + salt);
  for (const input of inputs) {
    const names = path.extname(input) === '' ? [...files(input)] : [input];
    for (const name of names)
      hash
        .update(name)
        .update('\0')
        .update(readFileSync(path.join(root, name)))
        .update('\0');
  }
  return hash.digest('hex');
}

/** @param {string} program */
function isOnPath(program) {
  return (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .some((folder) => existsSync(path.join(folder, program)));
}

/** @param {Part} part */
function make(part) {
  const stamp = path.join(root, part.stamp);
  const wanted = digest(part);
  const isFresh =
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === wanted &&
    part.outputs.every((output) => existsSync(path.join(root, output)));
  if (isFresh) return;
  const missing = part.needs.filter((program) => !isOnPath(program));
  if (missing.length > 0)
    fail(`${part.name}: ${missing.join(', ')} not found; on Debian: apt-get install ${missing.join(' ')}`);
  process.stderr.write(`setup: ${part.name} …`);
  const startMs = performance.now();
  const [command, ...args] = part.command();
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 2 ** 20 });
  if (result.status !== 0) {
    process.stderr.write('\n');
    fail(
      `${part.name}: ${result.error?.message ?? `exit code ${result.status}`}\n${result.stdout ?? ''}${result.stderr ?? ''}`,
    );
  }
  part.after?.();
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
  process.stderr.write(` ${((performance.now() - startMs) / 1000).toFixed(1)} s\n`);
}

/** @param {string} message */
function fail(message) {
  process.stderr.write(`setup: ${message}\n`);
  process.exit(1);
}

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
for (const part of parts) if (wanted.length === 0 || wanted.includes(part.name)) make(part);
