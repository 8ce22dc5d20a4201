/** `npm run bench`, a section after the other, with few rounds: what it gives is what the documents are made of. */
import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { drawDocuments, faultsOf, REPORT, type Report, type Subject } from '../../bench/draw/documents.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const RUN = path.join(ROOT, 'bench/run.mjs');
/** It compiles, and starts many processes: a diagnosis on a machine under load. */
const TIMEOUT_MS = 600_000;

/** All but `server`, which runs an example that has tests of its own. */
const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  reload: ['reload', 'stages', 'cycle'],
  ways: ['ways'],
  left: ['left'],
  calls: ['calls', 'callsBefore'],
  hosts: ['arrays', 'hostReload', 'rehearsal', 'hostMemory'],
  growth: ['image', 'functions', 'pinned', 'live'],
  state: ['state'],
  instances: ['instances'],
  headers: ['headers'],
  builders: ['builders'],
};

/** Of those that take longest, `npm run test:bench` runs all. */
const LONG: readonly string[] =
  process.env['BENCH'] === 'all'
    ? []
    : ['ways', 'left', 'calls', 'hosts', 'growth', 'state', 'instances', 'builders'];

const published = JSON.parse(fs.readFileSync(path.join(ROOT, REPORT), 'utf8')) as Report;

// Whoever runs one test file alone may have changed src/ since.
beforeAll(() => {
  const { status, stderr } = spawnSync(process.execPath, [path.join(ROOT, '.ci/setup.mjs')], {
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
});

async function measure(section: string): Promise<Report> {
  const { stdout } = await promisify(execFile)(process.execPath, [RUN, section, '--short', '--json'], {
    cwd: ROOT,
    maxBuffer: 2 ** 24,
  });
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Report;
}

/** What is measured, but for how large: a short run has fewer sizes. */
const shapeOf = ({ title, columns, grows, rows, absent = {} }: Subject): unknown => ({
  columns,
  rows: grows === undefined ? [...Object.keys(rows), ...Object.keys(absent)].toSorted() : title,
});

describe('npm run bench', () => {
  test.each(Object.entries(SECTIONS).filter(([name]) => !LONG.includes(name)))(
    '%s measures what the documents show of it',
    async (section, subjects) => {
      const report = await measure(section);
      expect(report.short).toBe(true);
      expect(Object.keys(report.subjects).toSorted()).toEqual(subjects.toSorted());
      expect(faultsOf(report, subjects)).toEqual(['it is a short run']);
      for (const [id, subject] of Object.entries(report.subjects)) {
        const shown = published.subjects[id] ?? expect.fail(`${id} is not in the documents`);
        expect(shapeOf(subject)).toEqual(shapeOf(shown));
        expect(Object.keys(subject.rows), id).not.toEqual([]);
      }
      for (const [file, text] of drawDocuments(report)) {
        expect(text, file).not.toMatch(/NaN|undefined|Infinity/);
        if (file.endsWith('.svg')) expect(text).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
      }
    },
    TIMEOUT_MS,
  );

  test.each([
    [['nope'], 'no section nope; there are reload, '],
    [['--long'], "Unknown option '--long'"],
  ])('refuses %j', (args, message) => {
    const { status, stderr } = spawnSync(process.execPath, [RUN, ...args], { encoding: 'utf8' });
    expect(stderr).toContain(message);
    expect(status).toBe(1);
  });
});
