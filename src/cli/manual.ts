/** The manual of the program, `docs/commands.md`: made from the table that each command is, by `npm run documents`. */
import type { Command } from './command.ts';
import { exitsOf, PROGRAM_OPTIONS, sectionsOf, sentence, synopsis } from './help.ts';
import { operandsOf } from './operands.ts';

type Rows = readonly (readonly [string, string])[];

/** @returns Markdown: an overview, then each command in the parts of a manual page */
export function manual(commands: readonly Command[]): string {
  const names = commands.map(({ name, summary }): [string, string] => [
    `[\`${name}\`](#napi-reload-${name})`,
    inCell(summary),
  ]);
  const lines = [
    '# Command reference',
    '',
    'This page is made from the commands themselves: `npm run documents` writes it.',
    '',
    ...code('napi-reload <command> [options]\nnapi-reload --help\nnapi-reload --version'),
    '',
    ...table(['command', 'does'], names),
    '',
    'Options can be written `--option value` or `--option=value`. One without a value is taken back by `--no-option` or',
    '`--option=false`, and the last of several counts. Times are in milliseconds, or have a unit: `200`, `200ms`, `1.5s`, `2m`.',
    'Behind `--` all words are arguments.',
    '',
    ...table(['option', 'does'], quoted(PROGRAM_OPTIONS)),
    ...commands.flatMap((command) => ['', ...page(command)]),
  ];
  return `${lines.join('\n')}\n`;
}

function page(command: Command): readonly string[] {
  const operands = operandsOf(command).filter(({ summary }) => summary !== '');
  return [
    `## napi-reload ${command.name}`,
    '',
    inText(`${sentence(command.summary)}.`),
    '',
    ...code(synopsis(command)),
    ...(command.description ?? []).flatMap((paragraph) => ['', inText(paragraph)]),
    ...part(
      'argument',
      operands.map(({ name, summary }) => [name, summary]),
    ),
    ...sectionsOf(command).flatMap(({ title, rows }) => part(title === 'Options' ? 'option' : title, rows)),
    ...(command.examples ?? []).flatMap(({ line, summary }) => [
      '',
      inText(`${sentence(summary)}:`),
      '',
      ...code(line),
    ]),
    ...part('exit code', exitsOf(command)),
    ...part('environment', command.environment ?? []),
    ...part('file', command.files ?? []),
  ];
}

function part(title: string, rows: Rows): readonly string[] {
  return rows.length === 0 ? [] : ['', ...table([title, 'meaning'], quoted(rows))];
}

function quoted(rows: Rows): Rows {
  return rows.map(([left, right]) => [inCell(`\`${left}\``), inCell(right)]);
}

function table(head: readonly [string, string], rows: Rows): readonly string[] {
  return [`| ${head.join(' | ')} |`, '|---|---|', ...rows.map((row) => `| ${row.join(' | ')} |`)];
}

function code(text: string): readonly string[] {
  return ['```sh', text, '```'];
}

function inCell(text: string): string {
  return inText(text).replaceAll('|', '\\|');
}

/** What looks like a tag would vanish outside of code. */
function inText(text: string): string {
  const parts = text.split(/(`[^`]*`)/);
  return parts
    .map((part, index) => (index % 2 === 1 ? part : part.replaceAll(/<(?=[a-z/!])/g, '\\<')))
    .join('');
}
