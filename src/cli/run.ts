/** From a command line to the command that it names. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Command, EXIT_USAGE, type Terminal } from './command.ts';
import { commandHelp, programHelp } from './help.ts';
import { nearest } from './nearest.ts';

const HELP = ['--help', '-h'];
const VERSION = ['--version', '-v'];

/**
 * Runs what a command line asks for.
 *
 * @param words the command line behind the program's own name
 * @returns the exit code: that of the command, 0 for help and version, 2 for what cannot be understood
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

function runCommand(
  command: Command,
  words: readonly string[],
  terminal: Terminal,
): number | Promise<number> {
  const help = `napi-reload ${command.name} --help`;
  const { values, positionals, tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(Object.entries(command.options).map(([name, { type }]) => [name, { type }])),
    strict: false,
    tokens: true,
  });
  const given = tokens.filter((token) => token.kind === 'option');
  if (given.some(({ rawName }) => HELP.includes(rawName))) {
    terminal.out(commandHelp(command));
    return 0;
  }
  for (const token of given) {
    const option = command.options[token.name];
    if (option === undefined) {
      const known = Object.keys(command.options).map((name) => `--${name}`);
      return refuse(terminal, `Unknown option "${token.rawName}"`, nearest(token.rawName, known), help);
    }
    const wantsValue = option.type === 'string';
    if (wantsValue !== (token.value !== undefined)) {
      const wrong = wantsValue ? 'needs a value' : 'takes no value';
      return refuse(terminal, `Option "${token.rawName}" ${wrong}`, null, help);
    }
  }
  const surplus = positionals[command.operands.length];
  if (surplus !== undefined) return refuse(terminal, `Unknown argument "${surplus}"`, null, help);
  const missing = command.operands.find((_, index) => !positionals[index]);
  if (missing !== undefined) return refuse(terminal, `Argument ${missing} is missing`, null, help);
  return command.run({ options: values, operands: positionals, terminal });
}

function refuse(terminal: Terminal, found: string, meant: string | null, help: string): number {
  terminal.error(`${found}${meant === null ? '' : `; did you mean "${meant}"?`}\nSee ${help}`);
  return EXIT_USAGE;
}

function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
