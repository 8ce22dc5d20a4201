/** What a command is: the one table from which its parsing, help, manual and completions are made. */

/** Where a command writes. Each call is a line. */
export interface Terminal {
  /** What was asked for. */
  out(text: string): void;
  /** Anything else, such as what went wrong. */
  error(text: string): void;
}

/** What a shell offers for a value: paths, or these words. A string is the end of a file's name, such as `.node`. */
export type Completes = 'file' | 'folder' | `.${string}` | readonly string[];

interface OptionTexts {
  /** One line, for the help. */
  readonly summary: string;
  /** One letter, for `-x`. */
  readonly short?: string;
  /** Heading under which the help has it. @defaultValue 'Options' */
  readonly section?: string;
  /** What is taken where it is not given, for the help. */
  readonly default?: string;
}

interface ValueTexts extends OptionTexts {
  /** What the help calls the value, such as `file`. @defaultValue by the type */
  readonly value?: string;
  readonly completes?: Completes;
}

/** True or false: `--json`, `--no-json`, `--json=false`. */
export interface BooleanOption extends OptionTexts {
  readonly type: 'boolean';
}

interface TextTexts extends ValueTexts {
  /** The only values that are taken. */
  readonly choices?: readonly string[];
}

/** `--output file` or `--output=file` */
export interface StringOption extends TextTexts {
  readonly type: 'string';
}

/** The same, and it may be given more than once. */
export interface StringsOption extends TextTexts {
  readonly type: 'strings';
}

interface NumericTexts extends ValueTexts {
  /** @defaultValue 0 */
  readonly min?: number;
  /** @defaultValue the largest whole number; of times, the longest that a timer takes: 24 days */
  readonly max?: number;
}

/** A whole number. */
export interface NumberOption extends NumericTexts {
  readonly type: 'number';
}

/** A time: `200`, `200ms`, `1.5s` or `2m`, which the command gets in milliseconds. */
export interface DurationOption extends NumericTexts {
  readonly type: 'duration';
}

export type ValueOption = StringOption | StringsOption | NumberOption | DurationOption;
export type CommandOption = BooleanOption | ValueOption;
export type CommandOptions = Readonly<Record<string, CommandOption>>;

interface ValueByType {
  readonly boolean: boolean;
  readonly string: string;
  readonly strings: readonly string[];
  readonly number: number;
  /** Milliseconds. */
  readonly duration: number;
}

/** The value of each option that was given. */
export type OptionValues<O extends CommandOptions> = {
  readonly [Name in keyof O]?: ValueByType[O[Name]['type']] | undefined;
};

/** `<file>` must be given, `[file]` may be; with `...` behind the name, as in `[args...]`, any number of them. */
export interface Operand {
  readonly name: string;
  /** One line, for the help. */
  readonly summary: string;
  readonly completes?: Completes;
}

export interface CommandInput<O extends CommandOptions = CommandOptions> {
  readonly options: OptionValues<O>;
  /** What is left of the command line, in its order. */
  readonly operands: readonly string[];
  readonly terminal: Terminal;
}

export interface CommandExample {
  /** The whole line, such as `napi-reload include`. */
  readonly line: string;
  /** What it does. */
  readonly summary: string;
}

export interface Command<O extends CommandOptions = CommandOptions> {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** Paragraphs, for the help: what is not said by the summary. */
  readonly description?: readonly string[];
  /** In their order; only the last may be open-ended. A string is one of which the help says no more than the name. */
  readonly operands: readonly (string | Operand)[];
  /** From the first operand on, all words are operands, such as options of a script: `dev app.js --port 80`. */
  readonly operandsEndOptions?: boolean;
  readonly options: O;
  readonly examples?: readonly CommandExample[];
  /** What exit codes mean, besides 2, of a command line that is not understood. @defaultValue 0 and 1 */
  readonly exits?: readonly (readonly [code: string, meaning: string])[];
  /** Variables of the environment that it heeds. */
  readonly environment?: readonly (readonly [name: string, meaning: string])[];
  /** Files that it reads or writes. */
  readonly files?: readonly (readonly [path: string, meaning: string])[];
  /** @returns the exit code */
  run(input: CommandInput<O>): number | Promise<number>;
}

/**
 * A command whose `run` knows the types of its options' values.
 *
 * @example
 * ```ts
 * export const countCommand: Command = command({
 *   name: 'count',
 *   summary: 'count to a number',
 *   operands: [],
 *   options: { to: { type: 'number', summary: 'where to stop', short: 't' } },
 *   run: ({ options: { to = 10 }, terminal }) => {
 *     for (let n = 1; n <= to; n++) terminal.out(`${n}`);
 *     return 0;
 *   },
 * });
 * ```
 */
export function command<const O extends CommandOptions>(definition: Command<O>): Command<O> {
  return definition;
}

/** Exit code of a command that failed. */
export const EXIT_FAILURE = 1;
/** Exit code of a command line that cannot be understood. */
export const EXIT_USAGE = 2;
