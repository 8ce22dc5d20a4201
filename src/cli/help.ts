/** The texts of `--help`, made from the table that a command is. */
import type { Command, CommandOption, ValueOption } from './command.ts';
import { operandsOf } from './operands.ts';

const WIDTH = 100;
const OPTIONS = 'Options';

/** @returns what `napi-reload --help` prints */
export function programHelp(commands: readonly Command[]): string {
  return [
    'Usage: napi-reload <command> [options]',
    '',
    'Commands:',
    ...table(commands.map(({ name, summary }) => [name, summary])),
    '',
    'Options:',
    ...table(PROGRAM_OPTIONS),
    ...examplesOf(commands.flatMap(({ examples = [] }) => examples.slice(0, 1))),
  ].join('\n');
}

/** Those that are understood before a command. */
export const PROGRAM_OPTIONS: readonly (readonly [string, string])[] = [
  ['-h, --help', 'print this, or the help of a command'],
  ['-v, --version', 'print the version'],
];

/** @returns what `napi-reload <command> --help` prints */
export function commandHelp(command: Command): string {
  const operands = operandsOf(command).filter(({ summary }) => summary !== '');
  return [
    `Usage: ${synopsis(command)}`,
    '',
    `${sentence(command.summary)}.`,
    ...(command.description ?? []).flatMap((paragraph) => ['', ...wrap(paragraph, WIDTH)]),
    ...headed(
      'Arguments',
      operands.map(({ name, summary }) => [name, summary]),
    ),
    ...sectionsOf(command).flatMap(({ title, rows }) => headed(title, rows)),
    ...examplesOf(command.examples ?? []),
    ...headed('Exit codes', exitsOf(command)),
    ...headed('Environment', command.environment ?? []),
    ...headed('Files', command.files ?? []),
  ].join('\n');
}

/** @returns the whole line, such as `napi-reload dev [options] <script> [args...]` */
export function synopsis(command: Command): string {
  const operands = operandsOf(command).map(({ name }) => name);
  const words = command.operandsEndOptions === true ? ['[options]', ...operands] : [...operands, '[options]'];
  return ['napi-reload', command.name, ...words].join(' ');
}

export interface OptionSection {
  readonly title: string;
  readonly rows: readonly (readonly [option: string, summary: string])[];
}

/** @returns all options, `--help` among them, under their headings; those without one come last */
export function sectionsOf({ options }: Command): readonly OptionSection[] {
  const sections = new Map<string, (readonly [string, string])[]>();
  const plain: (readonly [string, string])[] = [];
  for (const [name, option] of Object.entries(options)) {
    const { section = OPTIONS, summary, default: value } = option;
    if (section !== OPTIONS && !sections.has(section)) sections.set(section, []);
    const said = value === undefined ? summary : `${summary} (default: ${value})`;
    (sections.get(section) ?? plain).push([spelling(name, option), said]);
  }
  plain.push(['-h, --help', 'print this']);
  return [...[...sections].map(([title, rows]) => ({ title, rows })), { title: OPTIONS, rows: plain }];
}

/** @returns such as `-d, --delay <time>` */
export function spelling(name: string, option: CommandOption): string {
  const long = `--${name}${option.type === 'boolean' ? '' : ` ${valueName(option)}`}`;
  const more = option.type === 'strings' ? '...' : '';
  return `${option.short === undefined ? '' : `-${option.short}, `}${long}${more}`;
}

function valueName(option: ValueOption): string {
  if (option.value !== undefined) return `<${option.value}>`;
  if (option.type === 'duration') return '<time>';
  if (option.type === 'number') return '<number>';
  return option.choices === undefined ? '<value>' : `<${option.choices.join('|')}>`;
}

/** @returns what each exit code means */
export function exitsOf({ exits }: Command): readonly (readonly [string, string])[] {
  const own = exits ?? [
    ['0', 'done'],
    ['1', 'it failed, and said why'],
  ];
  return [...own, ['2', 'the command line cannot be understood']];
}

function examplesOf(examples: NonNullable<Command['examples']>): readonly string[] {
  if (examples.length === 0) return [];
  return ['', 'Examples:', ...examples.flatMap(({ line, summary }) => [`  # ${summary}`, `  ${line}`])];
}

function headed(title: string, rows: readonly (readonly [string, string])[]): readonly string[] {
  return rows.length === 0 ? [] : ['', `${title}:`, ...table(rows)];
}

/** Widest first column; the text of a row that is wider begins on the next line. */
const LEFT_MAX = 34;

/** Rows of two columns, indented, within the width. */
function table(rows: readonly (readonly [string, string])[]): readonly string[] {
  const left = Math.max(...rows.map(([cell]) => cell.length).filter((length) => length <= LEFT_MAX), 0);
  const indent = ' '.repeat(left + 4);
  return rows.flatMap(([cell, text]) => {
    const [first = '', ...rest] = wrap(text, WIDTH - indent.length);
    const lines = rest.map((line) => indent + line);
    return cell.length > left
      ? [`  ${cell}`, indent + first, ...lines]
      : [`  ${cell.padEnd(left)}  ${first}`, ...lines];
  });
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

/** @returns the text with a capital letter */
export function sentence(text: string): string {
  return `${text[0]?.toUpperCase()}${text.slice(1)}`;
}
