/** `napi-reload completions`: scripts that teach a shell the commands, made from their tables. */
import { bashScript } from './completions/bash.ts';
import { fishScript } from './completions/fish.ts';
import { zshScript } from './completions/zsh.ts';
import { type Command, command } from './command.ts';

type Script = (commands: readonly Command[]) => string;

const SCRIPTS: ReadonlyMap<string, Script> = new Map([
  ['bash', bashScript],
  ['zsh', zshScript],
  ['fish', fishScript],
]);

/** @param commands all of them, this one too, asked for when it runs */
export function completionsCommand(commands: () => readonly Command[]): Command {
  return command({
    name: 'completions',
    summary: 'print a script that completes commands, options and files in a shell',
    operands: [{ name: '<shell>', summary: 'bash, zsh or fish', completes: [...SCRIPTS.keys()] }],
    options: {},
    examples: [
      {
        line: 'napi-reload completions bash > ~/.local/share/bash-completion/completions/napi-reload',
        summary: 'for bash, from its next start on (with the package bash-completion)',
      },
      { line: 'eval "$(napi-reload completions zsh)"', summary: 'for zsh, in ~/.zshrc, behind compinit' },
      {
        line: 'napi-reload completions fish > ~/.config/fish/completions/napi-reload.fish',
        summary: 'for fish, from its next start on',
      },
    ],
    exits: [['0', 'printed']],
    run({ operands: [shell = ''], terminal }) {
      terminal.out(SCRIPTS.get(shell)?.(commands()).trimEnd() ?? '');
      return 0;
    },
  });
}
