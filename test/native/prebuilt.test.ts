/**
 * Unmodified addons of others, as their authors built them: each is used for real, through the public API, and reloaded
 * many times. What becomes of its versions follows from what is in the file, which readelf tells independently.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ADDONS } from '../fixtures/prebuilt/uses.mjs';
import { createScratch, FIXTURES } from '../support/addons.ts';
import { compiledUrl } from '../support/compiled.ts';

const RELOADS = 100;
/** A child that is still running then hangs. */
const CHILD_MAX_MS = 50_000;

/** All unloaded, at once. */
const UNLOADED = {
  outcomes: { unloaded: RELOADS },
  why: [],
  versionsOpen: 1,
  mappingsOpen: 1,
  mappingsClosed: 0,
};
/** What the dynamic section and the dynamic symbols of a file say. */
const FREE = { noDelete: false, unique: false, threads: false, externals: false };

const CASES = [
  { name: 'bufferutil', ends: 'is unloaded', file: FREE, report: UNLOADED },
  { name: 'utf-8-validate', ends: 'is unloaded', file: FREE, report: UNLOADED },
  {
    name: 'bcrypt',
    ends: 'is unloaded, with the externals that it ties to its functions',
    file: { ...FREE, externals: true },
    report: UNLOADED,
  },
  {
    name: '@parcel/watcher',
    ends: 'is unloaded, with its threads and unique symbols',
    file: { ...FREE, unique: true, threads: true },
    report: UNLOADED,
  },
  {
    name: '@node-rs/crc32',
    ends: 'is kept, as its author wants',
    file: { ...FREE, noDelete: true },
    report: {
      outcomes: { kept: RELOADS },
      why: ['its author linked it to stay in memory (-z nodelete)'],
      versionsOpen: RELOADS + 1,
      mappingsOpen: RELOADS + 1,
      mappingsClosed: RELOADS + 1,
    },
  },
] as const;

function readelf(file: string, ...flags: readonly string[]): string {
  const { stdout, status, stderr } = spawnSync('readelf', ['--wide', ...flags, file], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return stdout;
}

describe.each(CASES.map((each) => [each.name, each] as const))('%s', (name, { ends, file, report }) => {
  const found = ADDONS[name]?.().file ?? '';

  test('is the file that these expectations are of', () => {
    const symbols = readelf(found, '--dyn-syms');
    expect({
      noDelete: /\(FLAGS_1\).*\bNODELETE\b/.test(readelf(found, '--dynamic')),
      unique: / UNIQUE /.test(symbols),
      threads: / UND pthread_create\b/.test(symbols),
      externals: / UND napi_create_external$/m.test(symbols),
    }).toEqual(file);
  });

  test(`${ends} each time when it is reloaded and used many times`, () => {
    using scratch = createScratch();
    const plan = { library: compiledUrl('index.js'), name, folder: scratch.path, reloads: RELOADS };
    const child = path.join(FIXTURES, 'prebuilt/child.mjs');
    const { stdout, stderr, status, signal } = spawnSync(process.execPath, [child, JSON.stringify(plan)], {
      encoding: 'utf8',
      timeout: CHILD_MAX_MS,
    });
    expect({ stderr, status, signal }).toEqual({ stderr: '', status: 0, signal: null });
    expect(JSON.parse(stdout)).toEqual(report);
  });
});
