// What it costs to move live instances of a native class, by their number. Each count in a process of its own:
// node bench/instances.mjs <count> prints one line of JSON.
import { copyFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { open } from '../../dist/index.js';
import { buildInstances } from '../measure/fixtures.mjs';
import { quantile, round } from '../measure/statistics.mjs';

/** Reloads that are measured, after one that is not. */
const ROUNDS = 5;

/** @param {number} count */
async function measure(count) {
  const folder = mkdtempSync(path.join(tmpdir(), 'napi-reload-bench-'));
  const target = path.join(folder, 'points.node');
  const builds = buildInstances();
  /** @param {number} version from 0 */
  const install = (version) => {
    copyFileSync(builds[version % builds.length] ?? '', `${target}.new`);
    renameSync(`${target}.new`, target);
  };
  try {
    install(0);
    const addon = await open(target, { stageDir: path.join(folder, 'stage') });
    const { Point } = /** @type {{ Point: new (value: number) => { get(): number } }} */ (addon.exports);
    const points = Array.from({ length: count }, (_, index) => new Point(index));
    const [moveMs, wholeMs, rssBytes] = [[], [], []];
    for (let version = 1; version <= ROUNDS + 1; version++) {
      install(version);
      const before = process.memoryUsage.rss();
      const startMs = performance.now();
      const report = await addon.reload();
      const elapsedMs = performance.now() - startMs;
      if (report.status !== 'reloaded' || report.retired?.outcome !== 'unloaded') {
        throw new Error(`unexpected report: ${JSON.stringify(report)}`);
      }
      const factor = (version % builds.length) + 1;
      for (const [index, point] of points.entries()) {
        if (point.get() !== index * factor) throw new Error(`instance ${index} lost its value`);
      }
      if (version === 1) continue;
      const { save = 0, init = 0, verify = 0, swap = 0 } = report.phasesMs;
      moveMs.push(save + init + verify + swap);
      wholeMs.push(elapsedMs);
      rssBytes.push(process.memoryUsage.rss() - before);
    }
    await addon.close();
    const median = (/** @type {readonly number[]} */ values) => quantile(values, 0.5);
    return {
      'switch ms': round(median(moveMs)),
      'whole reload ms': round(median(wholeMs)),
      'µs per instance': round((median(wholeMs) * 1000) / count),
      'bytes more per instance': Math.max(0, round(median(rssBytes) / count)),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

console.log(JSON.stringify(await measure(Number(process.argv[2] ?? 100_000))));
