// How a reload grows: with the bytes of the file, the functions that it exports, the versions that stay in memory because
// something of them is still in use, and the other addons that are open. Beside it a copy and process.dlopen. Each point of each
// way is a process of its own; they take turns, so that a drift of the machine's speed falls on all.
import { statSync } from 'node:fs';
import { withChildren } from '../measure/child.mjs';
import { buildGrown } from '../measure/fixtures.mjs';
import { inTurn } from '../measure/order.mjs';
import { collect, ratios, spread } from '../measure/statistics.mjs';

const WAYS = ['ours', 'plain'];
const KIB = 2 ** 10;
const MIB = 2 ** 20;

/** `image` has the bytes that are more than code in the image. */
const WHOLE = {
  rounds: 15,
  image: [KIB, 64 * KIB, MIB, 8 * MIB, 64 * MIB],
  functions: [1, 10, 100, 1_000, 4_000],
  pinned: [0, 10, 100, 1_000, 3_000],
  live: [0, 10, 100],
};
const SHORT = { rounds: 1, image: [KIB, MIB], functions: [1, 100], pinned: [0, 10], live: [0, 10] };

/** @typedef {import('../measure/statistics.mjs').Results} Results */
/** @typedef {import('../measure/statistics.mjs').Subject} Subject */
/** @typedef {Pick<Subject, 'title' | 'along'> & { grows: 'count' | 'bytes' }} Head */
/** @typedef {{ row: number, setup: import('../children/growth.mjs').Setup }} Point */

/** @param {{ short: boolean }} how @returns {Promise<Results>} */
export async function measure({ short }) {
  const { rounds, image, functions, pinned, live } = short ? SHORT : WHOLE;
  const [small, pinning] = [buildGrown({}), buildGrown({ pins: true })];
  /** @type {Record<string, Subject>} */
  const subjects = {};
  subjects['image'] = await measureAlong(
    { title: 'A reload by the size of the built file', along: 'bytes of the file', grows: 'bytes' },
    image.map((bytes) => pointOfFile(buildGrown({ bytes }))),
    rounds,
  );
  subjects['functions'] = await measureAlong(
    { title: 'A reload by the exported functions', along: 'exported functions', grows: 'count' },
    functions.map((count) => ({ row: count, setup: { builds: buildGrown({ functions: count }) } })),
    rounds,
  );
  subjects['live'] = await measureAlong(
    {
      title: 'A reload by the other addons that are open',
      along: 'other addons: open handles, or, the plain way, loaded copies',
      grows: 'count',
    },
    live.map((count) => ({ row: count, setup: { builds: small, live: count } })),
    rounds,
  );
  // The last one: it leaves thousands of deleted files, see the order of sections.
  subjects['pinned'] = await measureAlong(
    {
      title: 'A reload by the earlier versions that stay in memory',
      along: 'earlier versions in memory: pinned, or, the plain way, copies, to which each round adds one',
      grows: 'count',
    },
    pinned.map((count) => ({ row: count, setup: { builds: pinning, pinned: count } })),
    rounds,
  );
  return { subjects };
}

/** @param {readonly string[]} builds of one size @returns {Point} */
const pointOfFile = (builds) => ({ row: statSync(builds[0] ?? '').size, setup: { builds } });

/** @param {Head} head @param {readonly Point[]} points @param {number} rounds @returns {Promise<Subject>} */
async function measureAlong(head, points, rounds) {
  const nameOf = (/** @type {string} */ way, /** @type {Point} */ { row }) => `${way} ${head.along} ${row}`;
  const wanted = points.flatMap((point) =>
    WAYS.map((way) => [nameOf(way, point), { script: 'growth', settings: { way, ...point.setup } }]),
  );
  /** @type {Record<string, number[]>} */
  const ms = {};
  await withChildren(Object.fromEntries(wanted), async (childOf) => {
    for (let round = 0; round < rounds; round++)
      for (const [at, point] of inTurn(points.entries(), round))
        for (const name of inTurn(WAYS, round + at).map((way) => nameOf(way, point)))
          collect(ms, name, Number(await childOf(name).turn('reload')));
  });
  const rows = points.map((point) => {
    const [ours = [], plain = []] = WAYS.map((way) => ms[nameOf(way, point)]);
    return [point.row, { ours: spread(ours), plain: spread(plain), times: ratios(ours, plain) }];
  });
  return {
    ...head,
    columns: {
      ours: { title: 'napi-reload, to the first call', unit: 'ms' },
      plain: { title: 'copy and process.dlopen, to the first call', unit: 'ms' },
      times: { title: 'napi-reload : copy and process.dlopen', unit: 'times' },
    },
    rows: Object.fromEntries(rows),
    draws: WAYS,
  };
}
