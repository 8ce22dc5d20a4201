/** The scripts that `napi-reload completions` prints, in the shells that they are for. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Command, command } from '../../../src/cli/command.ts';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { bashScript } from '../../../src/cli/completions/bash.ts';
import { fishScript } from '../../../src/cli/completions/fish.ts';
import { zshScript } from '../../../src/cli/completions/zsh.ts';
import { run } from '../../../src/cli/run.ts';
import { createScratch, type Scratch } from '../../support/addons.ts';

/** Texts in them are not to break a script. */
const odd = `it's [odd]: "so" $HOME \`x\` \\`;
const commands: readonly Command[] = [
  command({
    name: 'doctor',
    summary: odd,
    operands: [{ name: '<file>', summary: 'which', completes: '.node' }],
    options: {
      json: { type: 'boolean', summary: odd, short: 'j' },
      format: { type: 'string', summary: odd, short: 'f', choices: ['text', 'lines'] },
      out: { type: 'string', summary: 'where to', completes: 'folder' },
      depth: { type: 'number', summary: 'how deep' },
    },
    run: () => 0,
  }),
  command({
    name: 'dev',
    summary: 'run',
    operands: [
      { name: '<script>', summary: 'which', completes: 'file' },
      { name: '[args...]', summary: 'for it', completes: ['alpha', 'beta'] },
    ],
    operandsEndOptions: true,
    options: { json: { type: 'boolean', summary: 'lines' } },
    run: () => 0,
  }),
  command({
    name: 'shell',
    summary: 'which',
    operands: [{ name: '<shell>', summary: 'which', completes: ['bash', 'zsh'] }, '[more]'],
    options: {},
    run: () => 0,
  }),
];

function project(): Scratch {
  const scratch = createScratch();
  for (const name of ['a b.node', 'app.js', 'build/c.node']) scratch.write(name, '');
  return scratch;
}

function has(shell: string): boolean {
  return spawnSync(shell, ['--version']).status === 0;
}

/** The words of a line, the last of which is being written, and what is offered for it. */
const CASES: readonly (readonly [line: readonly string[], offered: readonly string[]])[] = [
  [['do'], ['doctor']],
  [['d'], ['dev', 'doctor']],
  [
    ['doctor', ''],
    ['a b.node', 'build'],
  ],
  [['doctor', 'a'], ['a b.node']],
  [['doctor', '--j'], ['--json']],
  [['doctor', '--no'], ['--no-json']],
  [
    ['doctor', '--format', ''],
    ['lines', 'text'],
  ],
  [['doctor', '-f', 'l'], ['lines']],
  [['doctor', '--out', ''], ['build']],
  [['doctor', '--format', 'text', 'a'], ['a b.node']],
  [['dev', 'ap'], ['app.js']],
  [['dev', '--json', 'ap'], ['app.js']],
  [
    ['shell', ''],
    ['bash', 'zsh'],
  ],
  [['shell', 'z'], ['zsh']],
];

/** Files are offered with or without what is to follow them, and quoted or not. */
const plain = (lines: string): readonly string[] =>
  lines
    .split('\n')
    .map((line) => line.replace(/\\ /g, ' ').replace(/\/$/, ''))
    .filter((line) => line !== '')
    .toSorted();

