/** Addons of `examples/`, compiled without node-gyp. */
import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const ROOT = path.resolve(import.meta.dirname, '../..');
const CACHE = path.join(ROOT, 'node_modules/.cache/napi-reload-test');
const INCLUDES = [
  path.resolve(path.dirname(realpathSync(process.execPath)), '../include/node'),
  path.join(ROOT, 'node_modules/node-addon-api'),
  path.join(ROOT, 'native/include'),
];
const FLAGS = ['-O1', '-std=c++17', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-fvisibility=hidden'];
const DEFINES = ['-DNAPI_VERSION=8', '-DNAPI_CPP_EXCEPTIONS'];

/**
 * Compiles once for each content; a build that ends at the same time elsewhere is as good.
 *
 * @param target what binding.gyp calls the addon
 * @param source folder of its sources
 * @returns the built file
 */
export async function buildExample(target: string, source: string): Promise<string> {
  const names = (await readdir(source)).sort();
  const texts = await Promise.all(names.map((name) => readFile(path.join(source, name))));
  const hash = createHash('sha256').update(JSON.stringify([process.version, FLAGS, DEFINES, target, names]));
  for (const text of texts) hash.update(text);
  const output = path.join(CACHE, `${target}-${hash.digest('hex').slice(0, 16)}.node`);
  if (existsSync(output)) return output;
  await mkdir(CACHE, { recursive: true });
  const half = `${output}.${randomUUID()}`;
  const sources = names.filter((name) => name.endsWith('.cc')).map((name) => path.join(source, name));
  const name = `-DNODE_GYP_MODULE_NAME=${target}`;
  const includes = INCLUDES.map((folder) => `-I${folder}`);
  await promisify(execFile)('g++', [...FLAGS, ...DEFINES, name, ...includes, ...sources, '-o', half]);
  await rename(half, output);
  return output;
}
