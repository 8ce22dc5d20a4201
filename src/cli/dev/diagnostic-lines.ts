/** Messages of compilers as people and editors read them: errors first, `file:line:column: severity: text`, then the place. */
import type { Colors } from 'picocolors/types.js';
import type { Diagnostic } from '../../diagnostic.ts';
import { codeFrame } from './code-frame.ts';
import { count, pathFrom } from './format.ts';

export interface DiagnosticStyle {
  readonly colors: Colors;
  /** Paths are relative to it. */
  readonly cwd: string;
  readonly columns: number;
  /** Rows that all of it may take; at least the first message is shown. */
  readonly rowsMax: number;
}

/** A message, and the notes that the compiler printed behind it. */
type Remark = readonly [Diagnostic, ...Diagnostic[]];

export function diagnosticLines(
  diagnostics: readonly Diagnostic[],
  style: DiagnosticStyle,
): readonly string[] {
  const remarks = ordered(diagnostics);
  const lines: string[] = [];
  for (const [index, remark] of remarks.entries()) {
    // A note about the very place has no need of another frame.
    const own = remark.flatMap((each, number) => linesOf(each, style, isSamePlace(each, remark[number - 1])));
    if (index > 0 && lines.length + own.length > style.rowsMax) {
      lines.push(style.colors.dim(`… ${count(remarks.length - index, 'more message')}`));
      break;
    }
    lines.push(...own);
  }
  return lines;
}

/** @returns such as `2 errors, 1 warning` */
export function countOf(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(isError).length;
  const warnings = diagnostics.filter(({ severity }) => severity === 'warning').length;
  return `${count(errors, 'error')}${warnings > 0 ? `, ${count(warnings, 'warning')}` : ''}`;
}

function isError({ severity }: Diagnostic): boolean {
  return severity === 'error' || severity === 'fatal error';
}

function ordered(diagnostics: readonly Diagnostic[]): readonly Remark[] {
  const remarks: [Diagnostic, ...Diagnostic[]][] = [];
  for (const diagnostic of diagnostics) {
    const before = remarks.at(-1);
    if (diagnostic.severity === 'note' && before !== undefined) before.push(diagnostic);
    else remarks.push([diagnostic]);
  }
  return [...remarks.filter(([first]) => isError(first)), ...remarks.filter(([first]) => !isError(first))];
}

function isSamePlace(a: Diagnostic, b: Diagnostic | undefined): boolean {
  return a.file === b?.file && a.line === b.line;
}

function linesOf(
  diagnostic: Diagnostic,
  { colors, cwd, columns }: DiagnosticStyle,
  isShown: boolean,
): readonly string[] {
  const { file, line, column, severity, text } = diagnostic;
  const place = [pathFrom(cwd, file), ...(line > 0 ? [line] : []), ...(column > 0 ? [column] : [])].join(':');
  const paint = isError(diagnostic) ? colors.red : severity === 'warning' ? colors.yellow : colors.cyan;
  const rows = isShown ? [] : codeFrame(diagnostic, columns);
  const frame = rows.map(({ gutter, text: source, kind }) => {
    if (kind === 'caret') return `${colors.dim(gutter)}${paint(source)}`;
    return kind === 'meant' ? `${paint(gutter)}${source}` : colors.dim(`${gutter}${source}`);
  });
  return [`${colors.bold(`${place}:`)} ${paint(`${severity}:`)} ${text}`, ...frame];
}
