/** What happens in the run: each stage makes an edit, waits for what becomes of it, and shows that. */
import { beginStage, sumPhases, unexpected } from '../../lib/stages.mjs';
import { formatCount, formatFailure, formatMs } from '../../lib/terminal.mjs';

/** A version that goes live while queries run. Returns its answers to the sample. */
export async function goLive(session, number, title, edits) {
  const { terminal, load } = session;
  beginStage(terminal, number, title);
  const { event, result, afterMs } = await session.edit(edits);
  if (event !== 'reloaded') throw unexpected(title, 'reloaded', { event, result });
  const reloadMs = sumPhases(result.phasesMs);
  const sent = formatCount(load.progress.sent);
  const { measured, answers } = await session.measure(reloadMs);
  terminal.print(
    `  ${terminal.colors.green('reloaded')}  version ${result.from} to ${result.to}, live ${formatMs(afterMs)} after the ` +
      `save: build ${formatMs(result.phasesMs.build)}, the rest ${formatMs(reloadMs)}`,
    `  ${describeVersion(measured)}; ${sent} queries so far, ${load.progress.failed} failed`,
  );
  return answers;
}

/** A version that cannot go live, and the one before that serves on. Returns the code of the refusal. */
export async function surviveFailure(session, number, title, edits, code) {
  const { terminal, kernel, load } = session;
  beginStage(terminal, number, title);
  const serving = kernel.current.id;
  const before = load.progress.sent;
  const { event, result, afterMs } = await session.edit(edits);
  if (event !== 'failed' || result.code !== code) throw unexpected(title, code, { event, result });
  session.expect(kernel.current.id === serving, `version ${serving} did not survive ${code}`);
  terminal.print(
    ...formatFailure(result, session.root, terminal.colors).map((line) => `  ${line}`),
    `  version ${kernel.current.id} serves on: ${formatCount(load.progress.sent - before)} queries more ` +
      `in these ${formatMs(afterMs)}, ${load.progress.failed} failed`,
  );
  return result.code;
}

/** Recall and speed of a version on one line. */
export function describeVersion({ id, recall, queryUs }) {
  return `version ${id} finds ${(recall * 100).toFixed(1)} % of the nearest vectors, ${queryUs.toFixed(0)} µs a query`;
}
