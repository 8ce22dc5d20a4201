/** Many versions at once: beyond the pool of function slots, and in several threads. */
import { Worker } from 'node:worker_threads';
import { afterAll, expect, test } from 'vitest';
import {
  collect,
  type LoadedVersion,
  ledgerUse,
  mappings,
  removeFolder,
  tick,
  until,
} from '../../fixtures/ledger/load.mjs';
import { call, expectUnloaded, openFull } from './versions.ts';

const WORKER = new URL('../../fixtures/ledger/worker.mjs', import.meta.url);
/** Of 40 and more functions each. */
const OVERFLOWING = 200;
const IN_EACH_THREAD = 60;
/** As native/slots.cc has it. */
const POOL_SLOTS = 2048;

afterAll(removeFolder);

/** A function of its own, so that no frame holds the versions when garbage is collected. */
function overflow(): void {
  const versions: LoadedVersion[] = [];
  for (let count = 0; count < OVERFLOWING; count++) versions.push(openFull());
  expect(ledgerUse()).toMatchObject({ images: OVERFLOWING, pooledSlots: POOL_SLOTS });
  expect(ledgerUse().heapSlots).toBeGreaterThan(0);
  for (const version of versions) {
    expect(call(version, 'version')).toBe(1);
    expect(call(version, 'dataOf')).toBe(7);
  }
  for (const version of versions) expectUnloaded(version);
}

test('the ledger serves more functions than its pool has slots, and gets the slots back', async () => {
  overflow();
  await collect();
  await collect();
  const { images, heapSlots, pooledSlots } = ledgerUse();
  expect(images).toBe(0);
  // Some functions may still be held by the last frames.
  expect(heapSlots).toBeLessThan(200);
  expect(pooledSlots).toBeLessThan(200);
});

test('the ledger serves two Workers and main at once, and nothing is left when they end', async () => {
  const workers = [0, 1].map(() => new Worker(WORKER, { workerData: { versions: IN_EACH_THREAD } }));
  const ended = workers.map(
    (worker) => new Promise((resolve, reject) => worker.once('error', reject).once('exit', resolve)),
  );
  for (let count = 0; count < IN_EACH_THREAD; count++) {
    const version = openFull(2);
    call(version, 'defineClass');
    expectUnloaded(version, true);
    await tick();
  }
  expect(await Promise.all(ended)).toEqual([0, 0]);
  await until(() => ledgerUse().images === 0);
  expect(mappings()).toBe(0);
});
