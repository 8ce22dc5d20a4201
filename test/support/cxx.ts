/** Addons of node-addon-api, compiled when they are needed and kept by content. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { compileAddon, FIXTURES } from './addons.ts';

const ROOT = path.resolve(FIXTURES, '../..');
const headers = path.join(ROOT, 'native/include');
const addonApi = path.dirname(createRequire(import.meta.url).resolve('node-addon-api'));

/** @param source under test/fixtures; @param macros such as `VERSION=2` */
export function cxxAddon(source: string, macros: readonly string[] = []): string {
  return compileAddon(
    [path.join(FIXTURES, source)],
    [
      '-x',
      'c++',
      '-std=c++17',
      `-I${addonApi}`,
      `-I${headers}`,
      // What is kept is kept by its flags: other headers are another addon.
      `-DHEADERS=0x${hashOfHeaders()}`,
      ...['-fvisibility=hidden', '-DNAPI_VERSION=8', '-DNODE_ADDON_API_CPP_EXCEPTIONS', '-lstdc++'],
      // In a Worker that is terminated nothing can be thrown.
      '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
      ...macros.map((macro) => `-D${macro}`),
    ],
  );
}

function hashOfHeaders(): string {
  const hash = createHash('sha256');
  const files = fs.readdirSync(headers, { recursive: true, encoding: 'utf8' }).sort();
  for (const file of files.filter((name) => /\.hp?p?$/.test(name))) {
    hash.update(fs.readFileSync(path.join(headers, file)));
  }
  return hash.digest('hex').slice(0, 12);
}
