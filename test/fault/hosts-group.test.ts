/** Members of a group that run in processes: what ends one of them in the switch must not be half of a reload. */
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openGroup } from '../../src/index.ts';
import { install } from '../support/addons.ts';
import { until } from '../support/until.ts';
import { type Fatal, fatalAddon, hostsOf, refusalOf, Stand } from './hosted.ts';

let stand: Stand;
beforeEach(() => {
  stand = new Stand();
});
afterEach(() => stand[Symbol.asyncDispose]());

test('a new member that is killed after its check, while another one is checked, refuses the reload', async () => {
  const [a, b] = ['a.node', 'b.node'].map((name) => path.join(stand.folder, name)) as [string, string];
  install(fatalAddon(1), a);
  install(fatalAddon(11), b);
  await using group = await openGroup<{ a: Fatal; b: Fatal }>(
    { a: { file: a }, b: { file: b, after: ['a'] } },
    stand.options({ host: { spare: false } }) as never,
  );
  const { a: first, b: second } = group.members;
  await first.exports.bump();
  const crashed: unknown[] = [];
  first.on('crashed', (crash) => crashed.push(crash));
  install(fatalAddon(2), a);
  install(fatalAddon(12), b);
  stand.plan(2, 'init', 'hang');
  stand.plan(12, 'save', 'hang');
  const refused = refusalOf(group.reload());
  const pid = await stand.at(2, 'init');
  stand.goOn(2, 'init');
  await stand.at(12, 'save');
  const waiting = first.exports.version();
  process.kill(pid, 'SIGKILL');
  await until('its end is known', () => !hostsOf(process.pid).includes(pid));
  for (let turns = 0; turns < 10; turns++) await new Promise(setImmediate);
  stand.goOn(12, 'save');
  expect(await refused).toMatchObject({
    code: 'ERR_HOST_CRASHED',
    details: { version: 2, signal: 'SIGKILL' },
  });
  expect(crashed).toEqual([]);
  expect([await waiting, await second.exports.version(), await first.exports.count()]).toEqual([1, 11, 1]);
  expect(await group.reload()).toMatchObject({ status: 'reloaded' });
  expect([await first.exports.version(), await first.exports.count()]).toEqual([2, 1]);
  await group.close();
  await stand.end();
});
