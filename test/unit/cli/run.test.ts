/** The command line: what is understood, and what is said of the rest. */
import { describe, expect, test } from 'vitest';
import { type Command, type CommandInput, EXIT_USAGE } from '../../../src/cli/command.ts';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { nearest } from '../../../src/cli/nearest.ts';
import { run } from '../../../src/cli/run.ts';
import { readDocument } from '../docs/markdown.ts';

interface Ran {
  readonly code: number;
  readonly out: readonly string[];
  readonly error: readonly string[];
}

async function ran(words: readonly string[], commands: readonly Command[] = COMMANDS): Promise<Ran> {
  const out: string[] = [];
  const error: string[] = [];
  const terminal = { out: (text: string) => out.push(text), error: (text: string) => error.push(text) };
  return { code: await run(words, commands, terminal), out, error };
}

/** A command with an option of each type, which tells what it got. */
function recording(inputs: Pick<CommandInput, 'options' | 'operands'>[]): readonly Command[] {
  return [
    {
      name: 'check',
      summary: 'look at a file',
      operands: ['<file>'],
      options: {
        json: { type: 'boolean', summary: 'for machines' },
        output: { type: 'string', summary: 'where to' },
      },
      run: async ({ options, operands }) => {
        inputs.push({ options: { ...options }, operands });
        return 7;
      },
    },
  ];
}

describe('napi-reload', () => {
  test.each(['--help', '-h'])('lists its commands for %s', async (word) => {
    const { code, out, error } = await ran([word]);
    expect([code, error]).toEqual([0, []]);
    const lines = out
      .join()
      .split('\n')
      .map((line) => line.trim().split(/ {2,}/));
    for (const { name, summary } of COMMANDS) expect(lines).toContainEqual([name, summary]);
  });

  test.each(['--version', '-v'])('prints the version of the package for %s', async (word) => {
    const { version } = JSON.parse(readDocument('package.json')) as { version: string };
    expect(await ran([word])).toEqual({ code: 0, out: [version], error: [] });
  });

  test('says how it is used, as an error, when nothing is asked for', async () => {
    const { code, out, error } = await ran([]);
    expect([code, out]).toEqual([EXIT_USAGE, []]);
    expect(error.join()).toMatch(/^Usage: napi-reload <command>/);
  });

  test.each([
    [['includ'], 'Unknown command "includ"; did you mean "include"?\nSee napi-reload --help'],
    [['--versoin'], 'Unknown command "--versoin"; did you mean "--version"?\nSee napi-reload --help'],
    [['entirely'], 'Unknown command "entirely"\nSee napi-reload --help'],
    [[''], 'Unknown command ""\nSee napi-reload --help'],
    [
      ['include', '--absolut'],
      'Unknown option "--absolut"; did you mean "--absolute"?\nSee napi-reload include --help',
    ],
    [['include', '-x'], 'Unknown option "-x"\nSee napi-reload include --help'],
    [['include', '--absolute=yes'], 'Option "--absolute" takes no value\nSee napi-reload include --help'],
    [['include', 'here'], 'Unknown argument "here"\nSee napi-reload include --help'],
    [['include', '--', '--help'], 'Unknown argument "--help"\nSee napi-reload include --help'],
  ])('refuses %j with exit code 2 and no output', async (words, message) => {
    expect(await ran(words)).toEqual({ code: EXIT_USAGE, out: [], error: [message] });
  });
});

describe('a command', () => {
  test('gets its options and operands, and its exit code is that of the program', async () => {
    const inputs: Pick<CommandInput, 'options' | 'operands'>[] = [];
    const commands = recording(inputs);
    expect((await ran(['check', '--json', '--output', 'here', 'a.node'], commands)).code).toBe(7);
    expect((await ran(['check', '--output=there', '--', '--json'], commands)).code).toBe(7);
    expect(inputs).toEqual([
      { options: { json: true, output: 'here' }, operands: ['a.node'] },
      { options: { output: 'there' }, operands: ['--json'] },
    ]);
  });

  test.each([
    [['check', '--output'], 'Option "--output" needs a value'],
    [['check', 'a', 'b'], 'Unknown argument "b"'],
    [['check', '--json'], 'Argument <file> is missing'],
  ])('does not run for %j', async (words, message) => {
    const inputs: Pick<CommandInput, 'options' | 'operands'>[] = [];
    const { code, error } = await ran(words, recording(inputs));
    expect([code, error]).toEqual([EXIT_USAGE, [`${message}\nSee napi-reload check --help`]]);
    expect(inputs).toEqual([]);
  });

  test.each(['--help', '-h'])('has a help of its own for %s, and does not run', async (word) => {
    const inputs: Pick<CommandInput, 'options' | 'operands'>[] = [];
    const { code, out } = await ran(['check', 'a.node', word], recording(inputs));
    expect([code, inputs]).toEqual([0, []]);
    expect(out.join().split('\n')).toEqual([
      'Usage: napi-reload check <file> [options]',
      '',
      'Look at a file.',
      '',
      'Options:',
      '  --json            for machines',
      '  --output <value>  where to',
      '  -h, --help        print this',
    ]);
  });
});

describe('nearest', () => {
  const names = ['include', 'doctor', 'dev'];

  test.each([
    ['include', 'include'],
    ['inclde', 'include'],
    ['doktor', 'doctor'],
    ['dve', null],
    ['de', 'dev'],
    ['x', null],
    ['', null],
    ['includeincludeinclude', null],
  ])('takes "%s" for %s', (word, meant) => {
    expect(nearest(word, names)).toBe(meant);
  });

  test('has nothing to offer out of nothing, and the first of equals', () => {
    expect(nearest('a', [])).toBeNull();
    expect(nearest('cat', ['bat', 'hat'])).toBe('bat');
  });
});