describe('the script for bash', () => {
  /** Calls what bash calls when the key is pressed, with the words as readline takes them apart. */
  function offered(line: readonly string[], script: string, cwd: string): readonly string[] {
    const words = ['napi-reload', ...line].map((word) => `'${word}'`).join(' ');
    const call = `${script}
COMP_WORDS=(${words}); COMP_CWORD=${line.length}
_napi_reload; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', call], { cwd, encoding: 'utf8' });
    expect([stderr, status]).toEqual(['', 0]);
    return plain(stdout);
  }

  test.each([
    ...CASES,
    [
      ['doctor', '-'],
      ['--depth', '--format', '--help', '--json', '--no-json', '--out', '-f', '-h', '-j'],
    ],
    [['-'], ['--help', '--version']],
    [['doctor', '--depth', ''], []],
    // "--format=" and "--json=false" as readline takes them apart.
    [
      ['doctor', '--format', '='],
      ['lines', 'text'],
    ],
    [['doctor', '--format', '=', 't'], ['text']],
    [['doctor', '--format', '=', 'text', 'a'], ['a b.node']],
    [['doctor', '--json', '=', 'false', 'a'], ['a b.node']],
    [['doctor', 'x', ''], []],
    [['doctor', '--', 'a'], ['a b.node']],
    [['doctor', '--', '-'], []],
    [
      ['dev', 'app.js', ''],
      ['alpha', 'beta'],
    ],
    [['dev', 'app.js', 'x', 'a'], ['alpha']],
    [['dev', 'app.js', '--json', 'b'], ['beta']],
    [['dev', 'app.js', '-'], []],
    [['dev', '--', 'app.js', 'b'], ['beta']],
    [['unknown', ''], []],
    [['shell', 'zsh', ''], []],
  ] as typeof CASES)('offers for %j', (line, wanted) => {
    using scratch = project();
    expect(offered(line, bashScript(commands), scratch.path)).toEqual(wanted);
  });

  test('is what bash takes up for the program, by its name', () => {
    const listed = execFileSync(
      'bash',
      ['--norc', '-c', `${bashScript(COMMANDS)}\ncomplete -p napi-reload`],
      {
        encoding: 'utf8',
      },
    );
    expect(listed).toBe('complete -F _napi_reload napi-reload\n');
  });
});

describe.skipIf(!has('fish'))('the script for fish, where it is installed', () => {
  test.each([...CASES, [['doctor', '--dep'], ['--depth']]] as typeof CASES)(
    'offers for %j',
    (line, wanted) => {
      using scratch = project();
      const typed = ['napi-reload', ...line].join(' ');
      const call = `${fishScript(commands)}\ncomplete --do-complete ${JSON.stringify(typed)}`;
      const { stdout, stderr, status } = spawnSync('fish', ['--no-config', '-c', call], {
        cwd: scratch.path,
        encoding: 'utf8',
        env: { ...process.env, HOME: scratch.file('.home'), XDG_CONFIG_HOME: scratch.file('.home') },
      });
      expect([stderr, status]).toEqual(['', 0]);
      const words = plain(stdout)
        .map((row) => row.split('\t')[0] ?? '')
        .flatMap(plain);
      expect([...new Set(words)].toSorted()).toEqual(wanted);
    },
  );
});

describe.skipIf(!has('zsh'))('the script for zsh, where it is installed', () => {
  /** A zsh in a terminal of its own, in which the key is pressed; what it would add is told instead. */
  function offered(line: readonly string[], script: string, scratch: Scratch): readonly string[] {
    const file = scratch.write('.completion/script.zsh', script);
    const setUp = scratch.write(
      '.completion/set-up.zsh',
      `PS1=; PS2=; unsetopt zle_bracketed_paste; autoload -U compinit; compinit -u -D; source ${file}
zstyle ':completion:*' completer _complete
compadd() {
  builtin compadd "$@"
  [[ " $* " == *' -'[OAD]' '* ]] && return
  local -a found; builtin compadd -O found "$@"
  local one; for one in $found; do print -r -- "$one" >> ${scratch.file('.completion/out')}; done
}
pressed() { compstate[insert]=; compstate[list]= }
finish() { zle complete-word; print DONE; exit }
zle -C complete-word complete-word _main_complete; zle -N finish; bindkey '^X' finish; print READY
`,
    );
    const drive = `zmodload zsh/zpty; zpty z zsh -f -i
zpty -w z ${JSON.stringify(`source ${setUp}`)}; zpty -r z x '*READY*'
zpty -w -n z ${JSON.stringify(['napi-reload', ...line].join(' '))}$'\\C-x'; zpty -r z x '*DONE*'; zpty -d z`;
    const { stderr, status } = spawnSync('zsh', ['-f', '-c', drive], { cwd: scratch.path, encoding: 'utf8' });
    expect([stderr, status]).toEqual(['', 0]);
    const out = fs.existsSync(scratch.file('.completion/out'))
      ? fs.readFileSync(scratch.file('.completion/out'), 'utf8')
      : '';
    return [...new Set(plain(out))];
  }

  test.each(CASES)('offers for %j', (line, wanted) => {
    using scratch = project();
    expect(offered(line, zshScript(commands), scratch)).toEqual(wanted);
  });
});

describe('napi-reload completions', () => {
  test.each([
    ['bash', bashScript],
    ['zsh', zshScript],
    ['fish', fishScript],
  ])('prints the script for %s, with all commands', async (shell, script) => {
    const out: string[] = [];
    const terminal = { out: (text: string) => out.push(text), error: (text: string) => out.push(text) };
    expect(await run(['completions', shell], COMMANDS, terminal)).toBe(0);
    expect(`${out.join('\n')}\n`).toBe(script(COMMANDS));
    for (const { name } of COMMANDS) expect(out.join()).toContain(name);
  });

  test('prints scripts that their shells can read', () => {
    using scratch = createScratch();
    const scripts = { bash: bashScript(COMMANDS), zsh: zshScript(COMMANDS), fish: fishScript(COMMANDS) };
    for (const [shell, script] of Object.entries(scripts).filter(([name]) => has(name))) {
      const file = scratch.write(`script.${shell}`, script);
      const { status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
      expect([shell, status, stderr]).toEqual([shell, 0, '']);
    }
  });
});
