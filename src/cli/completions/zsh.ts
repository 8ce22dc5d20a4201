/** The script for zsh: to be evaluated behind compinit, or a file `_napi-reload` in a folder of fpath. */
import type { Command, Completes } from '../command.ts';
import { isOpenEnded, operandsOf } from '../operands.ts';
import { type OptionWords, operandWords, optionWords, quoted } from './words.ts';

/** @returns a script to be evaluated, or autoloaded */
export function zshScript(commands: readonly Command[]): string {
  const described = commands.map(({ name, summary }) => `      ${quoted(`${name}:${summary}`)}`);
  return `#compdef napi-reload
_napi-reload() {
  local curcontext="$curcontext" state line
  local -a commands
  _arguments -C \\
    '(- *)'{-h,--help}'[print the help]' \\
    '(- *)'{-v,--version}'[print the version]' \\
    '1:command:->command' \\
    '*::argument:->argument' && return
  case $state in
    command)
      commands=(
${described.join('\n')}
      )
      _describe command commands
      ;;
    argument)
      case $words[1] in
${commands.map(branch).join('\n')}
      esac
      ;;
  esac
}

if [[ $funcstack[1] == _napi-reload ]]; then
  _napi-reload "$@"
else
  compdef _napi-reload napi-reload
fi
`;
}

function branch(command: Command): string {
  const specs = [...optionWords(command).flatMap(optionSpecs), ...operandSpecs(command)].map(quoted);
  // With -S, and with operands that end the options, a word behind them is no option of ours.
  const flags = command.operandsEndOptions === true ? `-S -A '-*'` : '-S';
  return `        ${command.name}) _arguments ${flags} ${specs.map((spec) => `\\\n          ${spec}`).join(' ')} ;;`;
}

function optionSpecs({ long, short, summary, value, again }: OptionWords): readonly string[] {
  const names = short === null ? [long] : [short, long];
  const others = again ? '*' : `(${names.join(' ')})`;
  const said = `[${summary.replace(/[[\]\\]/g, '\\$&')}]`;
  return names.map((name) => {
    if (value === null) return `${others}${name}${said}`;
    return `${others}${name}${name === long ? '=' : '+'}${said}:value:${action(value)}`;
  });
}

function operandSpecs(command: Command): readonly string[] {
  const words = operandWords(command);
  return operandsOf(command).map((operand, index) => {
    const name = operand.name.replace(/[<>[\].…:]/g, '');
    return `${isOpenEnded(operand) ? '*' : index + 1}:${name}:${action(words[index] ?? [])}`;
  });
}

function action(completes: Completes): string {
  if (completes === 'file') return '_files';
  if (completes === 'folder') return '_files -/';
  if (typeof completes === 'string') return `_files -g "*${completes}"`;
  return completes.length === 0 ? ' ' : `(${completes.join(' ')})`;
}
