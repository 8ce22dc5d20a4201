/** Copies that one test after another has: as they were when they were made, but for what was compiled. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { Bench } from '../../../../src/testing/copy/bench.ts';
import { openOn } from '../../../../src/testing/copy/open-on.ts';
import { resolveKit } from '../../../../src/testing/options.ts';
import { KIT_SCRIPT, makeKitProject, type Total } from '../../../support/kits.ts';
import { until } from '../../../support/until.ts';

const toVersion2 = (text: string): string => text.replace('() => 1', '() => 2');

test('a copy comes back to the next test with its sources as they were, and what it has built', async () => {
  using project = makeKitProject();
  const bench = new Bench(resolveKit({ ...project.options, cache: false }));
  await bench.prepare();
  expect(project.builds()).toBe(1);
  const first = await openOn<Total>(bench);
  const script = path.join(first.root, KIT_SCRIPT);
  const before = fs.readFileSync(script, 'utf8');
  expect(project.builds()).toBe(1);
  await first.edit(KIT_SCRIPT, toVersion2);
  await first.edit(KIT_SCRIPT, (text) => text.replace('() => 2', '() => 3'));
  await first.write('src/new.h', '');
  await first.reload();
  expect([first.addon.exports.version(), project.builds()]).toEqual([3, 2]);
  await first.close();
  expect(fs.readFileSync(script, 'utf8')).toBe(before);
  const second = await openOn<Total>(bench);
  expect([second.root, second.addon.exports.version(), project.builds()]).toEqual([first.root, 1, 3]);
  await expect(second.edit('src/new.h', () => 'x')).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
  expect(fs.existsSync(path.join(second.root, 'src/new.h'))).toBe(false);
  await second.close();
  await bench.end();
  expect(fs.existsSync(first.root)).toBe(false);
});

test('tests at the same time have a copy each, and none is left after the end', async () => {
  using project = makeKitProject();
  const bench = new Bench(resolveKit(project.options));
  const [one, other] = await Promise.all([openOn<Total>(bench), openOn<Total>(bench)]);
  expect(one.root).not.toBe(other.root);
  await one.close();
  await bench.end();
  expect([fs.existsSync(one.root), fs.existsSync(other.root)]).toEqual([false, true]);
  await other.close();
  expect(fs.existsSync(other.root)).toBe(false);
});

test("a copy whose build was stopped is not the next test's", async () => {
  using project = makeKitProject({ before: 'if [ -e src/slow.h ]; then sleep 60; fi' });
  const bench = new Bench(resolveKit(project.options));
  const kit = await openOn<Total>(bench);
  await kit.write('src/slow.h', '');
  const reload = kit.reload().catch((error: unknown) => error);
  await until('a second build', () => project.builds() === 2);
  await kit.close();
  expect(await reload).toMatchObject({ code: 'ERR_CLOSED' });
  expect(fs.existsSync(kit.root)).toBe(false);
  await bench.end();
});

test('a copy that cannot be opened is given back', async () => {
  using project = makeKitProject();
  project.scratch.write(`project/${KIT_SCRIPT}`, '#error "stop"\n');
  const bench = new Bench(resolveKit(project.options));
  await expect(bench.prepare()).rejects.toMatchObject({ code: 'ERR_BUILD_FAILED' });
  await expect(openOn(bench)).rejects.toMatchObject({ code: 'ERR_BUILD_FAILED' });
  const place = await bench.take();
  await bench.end();
  const { folder } = place.workspace;
  expect(fs.existsSync(folder)).toBe(true);
  await bench.give(place);
  expect(fs.existsSync(folder)).toBe(false);
});
