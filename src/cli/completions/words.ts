/** What the scripts of all shells have in common. */
import type { Command, CommandOption, Completes } from '../command.ts';
import { operandsOf } from '../operands.ts';

/** An option as a shell sees it. */
export interface OptionWords {
  /** Such as `--output`. */
  readonly long: string;
  /** Such as `-o`. */
  readonly short: string | null;
  readonly summary: string;
  /** What its value may be; null when it takes none, empty when nothing is known of it. */
  readonly value: Completes | null;
  /** Whether it may be given again. */
  readonly again: boolean;
}

const HELP: OptionWords = { long: '--help', short: '-h', summary: 'print this', value: null, again: false };

/** @returns all options of a command, `--help` and what takes an option back among them */
export function optionWords({ options }: Command): readonly OptionWords[] {
  const words = Object.entries(options).flatMap(([name, option]): readonly OptionWords[] => {
    const own: OptionWords = {
      long: `--${name}`,
      short: option.short === undefined ? null : `-${option.short}`,
      summary: option.summary,
      value: valueWords(option),
      again: option.type === 'strings',
    };
    if (option.type !== 'boolean') return [own];
    return [own, { ...own, long: `--no-${name}`, short: null, summary: `not: ${option.summary}` }];
  });
  return [...words, HELP];
}

function valueWords(option: CommandOption): Completes | null {
  if (option.type === 'boolean') return null;
  if ('choices' in option && option.choices !== undefined) return option.choices;
  return option.completes ?? [];
}

/** @returns what the operands of a command may be, in their order; the last stands for all that follow */
export function operandWords(command: Command): readonly Completes[] {
  return operandsOf(command).map(({ completes }) => completes ?? []);
}

/** A text that a POSIX shell, or zsh, takes as it is. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
