/** The manual is what the commands say of themselves. */
import { expect, test } from 'vitest';
import { type Command, command } from '../../../src/cli/command.ts';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { commandHelp } from '../../../src/cli/help.ts';
import { manual } from '../../../src/cli/manual.ts';
import { readDocument } from '../docs/markdown.ts';

/** It uses all that a command can say. */
const full: Command = command({
  name: 'watch',
  summary: 'look at a file | a folder',
  description: [
    'First. It has <tags> in it, and is long enough that the help has to go to the next line with it, once.',
  ],
  operands: [{ name: '<file>', summary: 'what to look at' }, '[more...]'],
  options: {
    all: { type: 'boolean', summary: 'leave nothing out', short: 'a' },
    every: { type: 'duration', summary: 'how often', short: 'e', default: '1s', section: 'Looking' },
    jobs: { type: 'number', summary: 'how many', section: 'Looking' },
    mode: { type: 'string', summary: 'how', choices: ['once', 'ever'] },
    out: { type: 'string', summary: 'where to', value: 'file' },
    skip: { type: 'strings', summary: 'what not' },
  },
  examples: [{ line: 'napi-reload watch a -- -b', summary: 'two files' }],
  exits: [['0', 'seen']],
  environment: [['NO_COLOR', 'no colours']],
  files: [['a.json', 'what was seen']],
  run: () => 0,
});

test('docs/commands.md is that of the commands there are', () => {
  expect(readDocument('docs/commands.md'), 'npm run documents writes it').toBe(manual(COMMANDS));
});

test('the manual has all that a command says', () => {
  const text = manual([full]);
  expect(text.slice(text.indexOf('## '))).toBe(`## napi-reload watch

Look at a file | a folder.

\`\`\`sh
napi-reload watch <file> [more...] [options]
\`\`\`

First. It has \\<tags> in it, and is long enough that the help has to go to the next line with it, once.

| argument | meaning |
|---|---|
| \`<file>\` | what to look at |

| Looking | meaning |
|---|---|
| \`-e, --every <time>\` | how often (default: 1s) |
| \`--jobs <number>\` | how many |

| option | meaning |
|---|---|
| \`-a, --all\` | leave nothing out |
| \`--mode <once\\|ever>\` | how |
| \`--out <file>\` | where to |
| \`--skip <value>...\` | what not |
| \`-h, --help\` | print this |

Two files:

\`\`\`sh
napi-reload watch a -- -b
\`\`\`

| exit code | meaning |
|---|---|
| \`0\` | seen |
| \`2\` | the command line cannot be understood |

| environment | meaning |
|---|---|
| \`NO_COLOR\` | no colours |

| file | meaning |
|---|---|
| \`a.json\` | what was seen |
`);
  expect(text).toContain('| [`watch`](#napi-reload-watch) | look at a file \\| a folder |');
});

test('the help has all that a command says', () => {
  expect(commandHelp(full).split('\n')).toEqual([
    'Usage: napi-reload watch <file> [more...] [options]',
    '',
    'Look at a file | a folder.',
    '',
    'First. It has <tags> in it, and is long enough that the help has to go to the next line with it,',
    'once.',
    '',
    'Arguments:',
    '  <file>  what to look at',
    '',
    'Looking:',
    '  -e, --every <time>  how often (default: 1s)',
    '  --jobs <number>     how many',
    '',
    'Options:',
    '  -a, --all           leave nothing out',
    '  --mode <once|ever>  how',
    '  --out <file>        where to',
    '  --skip <value>...   what not',
    '  -h, --help          print this',
    '',
    'Examples:',
    '  # two files',
    '  napi-reload watch a -- -b',
    '',
    'Exit codes:',
    '  0  seen',
    '  2  the command line cannot be understood',
    '',
    'Environment:',
    '  NO_COLOR  no colours',
    '',
    'Files:',
    '  a.json  what was seen',
  ]);
});
