/** Messages of compilers as GitHub shows them beside the source: commands in the log of a workflow. */
import type { Diagnostic } from '../../diagnostic.ts';
import { pathFrom } from './format.ts';

/** GitHub shows ten of each kind for a step. */
const SHOWN_MAX = 10;

const COMMANDS: Readonly<Record<Diagnostic['severity'], string>> = {
  'fatal error': 'error',
  error: 'error',
  warning: 'warning',
  note: 'notice',
};

/** @param workspace that paths are relative to, as GitHub wants them */
export function annotations(diagnostics: readonly Diagnostic[], workspace: string): readonly string[] {
  const shown = new Map<string, number>();
  return diagnostics.flatMap(({ severity, file, line, column, text }) => {
    const command = COMMANDS[severity];
    const before = shown.get(command) ?? 0;
    shown.set(command, before + 1);
    if (before >= SHOWN_MAX) return [];
    const properties = [
      `file=${property(pathFrom(workspace, file))}`,
      ...(line > 0 ? [`line=${line}`] : []),
      ...(column > 0 ? [`col=${column}`] : []),
    ];
    return [`::${command} ${properties.join(',')}::${data(text)}`];
  });
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
