/** What the tests of memory that stays share: addons that count in it, and a look at its files and mappings. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { compileAddon, FIXTURES } from './addons.ts';

const INCLUDE = path.resolve(FIXTURES, '../../native/include');
const ADDON_API = (createRequire(import.meta.url)('node-addon-api') as { include_dir: string }).include_dir;
const CXX = [
  '-std=c++17',
  '-DNODE_GYP_MODULE_NAME=ring',
  '-fno-gnu-unique',
  '-DNAPI_VERSION=9',
  `-I${ADDON_API}`,
  '-lstdc++',
];

export interface Ring {
  /** Of the first byte. */
  address(): bigint;
  /** Adds the version to it. */
  add(): number;
}

/** Builds one that adds its version to the first byte, such as with `BYTES=8192`. */
export function ring(language: 'c' | 'cc', version: number, ...macros: readonly string[]): string {
  const defines = [`VERSION=${version}`, `HEADERS=${hashOfHeaders()}`, ...macros].map(
    (macro) => `-D${macro}`,
  );
  const flags = [...defines, `-I${INCLUDE}`, '-pthread', ...(language === 'cc' ? CXX : [])];
  return compileAddon([path.join(FIXTURES, `memory/ring.${language}`)], flags);
}

/** So that other headers are other flags. */
function hashOfHeaders(): string {
  const names = fs
    .readdirSync(INCLUDE, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.h/.test(name));
  const hash = createHash('sha256');
  for (const name of names.sort()) hash.update(fs.readFileSync(path.join(INCLUDE, name)));
  return `x${hash.digest('hex').slice(0, 16)}`;
}

/** Begins a script of a child process. */
export const LOOK: string = `
  import v8 from 'node:v8';
  import vm from 'node:vm';
  v8.setFlagsFromString('--expose-gc');
  const gc = vm.runInNewContext('gc');
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const linkOf = (number) => { try { return fs.readlinkSync('/proc/self/fd/' + number); } catch { return ''; } };
  const files = () => fs.readdirSync('/proc/self/fd').filter((number) => linkOf(number).includes('napi-reload:'));
  const maps = () => fs.readFileSync('/proc/self/maps', 'latin1').split('\\n').filter((line) => line.includes('napi-reload:'));
  const sayLeft = () => say(files().length + ' files, ' + maps().length + ' mappings');
  // In turns, as finalizers run between them; more than enough of them, or what is left is held by somebody.
  const collect = async () => { for (let i = 0; i < 20; i++) { gc(); await turn(); } };
`;
