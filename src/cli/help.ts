/** The texts of `--help`. */
import type { Command } from './command.ts';

/** @returns what `napi-reload --help` prints */
export function programHelp(commands: readonly Command[]): string {
  return [
    'Usage: napi-reload <command> [options]',
    '',
    'Commands:',
    ...table(commands.map(({ name, summary }) => [name, summary])),
    '',
    'Options:',
    ...table([
      ['-h, --help', 'print this, or the help of a command'],
      ['-v, --version', 'print the version'],
    ]),
  ].join('\n');
}

/** @returns what `napi-reload <command> --help` prints */
export function commandHelp({ name, summary, operands, options }: Command): string {
  const rows = Object.entries(options).map(([option, { type, summary: said }]): [string, string] => [
    `--${option}${type === 'string' ? ' <value>' : ''}`,
    said,
  ]);
  return [
    ['Usage: napi-reload', name, ...operands, '[options]'].join(' '),
    '',
    `${summary[0]?.toUpperCase()}${summary.slice(1)}.`,
    '',
    'Options:',
    ...table([...rows, ['-h, --help', 'print this']]),
  ].join('\n');
}

/** Rows of two columns, indented. */
function table(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
