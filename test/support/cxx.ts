/** Addons of node-addon-api, compiled when they are needed and kept by content. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { compileAddon, FIXTURES } from './addons.ts';

const ROOT = path.resolve(FIXTURES, '../..');
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
      `-I${path.join(ROOT, 'native/include')}`,
      ...['-fvisibility=hidden', '-DNAPI_VERSION=8', '-DNODE_ADDON_API_CPP_EXCEPTIONS', '-lstdc++'],
      // In a Worker that is terminated nothing can be thrown.
      '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
      ...macros.map((macro) => `-D${macro}`),
    ],
  );
}
