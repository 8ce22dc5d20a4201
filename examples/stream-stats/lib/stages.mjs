/** What happens in the tour: each stage makes an edit, waits for what becomes of it, and shows that. */
import { reversed } from '../../lib/edits.mjs';
import { beginStage, sumPhases, unexpected } from '../../lib/stages.mjs';
import { formatCount, formatFailure, formatFigures, formatMs, formatPhases } from '../../lib/terminal.mjs';
import { addSpread, forgetSquare } from '../edits.mjs';

/** The state crosses into a version with another layout, while rows flow. */
export async function addFeature(session, atSwitch) {
  const { terminal, kernel } = session;
  const { colors } = terminal;
  beginStage(terminal, 2, 'Edit the source: standard deviation and p99, state schema 1 to 2');
  const before = kernel.exports.summary();
  const { event, result, afterMs, builtMs } = await session.edit(addSpread);
  if (event !== 'reloaded') throw unexpected('the new version', 'reloaded', { event, result });
  const { build, ...switchMs } = result.phasesMs;
  const reloadMs = sumPhases(switchMs);
  const { summary, rowsLost, equal } = session.compare();
  session.expect(result.state === 'carried', `the state was ${result.state}, wanted it carried`);
  session.expect('stddev' in summary && 'p99' in summary, 'the new fields are missing');
  session.expect(atSwitch.counted === atSwitch.pushed, 'rows were lost in the switch');
  terminal.print(
    `  ${colors.green('reloaded')}  version ${result.from} to ${result.to}, live ${formatMs(afterMs)} after the save: ` +
      `build ${formatMs(build)}, the rest ${formatMs(reloadMs)}`,
    ...formatPhases(switchMs).map((line) => `  ${colors.dim(line)}`),
    `  when saved    ${formatFigures(before, colors)}`,
    `  when live     ${formatFigures(summary, colors, before)}`,
    `  at the switch ${formatCount(atSwitch.counted)} rows carried over, each counted once, ` +
      'also by the new fields',
  );
  return { report: result, buildMs: builtMs, reloadMs, rowsLost, equal };
}

/** A version that cannot go live, and the one before that serves on. Returns whether it did. */
export async function surviveFailure(session, number, title, edits, code) {
  const { terminal, kernel, stream } = session;
  beginStage(terminal, number, title);
  const rowsBefore = stream.rows;
  const serving = kernel.current.id;
  const { event, result, afterMs } = await session.edit(edits);
  if (event !== 'failed' || result.code !== code) throw unexpected(title, code, { event, result });
  const { rowsLost, equal } = session.compare();
  const survived = kernel.current.id === serving && rowsLost === 0 && equal;
  session.expect(survived, `version ${serving} did not survive ${code}`);
  terminal.print(
    ...formatFailure(result, session.root, terminal.colors).map((line) => `  ${line}`),
    `  version ${kernel.current.id} serves on: ${formatCount(stream.rows - rowsBefore)} rows more ` +
      `in these ${formatMs(afterMs)}`,
  );
  return survived;
}

/** Back to the source of the version that serves: where a build can be repeated, there is nothing to load. */
export async function mend(session) {
  const { terminal, kernel } = session;
  beginStage(terminal, 5, 'Mend it');
  const { event, result, afterMs } = await session.edit(reversed(forgetSquare));
  if (event === 'failed') throw unexpected('the mended source', 'unchanged', { event, result });
  const outcome =
    event === 'unchanged'
      ? `the bytes are those of version ${kernel.current.id}: nothing to do`
      : `the build gave other bytes: version ${kernel.current.id} is live`;
  terminal.print(`  ${event}  after ${formatMs(afterMs)}: ${outcome}`);
}
