/** The examples of the commands, which the help and the manual show: each is a command line that is understood. */
import { expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { parse } from '../../../src/cli/parse.ts';

/** Words as a shell splits them, up to where the command ends. */
function wordsOf(line: string): readonly string[] {
  const [, command = ''] = /napi-reload ((?:[^\s"'()|<>&;]+|"[^"]*"|'[^']*'| )*)/.exec(line) ?? [];
  return (command.match(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g) ?? []).map((word) => word.replaceAll(/["']/g, ''));
}

const examples = COMMANDS.flatMap((command) =>
  (command.examples ?? []).map(({ line }) => ({ line, command })),
);

test('every command has an example', () => {
  expect(COMMANDS.filter(({ examples: own = [] }) => own.length === 0)).toEqual([]);
});

test.each(examples)('$line', ({ line, command }) => {
  const [name, ...words] = wordsOf(line);
  expect(name).toBe(command.name);
  expect(parse(command, words)).toMatchObject({ kind: 'input' });
});
