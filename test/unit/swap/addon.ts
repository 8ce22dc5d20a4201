/** Builds the C fixture and loads fresh copies of it, in a scratch folder that goes with the test file. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll } from 'vitest';

const fixtures = path.resolve(import.meta.dirname, '../../fixtures/swap');
const headers = path.resolve(path.dirname(realpathSync(process.execPath)), '../include/node');
const flags = ['-O1', '-fPIC', '-shared', '-Wall', '-Wextra', '-Werror'];

export interface Fixture {
  /** `process.dlopen` of a copy that was never loaded, as a reload does it. */
  load(version: 1 | 2): unknown;
}

/**
 * @param name of the C file in test/fixtures/swap
 * @param defines more flags for both versions, such as `-DNAME`
 */
export async function buildFixture(name = 'counter', defines: readonly string[] = []): Promise<Fixture> {
  const folder = mkdtempSync(path.join(tmpdir(), 'napi-reload-swap-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const source = path.join(fixtures, `${name}.c`);
  const output = (version: 1 | 2): string => path.join(folder, `${name}-${version}.node`);
  for (const version of [1, 2] as const) {
    const args = [
      ...flags,
      ...defines,
      `-DVERSION=${version}`,
      `-I${headers}`,
      source,
      '-o',
      output(version),
    ];
    await promisify(execFile)('gcc', args);
  }
  let copies = 0;
  return {
    load(version) {
      copies += 1;
      const copy = path.join(folder, `copy-${copies}.node`);
      copyFileSync(output(version), copy);
      const module = { exports: {} as unknown };
      process.dlopen(module, copy);
      return module.exports;
    },
  };
}
