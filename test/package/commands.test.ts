/** The commands of package.json that a person runs, run as a person does: as processes, on the compiled library. */
import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { drawDocuments } from '../../bench/documents.mjs';
import { createScratch } from '../support/addons.ts';

const root = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
/** It compiles, and starts many processes: a diagnosis on a machine under load. */
const BENCH_TIMEOUT_MS = 600_000;

interface Spread {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
  readonly rounds: number;
}

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
    const report = await lastLine('test/long/edits.mjs', '60');
    expect(report).toMatchObject({ edits: 60, versionsLive: 60 });
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

describe('npm run bench', () => {
  test(
    'measures ways beside each other, growth, reloads, instances, memory that stays, hosts, calls and includes',
    async () => {
      const report = await lastLine('bench/run.mjs', '--short', '--json');
      const { ways, growth, reload, instances, memory, hosts, calls, headers } = report as {
        ways: { ms: Record<string, Spread>; left: Record<string, Record<string, number>> };
        growth: Record<string, Record<string, Record<string, Spread>>>;
        reload: { ratio: number };
        instances: Record<string, Record<string, number>>;
        memory: { ms: Record<string, Spread>; isAddressEqual: boolean; isChecksumEqual: boolean };
        hosts: {
          callUs: Record<string, Record<string, number>>;
          arrays: Record<string, Record<string, number>>;
          reloadMs: Record<string, Record<string, number>>;
          rehearseMs: Record<string, number>;
          hostMiB: Record<string, number>;
        };
        headers: Record<string, { baseMs: number; withMs: number }>;
        calls: Record<string, Record<'before' | 'after', { addNs: number }>>;
      };
      expect(Object.keys(ways.ms)).toEqual(
        expect.arrayContaining([
          'napi-reload',
          'napi-reload, Worker',
          'napi-reload, process',
          'napi-reload, process used again',
          'copy and process.dlopen',
          'Worker started again',
          'process started again',
        ]),
      );
      expect(Object.keys(ways.left)).toEqual(
        expect.arrayContaining(['napi-reload', 'copy and process.dlopen']),
      );
      expect(ways.left['copy and process.dlopen']?.['mappings']).toBeGreaterThan(4);
      expect(Object.keys(growth)).toEqual(['byBytes', 'byFunctions', 'byPinned']);
      const points = Object.values(growth).flatMap((places) => Object.values(places));
      for (const { median, p10, p90, rounds } of [ways.ms, ...points].flatMap((by) => Object.values(by))) {
        expect(Math.min(median, p10, p90, rounds)).toBeGreaterThan(0);
      }
      for (const [file, text] of drawDocuments(report)) {
        expect(text, file).not.toMatch(/NaN|undefined|Infinity/);
        if (file.endsWith('.svg')) expect(text).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
      }
      expect(reload.ratio).toBeGreaterThan(0);
      expect(Object.keys(instances)).toEqual(['10', '1000']);
      for (const figures of Object.values(instances)) expect(figures['switch ms']).toBeGreaterThan(0);
      expect(Object.keys(memory.ms)).toEqual([`${2 ** 10}`, `${2 ** 30}`]);
      expect([memory.isAddressEqual, memory.isChecksumEqual]).toEqual([true, true]);
      for (const figures of [hosts.callUs, hosts.reloadMs]) {
        expect(Object.keys(figures)).toEqual(['inline', 'worker', 'process']);
      }
      expect(Object.keys(hosts.arrays)).toEqual(['inline', 'process, allocated', 'process, ordinary']);
      expect(Object.keys(hosts.hostMiB)).toEqual(['worker', 'process']);
      const tables = [hosts.callUs, hosts.arrays, hosts.reloadMs].flatMap((figures) =>
        Object.values(figures),
      );
      for (const row of [...tables, hosts.rehearseMs, hosts.hostMiB]) {
        for (const figure of Object.values(row)) expect(figure).toBeGreaterThan(0);
      }
      expect(Object.keys(headers)).toEqual(['napi_reload.h', 'napi_reload.hpp']);
      for (const { baseMs, withMs } of Object.values(headers)) expect([baseMs, withMs]).not.toContain(0);
      expect(Object.keys(calls)).toEqual(['direct', 'closure', 'proxy', 'napi-reload']);
      for (const { before, after } of Object.values(calls)) {
        expect(before.addNs).toBeGreaterThan(0);
        expect(after.addNs).toBeGreaterThan(0);
      }
    },
    BENCH_TIMEOUT_MS,
  );
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
