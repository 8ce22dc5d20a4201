/** From a command line to the command that it names. */
import { isReloadError } from '../errors.ts';
import { type Command, type CommandInput, EXIT_FAILURE, EXIT_USAGE, type Terminal } from './command.ts';
import { commandHelp, programHelp } from './help.ts';
import { packageVersion } from './package-version.ts';
import { nearest } from '../nearest.ts';
import { parse } from './parse.ts';

const HELP = ['--help', '-h'];
const VERSION = ['--version', '-v'];

/**
 * Runs what a command line asks for.
 *
 * @param words the command line behind the program's own name
 * @returns the exit code: that of the command, 0 for help and version, 1 when the command throws a `ReloadError`, 2 for
 *   what cannot be understood
 */
export async function run(
  words: readonly string[],
  commands: readonly Command[],
  terminal: Terminal,
): Promise<number> {
  const [first, ...rest] = words;
  if (first === undefined) {
    terminal.error(programHelp(commands));
    return EXIT_USAGE;
  }
  if (HELP.includes(first)) {
    terminal.out(programHelp(commands));
    return 0;
  }
  if (VERSION.includes(first)) {
    terminal.out(packageVersion());
    return 0;
  }
  const command = commands.find(({ name }) => name === first);
  if (command !== undefined) return runCommand(command, rest, terminal);
  const known = [...commands.map(({ name }) => name), '--help', '--version'];
  return refuse(terminal, `Unknown command "${first}"`, nearest(first, known), 'napi-reload --help');
}

async function runCommand(command: Command, words: readonly string[], terminal: Terminal): Promise<number> {
  const parsed = parse(command, words);
  switch (parsed.kind) {
    case 'help':
      terminal.out(commandHelp(command));
      return 0;
    case 'refused':
      return refuse(terminal, parsed.found, parsed.meant, `napi-reload ${command.name} --help`);
    case 'input':
      return runParsed(command, { options: parsed.options, operands: parsed.operands, terminal });
  }
}

/** What a user can mend is told in a line; anything else is a defect, whose stack is of use. */
async function runParsed(command: Command, input: CommandInput): Promise<number> {
  try {
    return await command.run(input);
  } catch (error) {
    if (!isReloadError(error)) throw error;
    input.terminal.error(`${error.code}: ${error.message}`);
    return EXIT_FAILURE;
  }
}

function refuse(terminal: Terminal, found: string, meant: string | null, help: string): number {
  terminal.error(`${found}${meant === null ? '' : `; did you mean "${meant}"?`}\nSee ${help}`);
  return EXIT_USAGE;
}
