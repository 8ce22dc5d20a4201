/** What a command is. */

/** Where a command writes. Each call is a line. */
export interface Terminal {
  /** What was asked for. */
  out(text: string): void;
  /** Anything else, such as what went wrong. */
  error(text: string): void;
}

/** An option of a command, without a value or with one. */
export interface CommandOption {
  readonly type: 'boolean' | 'string';
  /** One line, for the help. */
  readonly summary: string;
}

export interface CommandInput {
  /** True, or the value, of each option that was given. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  /** What is left of the command line. */
  readonly operands: readonly string[];
  readonly terminal: Terminal;
}

export interface Command {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** Names of the operands, such as `<file>`, all of which have to be given, and no more. */
  readonly operands: readonly string[];
  readonly options: Readonly<Record<string, CommandOption>>;
  /** @returns the exit code */
  run(input: CommandInput): number | Promise<number>;
}

/** Exit code of a command line that cannot be understood. */
export const EXIT_USAGE = 2;
