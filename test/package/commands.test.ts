/** The commands of package.json that a person runs, run as a person does: as processes, on the compiled library. */
import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { createScratch } from '../support/addons.ts';

const root = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
/** The last line that a script prints, as JSON. */
async function lastLine(script: string, ...args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run(process.execPath, [path.join(root, script), ...args], {
    cwd: root,
    maxBuffer: 2 ** 24,
  });
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
}

// Whoever runs one test file alone may have changed src/ since.
beforeAll(() => {
  const { status, stderr } = spawnSync(process.execPath, [path.join(root, '.ci/setup.mjs')], {
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
});

describe('npm start', () => {
  test('loses no row while the source changes, and survives two failures', async () => {
    const report = await lastLine('examples/stream-stats/tour.mjs', '--json');
    expect(report).toMatchObject({ rowsLost: 0, stateCarried: true, failuresSurvived: 2, versions: 2 });
    expect(report['rowsBefore']).toBeGreaterThan(0);
    expect(report['rowsAfter']).toBeGreaterThan(Number(report['rowsBefore']));
    expect(report['reloadMs']).toBeGreaterThan(0);
    expect(Object.keys(report['phasesMs'] as object)).toContain('swap');
  });
});

describe('npm run soak:edits', () => {
  test('makes every edit live, and the last one of a burst', async () => {
    const report = await lastLine('test/long/edits.mjs', '20');
    expect(report).toMatchObject({ edits: 20, versionsLive: 20 });
    expect(report['burstVersions']).toBeGreaterThanOrEqual(1);
  });
});

describe('npm run soak', () => {
  test('unloads every version, in main and in a Worker', async () => {
    const report = await lastLine('test/long/soak.mjs', '1100', '1100');
    expect(report).toMatchObject({
      verdict: 'held',
      main: { reloads: 1100, unloaded: 1100, stillPinned: 0, leftMapped: 0, missed: [] },
      worker: { reloads: 1100, unloaded: 1100, stillPinned: 0, leftMapped: 0, missed: [] },
    });
  });
});

describe('npm run lint', () => {
  /** Lints one file as a part of a tree that has our rules. */
  function lint(file: string, text: string): string {
    using scratch = createScratch();
    fs.copyFileSync(path.join(root, 'biome.json'), scratch.file('biome.json'));
    scratch.write(file, text);
    const biome = path.join(root, 'node_modules/.bin/biome');
    const { stdout, stderr } = spawnSync(biome, ['lint', '.'], { cwd: scratch.path, encoding: 'utf8' });
    return stdout + stderr;
  }

  test.each([
    ['src/stage/bad.ts', '../load/load.ts'],
    ['src/swap/bad.ts', '../transaction.ts'],
    ['src/build/bad.ts', '../addon.ts'],
  ])('refuses %s that imports %s', (file, imported) => {
    expect(lint(file, `import { x } from '${imported}';\nx();\n`)).toContain('noRestrictedImports');
  });

  test('allows a stage its own files and the shared vocabulary', () => {
    const text = "import { errors } from '../errors.ts';\nimport { x } from './stager.ts';\nx(errors);\n";
    const said = lint('src/stage/good.ts', text);
    expect(said).toContain('Checked');
    expect(said).not.toContain('noRestrictedImports');
  });
});
