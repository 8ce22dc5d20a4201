// What one call costs in each manner of calling code that can be replaced: after ten reloads, of what was taken before them,
// and before any. What counts is the cost after: before a reload V8 folds an indirection away.
import { withChildren } from '../measure/child.mjs';
import { buildCalls, buildFilling } from '../measure/fixtures.mjs';
import { inTurn } from '../measure/order.mjs';
import { collect, quantile, ratios, spreadWithLeast } from '../measure/statistics.mjs';

/** With what each of them makes of itself and of its copy, they are more than the pool has. */
const FILLING = 2_100;
const DIRECT = 'direct, which cannot follow a reload';

/** @type {Record<string, { manner: string, options?: object }>} */
const MANNERS = {
  [DIRECT]: { manner: 'direct' },
  closure: { manner: 'closure' },
  Proxy: { manner: 'proxy' },
  'napi-reload': { manner: 'ours' },
  "napi-reload, kept (reclaim: 'never')": { manner: 'ours', options: { reclaim: 'never' } },
  "napi-reload, scope: 'process'": { manner: 'ours', options: { scope: 'process' } },
  'napi-reload, beyond the pool of thunks': { manner: 'beyondPool' },
  'napi-reload, Worker, awaited': { manner: 'ours', options: { isolation: 'worker' } },
  'napi-reload, process, awaited': { manner: 'ours', options: { isolation: 'process' } },
};

const KINDS = /** @type {const} */ (['add', 'noop', 'nested', 'construct', 'method']);
const KINDS_BEFORE = /** @type {const} */ (['add', 'noop']);

/** @typedef {import('../measure/statistics.mjs').Column} Column */
/** @type {Record<(typeof KINDS)[number], Column>} */
const NS = {
  add: { title: 'add(a, b)', unit: 'ns' },
  noop: { title: 'noop()', unit: 'ns' },
  nested: { title: 'math.add(a, b)', unit: 'ns' },
  construct: { title: 'new Counter(1); awaited: with its first call', unit: 'ns' },
  method: { title: 'counter.get()', unit: 'ns' },
};

/** @type {Record<string, Column>} */
const TIMES = {
  addTimes: { title: 'add, times direct', unit: 'times' },
  noopTimes: { title: 'noop, times direct', unit: 'times' },
};

/** By manner: of each batch, and the median of each repeat. @typedef {Record<string, { ns: Record<string, number[]>, medians: Record<string, number[]> }>} Times */

/** @param {{ short: boolean }} how @returns {Promise<import('../measure/statistics.mjs').Results>} */
export async function measure({ short }) {
  const built = buildCalls();
  const filling = buildFilling(FILLING);
  const counts = short
    ? { repeats: 1, reloads: 2, batches: 3, warmUpMs: 5 }
    : { repeats: 5, reloads: 10, batches: 40, warmUpMs: 50 };
  const before = timesOf();
  const after = timesOf();
  for (let repeat = 0; repeat < counts.repeats; repeat++) {
    for (const [name, { manner, options = {} }] of inTurn(Object.entries(MANNERS), repeat)) {
      const settings = { built, filling, manner, options };
      await withChildren({ [name]: { script: 'calls', settings } }, async (childOf) => {
        const child = childOf(name);
        const take = async (/** @type {Times} */ times, /** @type {readonly string[]} */ kinds) => {
          for (const kind of kinds)
            add(times, name, kind, /** @type {number[]} */ (await child.ask('measure', kind, counts)));
        };
        await take(before, KINDS_BEFORE);
        await child.turn('reload', counts.reloads);
        await take(after, KINDS);
      });
    }
  }
  return {
    subjects: {
      calls: {
        title: `One call after ${counts.reloads} reloads, of what was taken before them`,
        along: 'manner',
        columns: { ...NS, ...TIMES },
        rows: rowsOf(after, KINDS),
        draws: ['add'],
      },
      callsBefore: {
        title: 'One call before any reload',
        along: 'manner',
        columns: { add: NS.add, noop: NS.noop, ...TIMES },
        rows: rowsOf(before, KINDS_BEFORE),
        draws: [],
      },
    },
  };
}

/** @returns {Times} */
const timesOf = () => Object.fromEntries(Object.keys(MANNERS).map((name) => [name, { ns: {}, medians: {} }]));

/** @param {Times} times @param {string} name @param {string} kind @param {readonly number[]} ns */
function add(times, name, kind, ns) {
  const of = times[name];
  if (of === undefined) throw new Error(`there is no manner ${name}`);
  for (const value of ns) collect(of.ns, kind, value);
  collect(of.medians, kind, quantile(ns, 0.5));
}

/**
 * Batches of two processes are no pairs, but what one round of the manners took is.
 *
 * @param {Times} times @param {readonly string[]} kinds
 */
function rowsOf(times, kinds) {
  const timesDirect = (/** @type {string} */ name, /** @type {string} */ kind) =>
    ratios(times[name]?.medians[kind] ?? [], times[DIRECT]?.medians[kind] ?? []);
  return Object.fromEntries(
    Object.entries(times).map(([name, { ns }]) => [
      name,
      {
        ...Object.fromEntries(kinds.map((kind) => [kind, spreadWithLeast(ns[kind] ?? [])])),
        addTimes: timesDirect(name, 'add'),
        noopTimes: timesDirect(name, 'noop'),
      },
    ]),
  );
}
