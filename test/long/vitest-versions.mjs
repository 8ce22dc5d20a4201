/**
 * The kit with the oldest and the newest vitest that it is for: the package is packed, installed beside each, its types are
 * checked with those of vitest, and the tests of docs/testing.md are run, by another Node.js where vitest asks for one.
 *
 *     node test/long/vitest-versions.mjs            both
 *     node test/long/vitest-versions.mjs --short    types alone
 *     node test/long/vitest-versions.mjs 4.0.0 5    these
 */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { nodeVersion } from './node-versions.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const VERSIONS = ['4.0.0', '5'];
/** Vitest 4.0.0 does not know what a vite says that came later. */
const BESIDE = new Map([['4.0.0', ['vite@7.1.0']]]);
/** Major version of Node.js that vitest 5 asks for; the one that runs will do where it is as new. */
const NODE_OF_VITEST_5 = 22;

const TYPES = `
import { reloadable } from 'napi-reload/vitest';
import { expect } from 'vitest';
interface Total { add(n: number): number }
const test = reloadable<Total>({ addon: 'build/Release/total.node' });
test('types', async ({ addon, kit }) => {
  await expect(addon).toKeepState((exports) => exports.add(0), { force: true });
  await expect(kit).not.toUnload({ withinMs: 10 });
  // @ts-expect-error there is no such export
  await expect(addon).toKeepState((exports) => exports.subtract(0));
  // @ts-expect-error a number is nothing that could be reloaded
  await expect(1).toReload();
  expect(addon).not.toEqual({ a: expect.any(Number) });
  await expect(Promise.resolve(1)).resolves.toBe(1);
});
`;
const TSC = ['--ignoreConfig', '--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023'];
const LIB = ['--lib', 'es2023,esnext.disposable,dom', '--types', 'node', 'types.mts'];

/** @param {readonly string[]} given */
function main(given) {
  const args = [...given];
  const options = /** @type {const} */ ({ short: { type: 'boolean', default: false } });
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'napi-reload-vitest-'));
  try {
    const tarball = pack(scratch);
    for (const version of positionals.length > 0 ? positionals : VERSIONS) {
      const folder = path.join(scratch, `vitest-${version}`);
      console.log(`vitest ${install(folder, version, tarball)}`);
      checkTypes(folder);
      if (!values.short) runTests(folder);
    }
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/** @param {string} scratch @returns {string} the packed file */
function pack(scratch) {
  for (const script of ['setup.mjs', 'prebuild.mjs', 'declarations.mjs'])
    execFileSync(process.execPath, [path.join(ROOT, '.ci', script)]);
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch];
  const [{ filename }] = JSON.parse(
    execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  return path.join(scratch, filename);
}

/** @param {string} folder @param {string} version @param {string} tarball @returns {string} which version it is */
function install(folder, version, tarball) {
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  const tools = [`vitest@${version}`, ...(BESIDE.get(version) ?? []), '@types/node@22', 'typescript@7'];
  const args = [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    tarball,
    ...tools,
  ];
  execFileSync('npm', args, { cwd: folder, stdio: 'inherit' });
  return versionIn(folder);
}

/** @param {string} folder @returns {string} */
function versionIn(folder) {
  const file = path.join(folder, 'node_modules/vitest/package.json');
  return JSON.parse(fs.readFileSync(file, 'utf8')).version;
}

/** @param {string} folder */
function checkTypes(folder) {
  fs.writeFileSync(path.join(folder, 'types.mts'), TYPES);
  run(folder, [path.join(folder, 'node_modules/typescript/bin/tsc'), ...TSC, ...LIB]);
  console.log('  types: as they should be');
}

/** @param {string} folder */
function runTests(folder) {
  const own = Number.parseInt(process.versions.node, 10);
  const wanted = Number.parseInt(versionIn(folder), 10) >= 5 ? Math.max(own, NODE_OF_VITEST_5) : own;
  const { execPath, version } = nodeVersion(wanted);
  const page = fs.readFileSync(path.join(ROOT, 'docs/testing.md'), 'utf8');
  for (const [, name = '', text = ''] of page.matchAll(/^```\w+ file=(\S+)\n([\s\S]*?)^```$/gm)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  }
  const vitest = path.join(folder, 'node_modules/vitest/vitest.mjs');
  for (const pool of ['forks', 'threads']) {
    const files = ['total.test.mjs', 'crash.test.mjs'];
    run(folder, [vitest, 'run', `--pool=${pool}`, '--maxWorkers=1', ...files], execPath);
    console.log(`  tests: passed in the pool ${pool} by Node.js ${version}`);
  }
}

/** @param {string} cwd @param {readonly string[]} args @param {string} node */
function run(cwd, args, node = process.execPath) {
  // gyp starts Node.js by its name.
  const env = { ...process.env, PATH: `${path.dirname(node)}${path.delimiter}${process.env['PATH']}` };
  const { status, stdout, stderr } = spawnSync(node, args, { cwd, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`Failed: ${args.join(' ')}\n${stdout}${stderr}`);
}

main(process.argv.slice(2));
