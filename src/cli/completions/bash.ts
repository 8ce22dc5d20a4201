/** The script for bash, from 4.0 on. It needs nothing beside bash itself. */
import type { Command, Completes } from '../command.ts';
import { isOpenEnded, operandsOf } from '../operands.ts';
import { type OptionWords, operandWords, optionWords, quoted } from './words.ts';

/** @returns a script to be sourced */
export function bashScript(commands: readonly Command[]): string {
  const names = [...commands.map(({ name }) => name), '--help', '--version'];
  return `# bash completion for napi-reload
_napi_reload_offer() {
  mapfile -t COMPREPLY < <("$@" -- "$cur")
}

_napi_reload_files() {
  compopt -o filenames 2>/dev/null
  if [[ -n $1 ]]; then
    mapfile -t COMPREPLY < <(compgen -f -X "!*$1" -- "$cur"; compgen -d -- "$cur")
  else
    _napi_reload_offer compgen -f
  fi
}

_napi_reload() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} word count=0 skip='' ended=''
  COMPREPLY=()
  # "--option=value" comes as three words.
  if [[ $cur == '=' ]]; then
    cur=''
  elif [[ $prev == '=' ]]; then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if ((COMP_CWORD == 1)); then
    _napi_reload_offer compgen -W ${quoted(names.join(' '))}
    return
  fi
  case \${COMP_WORDS[1]} in
${commands.map(branch).join('\n')}
  esac
}

complete -F _napi_reload napi-reload
`;
}

function branch(command: Command): string {
  const options = optionWords(command);
  const valued = options.filter(({ value }) => value !== null);
  const flags = valued.flatMap(namesOf);
  const values = valued.map(
    (option) => `        ${namesOf(option).join(' | ')}) ${offer(option.value ?? [])}; return ;;`,
  );
  const ends = command.operandsEndOptions === true;
  return `    ${command.name})
      for word in "\${COMP_WORDS[@]:2:COMP_CWORD-2}"; do
        if [[ -n $skip ]]; then
          [[ $word == '=' ]] && continue
          skip=''
          continue
        fi
        if [[ $word == '=' ]]; then
          skip=1
        elif [[ -z $ended && $word == -- ]]; then
          ended=1
        elif [[ -z $ended && $word == -* ]]; then
${flags.length === 0 ? '          :' : `          case $word in ${flags.join(' | ')}) skip=1 ;; esac`}
        else
          count=$((count + 1))${ends ? '\n          ended=1' : ''}
        fi
      done
${
  values.length === 0
    ? ''
    : `      [[ -z $ended ]] && case $prev in
${values.join('\n')}
      esac
`
}      if [[ -z $ended && $cur == -* ]]; then
        _napi_reload_offer compgen -W ${quoted(options.flatMap(namesOf).join(' '))}
        return
      fi
      case $count in
${operands(command)}
      esac
      ;;`;
}

function operands(command: Command): string {
  const words = operandWords(command);
  const last = operandsOf(command).at(-1);
  const branches = words.map((completes, index) => {
    const isRest = index === words.length - 1 && last !== undefined && isOpenEnded(last);
    return `        ${isRest ? '*' : index}) ${offer(completes)} ;;`;
  });
  return branches.length === 0 ? '        *) ;;' : branches.join('\n');
}

function namesOf({ long, short }: OptionWords): readonly string[] {
  return short === null ? [long] : [short, long];
}

function offer(completes: Completes): string {
  if (completes === 'file') return '_napi_reload_files';
  if (completes === 'folder') return 'compopt -o filenames 2>/dev/null; _napi_reload_offer compgen -d';
  if (typeof completes === 'string') return `_napi_reload_files ${quoted(completes)}`;
  return completes.length === 0 ? ':' : `_napi_reload_offer compgen -W ${quoted(completes.join(' '))}`;
}
