/** Addons that use the headers, reloaded and in several environments at once. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { open } from '../../../src/addon.ts';
import { createScratch, install } from '../../support/addons.ts';
import { buildFlavour, type Everything, FLAVOURS, requireAnew } from './support.ts';

test.each(FLAVOURS)('a reload carries the state of an addon in $name, and unloads it', async (flavour) => {
  using scratch = createScratch();
  const target = scratch.file('everything.node');
  install(buildFlavour(flavour), target);
  const addon = await open<Everything>(target, { stageDir: scratch.file('stage') });
  const { add, calls } = addon.exports;
  expect(addon.current.schema).toBe(2);
  expect([add(2), calls()]).toEqual([2, ['prepare', 'init']]);

  install(buildFlavour(flavour, 10), target);
  const report = await addon.reload();
  expect(report).toMatchObject({
    status: 'reloaded',
    state: 'carried',
    retired: { id: 1, outcome: 'unloaded' },
  });
  expect([add(2), calls()]).toEqual([22, ['prepare', 'init']]);
  await addon.close();
});

test.each(FLAVOURS)('each environment has hooks and a state of its own in $name', async (flavour) => {
  const file = buildFlavour(flavour);
  const { add, napiReload } = requireAnew(file);
  const script = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { add, napiReload, makePlain, useMemory } = require(workerData);
    napiReload.init({ reason: 'reload', state: 100 });
    parentPort.postMessage([add(1), napiReload.save(), useMemory(makePlain(), 'a', 1).first]);`;
  const worker = new Worker(script, { eval: true, workerData: file });
  add(5);
  const [message] = (await once(worker, 'message')) as [unknown];
  expect(await once(worker, 'exit')).toEqual([0]);
  expect(message).toEqual([101, 101, 1]);
  expect([add(1), napiReload.save()]).toEqual([6, 6]);
});
