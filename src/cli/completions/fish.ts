/** The script for fish. */
import type { Command, Completes } from '../command.ts';
import { isOpenEnded, operandsOf } from '../operands.ts';
import { type OptionWords, operandWords, optionWords } from './words.ts';

/** @returns a script for a file `napi-reload.fish` in a folder of completions */
export function fishScript(commands: readonly Command[]): string {
  const lines = [
    '# fish completion for napi-reload',
    'complete -c napi-reload -f',
    "complete -c napi-reload -n __fish_use_subcommand -s h -l help -d 'print the help'",
    "complete -c napi-reload -n __fish_use_subcommand -s v -l version -d 'print the version'",
    ...commands.flatMap((command) => [
      `complete -c napi-reload -n __fish_use_subcommand -a ${command.name} -d ${quoted(command.summary)}`,
      ...optionWords(command).map((option) => line(command, option)),
      ...operands(command),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

/** When it is this command's turn. */
function turnOf({ name }: Command): string {
  return `-n '__fish_seen_subcommand_from ${name}'`;
}

function line(command: Command, { long, short, summary, value }: OptionWords): string {
  return [
    'complete -c napi-reload',
    turnOf(command),
    ...(short === null ? [] : [`-s ${short.slice(1)}`]),
    `-l ${long.slice(2)}`,
    ...(value === null ? [] : ['-r', ...action(value)]),
    `-d ${quoted(summary)}`,
  ].join(' ');
}

/** fish does not count: where operands differ, all of what they may be is offered. */
function operands(command: Command): readonly string[] {
  const words = operandWords(command);
  const isForeign = command.operandsEndOptions === true && operandsOf(command).some(isOpenEnded);
  const kinds = [...words, ...(isForeign ? (['file'] as const) : [])];
  const actions = new Set(kinds.map((completes) => action(completes).join(' ')));
  return [...actions]
    .filter((one) => one !== '')
    .map((one) => `complete -c napi-reload ${turnOf(command)} ${one}`);
}

function action(completes: Completes): readonly string[] {
  if (completes === 'file') return ['-F'];
  if (completes === 'folder') return ['-f', `-a '(__fish_complete_directories)'`];
  if (typeof completes === 'string') return ['-k', `-a ${quoted(withSuffix(completes))}`];
  return completes.length === 0 ? [] : ['-f', `-a ${quoted(completes.join(' '))}`];
}

/** The files that end so, and folders; fish itself offers all others behind them. */
function withSuffix(suffix: string): string {
  return `(__fish_complete_suffix ${suffix} | string match --entire --regex '(/|${suffix.replace('.', '[.]')})(\\t|$)')`;
}

/** In fish a backslash stands for itself unless a quote or another one follows. */
function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}
