/** Objects of node-addon-api, compiled when they are needed and kept by content. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { compileObject, FIXTURES } from './addons.ts';

const ROOT = path.resolve(FIXTURES, '../..');
const headers = path.join(ROOT, 'native/include');
const addonApi = path.dirname(createRequire(import.meta.url).resolve('node-addon-api'));

/** @param source absolute, or under test/fixtures */
export function cxxObject(source: string): string {
  const file = path.resolve(FIXTURES, source);
  return compileObject(file, [
    ...['-x', 'c++', '-std=c++17', `-I${addonApi}`, `-I${headers}`],
    // What is kept is kept by its flags: other headers are another object.
    `-DHEADERS=0x${hashOfHeaders([headers, path.dirname(file)])}`,
    ...['-fvisibility=hidden', '-DNAPI_VERSION=8', '-DNODE_ADDON_API_CPP_EXCEPTIONS'],
    // In a Worker that is terminated nothing can be thrown.
    '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
  ]);
}

function hashOfHeaders(folders: readonly string[]): string {
  const hash = createHash('sha256');
  for (const folder of folders) {
    const files = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
    for (const file of files.filter((name) => /\.hp?p?$/.test(name))) {
      hash.update(fs.readFileSync(path.join(folder, file)));
    }
  }
  return hash.digest('hex').slice(0, 12);
}
