/** The end of a run: whether every query was answered, from the index that version 1 built, and who is left in memory. */
import { isDeepStrictEqual } from 'node:util';
import { formatCount } from '../../lib/terminal.mjs';

/** What a replaced version waits for, such as its last query, takes milliseconds. */
const UNLOAD_TIMEOUT_MS = 10_000;

/**
 * Looks at everything once more when the queries have ended.
 *
 * @param {object} session
 * @param {object} built what the kernel said of the index when version 1 had built it
 * @returns {Promise<object>} the figures; what is wrong is added to the problems
 */
export async function conclude(session, built) {
  const { kernel, load, terminal, versions } = session;
  await load.stop();
  const index = kernel.exports.describe();
  const same = compareIndex(built, index);
  const unloaded = await countUnloaded(kernel);
  const queries = load.progress.sent + session.sampled;
  const { failed, acrossReloads } = load.progress;
  session.expect(failed === 0, `${failed} queries failed: ${load.faults.join('; ')}`);
  session.expect(index.answered === queries, `${index.answered} of ${queries} queries were counted`);
  session.expect(
    same.rebuilds === 0 && same.addressesEqual && same.checksumEqual,
    'the index is another one',
  );
  session.expect(kernel.versions().length === 1, 'a version that was replaced is still in memory');
  terminal.print(
    '',
    terminal.colors.bold(`${formatCount(queries)} queries, ${failed} failed`) +
      `: each answer checked, ${acrossReloads} of them under way in a reload`,
    `  the index ${same.checksumEqual ? 'has the bytes that version 1 wrote' : 'has CHANGED'}, ` +
      `at ${same.addressesEqual ? 'the same' : 'OTHER'} addresses; ${same.rebuilds === 0 ? 'built once' : 'built AGAIN'}`,
    `  ${unloaded} of ${kernel.current.id} versions unloaded, version ${kernel.current.id} serves`,
  );
  return {
    vectors: index.vectors,
    queries,
    failedQueries: failed,
    acrossReloads,
    versions,
    ...same,
    unloaded,
  };
}

/** Compares what two versions say of the index. */
function compareIndex(before, after) {
  return {
    rebuilds: after.builds - before.builds,
    addressesEqual: isDeepStrictEqual(after.addresses, before.addresses),
    checksumEqual: after.checksum === before.checksum && after.vectors === before.vectors,
  };
}

/**
 * Waits until only the live version is in memory, for a while. Returns how many have left it: those that were replaced,
 * and those that were refused after they were loaded.
 */
async function countUnloaded(kernel) {
  await new Promise((resolve) => {
    const look = () => {
      if (kernel.versions().length > 1) return;
      settle();
    };
    const settle = () => {
      clearTimeout(timer);
      kernel.off('unloaded', look);
      resolve();
    };
    const timer = setTimeout(settle, UNLOAD_TIMEOUT_MS);
    kernel.on('unloaded', look);
    look();
  });
  // Every version that is staged takes the next id, and the live one has the greatest.
  return kernel.current.id - kernel.versions().length;
}
