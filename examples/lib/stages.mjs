/** What a stage of an example shows, whatever the example is. */

/** Writes the title of a stage. */
export function beginStage(terminal, number, title) {
  terminal.print('', terminal.colors.bold(`${number}  ${title}`));
}

/**
 * The error of an edit that ended otherwise than it should.
 *
 * @param {string} what
 * @param {string} wanted an event, or the code of a refusal
 * @param {{ event: string, result: object }} outcome
 */
export function unexpected(what, wanted, { event, result }) {
  const found = event === 'failed' ? `${result.code}: ${result.message}` : event;
  return new Error(`Wanted ${what} to end as ${wanted}, found ${found}`, {
    cause: event === 'failed' ? result : undefined,
  });
}

/** Milliseconds of a reload without its build. */
export function sumPhases({ build: _, ...phasesMs }) {
  return Object.values(phasesMs).reduce((sum, ms) => sum + ms, 0);
}
