/** One run of the tour: an open kernel, the rows that flow into it, and what was measured on the way. */
import { saveEdits } from '../../lib/save.mjs';
import { formatCount } from '../../lib/terminal.mjs';
import { computeReference, differences } from './reference.mjs';

/**
 * Rows flow while a session lives; it ends with the stream, not with an edit.
 *
 * @param {{ kernel: object, stream: object, flights: object, root: string, terminal: object, signal: AbortSignal }} parts
 */
export function createSession({ kernel, stream, flights, root, terminal, signal }) {
  const problems = [];
  let versionsLive = 1;
  kernel.on('reloaded', () => {
    versionsLive += 1;
  });
  return {
    kernel,
    stream,
    root,
    terminal,
    problems,

    /** Versions that have served so far. */
    get versionsLive() {
      return versionsLive;
    },

    /** Saves an edit while rows flow, and waits for what the handle, which watches, makes of it. */
    async edit(edits) {
      return saveEdits({ kernel, root, terminal, signal }, edits, {
        goesOn: 'rows keep flowing',
        describe: () => `${formatCount(stream.rows)} rows so far`,
        broken: endOf(stream),
      });
    },

    /**
     * Compares all of the kernel's figures with plain JavaScript over the same rows. What differs is added to the
     * problems.
     *
     * @returns {{ summary: object, rowsLost: number, equal: boolean }}
     */
    compare() {
      const rows = stream.rows;
      const found = { summary: kernel.exports.summary(), groups: kernel.exports.groups() };
      const differing = differences(found, computeReference(flights, rows));
      const rowsLost = rows - found.summary.count;
      problems.push(...differing);
      if (rowsLost !== 0) problems.push(`${rowsLost} of ${rows} rows were lost`);
      return { summary: found.summary, rowsLost, equal: differing.length === 0 };
    },

    /** Records a problem unless `condition` holds. */
    expect(condition, problem) {
      if (!condition) problems.push(problem);
    },
  };
}

async function endOf(stream) {
  await stream.ended;
  throw new Error('The rows ended before the reload did');
}
