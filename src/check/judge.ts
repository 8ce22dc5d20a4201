/** Whether a check was passed. */
import type { Diagnosis } from '../doctor/diagnosis.ts';
import { listed } from '../doctor/uses.ts';
import type { CheckCrash, CheckPlace, CheckProblem, CheckReport } from './report.ts';

/** @returns why it was not, in the order of what matters most; empty when it was */
export function judge(report: Omit<CheckReport, 'problems'>): readonly CheckProblem[] {
  const { crashed, threw, rssBytesPerReload, maxRssPerReload } = report;
  const problems: CheckProblem[] = [];
  if (crashed !== null) problems.push(crashProblem(crashed));
  if (threw !== null) {
    const message = `${threw.code === null ? '' : `${threw.code}: `}${threw.message} (${placeOf(threw)})`;
    problems.push({ code: threw.during === 'load' ? 'cannot-load' : 'threw', message });
  }
  // What did not come to its end had no time to unload.
  if (crashed === null && threw === null) problems.push(...brokenPromise(report));
  if (rssBytesPerReload !== null && maxRssPerReload !== null && rssBytesPerReload > maxRssPerReload) {
    const message = `${rssBytesPerReload} bytes of memory stay after each reload, more than ${maxRssPerReload}`;
    problems.push({ code: 'leaked', message });
  }
  return problems;
}

/** Of a file that cannot be loaded, so that nothing was tried. */
export function loadProblems({ hazards }: Diagnosis): readonly CheckProblem[] {
  return hazards
    .filter(({ severity }) => severity === 'error')
    .map(({ code, detail, remedy }) => ({ code: 'cannot-load', message: `${code}: ${detail}; ${remedy}` }));
}

function crashProblem(crash: CheckCrash): CheckProblem {
  const { reason, signal, exitCode } = crash;
  const where = placeOf(crash);
  switch (reason) {
    case 'timeout':
      return { code: 'hung', message: `nothing happened for longer than --timeout allows, ${where}` };
    case 'signal':
      return { code: 'crashed', message: `it was ended by ${signal}, ${where}` };
    case 'exit':
      return { code: 'crashed', message: `its process ended with exit code ${exitCode}, ${where}` };
  }
}

/** When something happened, for a sentence. */
function placeOf({ reload, during }: CheckPlace): string {
  switch (during) {
    case 'load':
      return 'when it was first loaded';
    case 'reload':
      return `at reload ${reload}`;
    case 'exercise':
      return reload === 0 ? 'in the exercise after the first load' : `in the exercise after reload ${reload}`;
    case 'close':
      return `when it was closed, after reload ${reload}`;
    case 'exit':
      return `when its process ended, after reload ${reload}`;
  }
}

function brokenPromise(report: Omit<CheckReport, 'problems'>): readonly CheckProblem[] {
  const { promised, reloads, unloaded, pinned, kept, pins } = report;
  if (promised === 'never' || unloaded === reloads) return [];
  const why = pins.length === 0 ? '' : `, by ${listed(pins.map(({ kind, count }) => `${count} ${kind}`))}`;
  const message = `of ${reloads} versions ${unloaded} were unloaded, ${kept} are kept and ${pinned} pinned${why}; doctor says that it unloads: ${promised}`;
  return [{ code: 'not-unloaded', message }];
}
