/** The HTTP server: what its kernel answers without the library, and the run that reloads it under load. */
import { execFile, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildExample } from '../../support/examples.ts';
import { ROOT } from '../docs/markdown.ts';

const EXAMPLE = path.join(ROOT, 'examples/http-server');
const RUN = path.join(EXAMPLE, 'run.mjs');
const RUN_TIMEOUT_MS = 300_000;
const ISOLATIONS = ['inline', 'worker', 'process'] as const;

interface Histogram {
  record(cents: number): number;
  quantile(fraction: number): number;
}
interface Hooks {
  init(context: { readonly reason: string; readonly state: unknown }): void;
  save(): unknown;
  readonly classes: { readonly Histogram: { save(instance: Histogram): unknown } };
}
interface Kernel {
  quote(units: number): { readonly version: number; readonly sequence: number; readonly cents: number };
  readonly Histogram: new (saved?: unknown) => Histogram;
  readonly napiReload: Hooks;
}
interface Figures {
  readonly requests: number;
  readonly failed: number;
  readonly reloads: number;
  readonly runs: readonly {
    readonly isolation: string;
    readonly without: { readonly requests: number };
    readonly with: { readonly requests: number; readonly versions: number };
    readonly reloads: number;
    readonly p99Ratio: number;
  }[];
}

/** The example is plain JavaScript; this is the one place that says what it offers. */
async function loadPrices(): Promise<{ priceOf(units: number, version: number): number }> {
  const file = pathToFileURL(path.join(EXAMPLE, 'lib/prices.mjs')).href;
  return (await import(file)) as { priceOf(units: number, version: number): number };
}

describe('kernel', () => {
  let kernel: Kernel;

  beforeAll(async () => {
    const file = await buildExample('quotes', path.join(EXAMPLE, 'src'));
    kernel = createRequire(import.meta.url)(file) as Kernel;
  });

  it('numbers its quotes, and goes on with the number of the version before', async () => {
    const { priceOf } = await loadPrices();
    expect(kernel.quote(120)).toEqual({ version: 1, sequence: 1, cents: priceOf(120, 1) });
    expect(kernel.quote(7)).toEqual({ version: 1, sequence: 2, cents: priceOf(7, 1) });
    const { napiReload } = kernel;
    napiReload.init({ reason: 'reload', state: napiReload.save() });
    expect(kernel.quote(120)).toMatchObject({ version: 2, sequence: 3 });
  });

  it('has histograms that take over what another one has counted', () => {
    const { Histogram, napiReload } = kernel;
    const prices = new Histogram();
    for (const cents of [0, 1, 100, 200, 5_000]) prices.record(cents);
    expect([prices.quantile(0.5), prices.quantile(1)]).toEqual([128, 8_192]);
    const moved = new Histogram(napiReload.classes.Histogram.save(prices));
    expect([moved.quantile(0.5), moved.record(3)]).toEqual([128, 6]);
    expect(() => new Histogram(new Float64Array(3))).toThrow('other buckets');
  });
});

describe('the run', () => {
  // It imports what is compiled. Whoever runs this file alone may have changed src/ since.
  beforeAll(() => {
    const { status, stderr } = spawnSync(process.execPath, [path.join(ROOT, '.ci/setup.mjs')], {
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
  });

  it('refuses arguments that it does not know', () => {
    const run = (...args: string[]): readonly unknown[] => {
      const { status, stderr } = spawnSync(process.execPath, [RUN, ...args], { encoding: 'utf8' });
      return [status, stderr.trim()];
    };
    expect(run('--seconds', '0')).toEqual([2, 'Cannot run "0" s: wanted 1 or more']);
    expect(run('--connections', 'x')).toEqual([2, 'Cannot open "x" connections: wanted 1 or more']);
    expect(run('--isolation', 'none')).toEqual([
      2,
      'No isolation "none": wanted one of inline, worker, process',
    ]);
    expect(run('--speed')).toEqual([2, expect.stringContaining("'--speed'")]);
  });

  it(
    'answers every request right while it is reloaded, and says so',
    async () => {
      const args = [RUN, '--json', '--seconds', '1'];
      const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
      const figures = JSON.parse(stdout) as Figures;
      expect(figures.failed).toBe(0);
      expect(figures.runs.map(({ isolation }) => isolation)).toEqual(ISOLATIONS);
      for (const run of figures.runs) {
        expect(run.without.requests).toBeGreaterThan(0);
        expect(run.reloads).toBeGreaterThan(1);
        // So requests were answered before and after a switch.
        expect(run.with.versions).toBeGreaterThan(1);
        expect(run.p99Ratio).toBeGreaterThan(0);
      }

      for (const isolation of ISOLATIONS) expect(stderr).toContain(`${isolation}: `);
      expect(stderr).toMatch(/^[\d,]+ requests, 0 failed: each answer checked, over \d+ reloads$/m);
    },
    RUN_TIMEOUT_MS,
  );
});
