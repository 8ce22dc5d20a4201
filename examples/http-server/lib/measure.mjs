/** One server under load: without reloads, and with one every so often. */
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { formatCount, formatMs } from '../../lib/terminal.mjs';
import { answerOf, ask, ended, startChild } from './child.mjs';

const SERVER = path.join(import.meta.dirname, '../server.mjs');
const LOAD = path.join(import.meta.dirname, 'load.mjs');
const RELOAD_EVERY_MS = 100;
/** Part of a measurement that compiled code needs first, and the least of it in seconds. */
const WARM_UP = 0.1;
const WARM_UP_SECONDS_MIN = 1;

/**
 * @param {object} session `put(turn)` puts a build in place, `addon` is where
 * @param {'inline' | 'worker' | 'process'} isolation
 * @returns {Promise<object>} the figures; what is wrong is added to the problems
 */
export async function measure(session, isolation) {
  const { put, addon, seconds, connections, reloadsFirst, signal } = session;
  put(0);
  const server = startChild(SERVER, ['--isolation', isolation, '--addon', addon, '--port', '0'], signal);
  try {
    const { port } = await answerOf(server);
    const url = `http://127.0.0.1:${port}`;
    const load = (ofSeconds) => runLoad({ url, seconds: ofSeconds, connections }, signal);
    const loadWithout = async () => {
      const without = await load(seconds);
      show(session, 'without', without);
      return without;
    };
    const loadWith = async () => {
      const reloading = startReloads(session, server);
      const during = await load(seconds).finally(() => reloading.stop());
      const reloads = await reloading.ended;
      show(session, 'with', during, reloads);
      return { during, reloads };
    };
    const warm = await load(Math.max(WARM_UP_SECONDS_MIN, seconds * WARM_UP));
    const early = reloadsFirst ? null : await loadWithout();
    const { during, reloads } = await loadWith();
    const without = early ?? (await loadWithout());
    const seen = await ask(server, 'look');
    judge(session, isolation, [warm, without, during], reloads, seen);
    await ask(server, 'close');
    await ended(server);
    return figuresOf(session, isolation, without, during, reloads);
  } finally {
    await ended(server, { kill: true });
  }
}

async function runLoad(order, signal) {
  const load = startChild(LOAD, [JSON.stringify(order)], signal);
  const answer = await answerOf(load);
  await ended(load);
  return answer;
}

/** A build is put in place, and made live, again and again. */
function startReloads({ put }, server) {
  const reloads = { timesMs: [], problems: [] };
  let stopped = false;
  const run = async () => {
    for (let turn = 1; !stopped; turn++) {
      const startMs = performance.now();
      put(turn);
      const { status, reloadMs, error } = await ask(server, 'reload');
      if (status === 'reloaded') reloads.timesMs.push(reloadMs);
      else reloads.problems.push(error ?? status);
      await pause(Math.max(0, RELOAD_EVERY_MS - (performance.now() - startMs)));
    }
    return reloads;
  };
  const ended = run();
  ended.catch(() => undefined);
  return {
    ended,
    stop() {
      stopped = true;
    },
  };
}

function show({ terminal, seconds }, name, { requests, failed, p50Ms, p99Ms, maxMs }, reloads = null) {
  const after = reloads === null ? '' : `; ${reloads.timesMs.length} reloads, median ${medianMs(reloads)}`;
  terminal.print(
    `  ${name} reloads: ${formatCount(requests)} requests in ${seconds} s, ${failed} failed, ` +
      `p50 ${formatMs(p50Ms)}, p99 ${formatMs(p99Ms)}, longest ${formatMs(maxMs)}${after}`,
  );
}

const middle = (timesMs) => timesMs.toSorted((a, b) => a - b)[timesMs.length >> 1] ?? Number.NaN;
const medianMs = ({ timesMs }) => formatMs(middle(timesMs));

/** Every answer was right, every quote was counted once, and every version took over from the one before it. */
function judge({ expect }, isolation, loads, reloads, seen) {
  const faults = loads.flatMap((load) => load.faults);
  const failed = loads.reduce((sum, load) => sum + load.failed, 0);
  expect(failed === 0, `${isolation}: ${failed} requests failed: ${faults.join('; ')}`);
  expect(reloads.problems.length === 0, `${isolation}: a reload failed: ${reloads.problems[0]}`);
  expect(reloads.timesMs.length > 0, `${isolation}: nothing was reloaded`);
  const version = reloads.timesMs.length + 1;
  expect(seen.version === version, `${isolation}: version ${seen.version} serves, not ${version}`);
  const { answered, failed: refused, sequence, recorded } = seen;
  expect(refused === 0, `${isolation}: the server failed ${refused} times`);
  // The look itself is a quote, too.
  const counted = [sequence - 1, recorded - 1];
  expect(
    counted.every((count) => count === answered),
    `${isolation}: ${answered} quotes were answered, ${counted.join(' and ')} were counted`,
  );
}

function figuresOf({ terminal }, isolation, without, during, reloads) {
  const p99Ratio = during.p99Ms / without.p99Ms;
  terminal.print(`  p99 ${p99Ratio.toFixed(2)} times that without reloads`);
  const of = ({ requests, failed, p50Ms, p99Ms, maxMs }) => ({ requests, failed, p50Ms, p99Ms, maxMs });
  return {
    isolation,
    without: of(without),
    with: { ...of(during), versions: during.versions },
    reloads: reloads.timesMs.length,
    reloadMs: middle(reloads.timesMs),
    p99Ratio,
  };
}
