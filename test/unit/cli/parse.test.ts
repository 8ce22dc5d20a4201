/** What the words behind a command's name mean, and what is said of those that mean nothing. */
import { describe, expect, test } from 'vitest';
import { type Command, command } from '../../../src/cli/command.ts';
import { parse } from '../../../src/cli/parse.ts';

const check: Command = command({
  name: 'check',
  summary: 'look at files',
  operands: ['<file>', '[more...]'],
  options: {
    json: { type: 'boolean', summary: 'for machines', short: 'j' },
    quiet: { type: 'boolean', summary: 'say less', short: 'q' },
    'no-color': { type: 'boolean', summary: 'plain text' },
    output: { type: 'string', summary: 'where to', short: 'o' },
    format: { type: 'string', summary: 'how', choices: ['text', 'lines'] },
    define: { type: 'strings', summary: 'what else', short: 'D' },
    jobs: { type: 'number', summary: 'how many', min: 1, max: 8 },
    delay: { type: 'duration', summary: 'how long' },
  },
  run: () => 0,
});

/** Everything behind the script belongs to the script. */
const dev: Command = command({
  ...check,
  name: 'dev',
  operands: ['[script]', '[args...]'],
  operandsEndOptions: true,
});

function input(words: readonly string[], of: Command = check) {
  const parsed = parse(of, words);
  if (parsed.kind !== 'input') throw new Error(JSON.stringify(parsed));
  return [parsed.options, parsed.operands];
}

describe('an option', () => {
  test.each<[string[], object]>([
    [['--json'], { json: true }],
    [['-j'], { json: true }],
    [['-jq'], { json: true, quiet: true }],
    [['--json=true'], { json: true }],
    [['--json=false'], { json: false }],
    [['--no-json'], { json: false }],
    [['--json', '--no-json'], { json: false }],
    [['--no-json', '--json'], { json: true }],
    [['--no-color'], { 'no-color': true }],
    [['--output', 'here'], { output: 'here' }],
    [['--output=here'], { output: 'here' }],
    [['--output='], { output: '' }],
    [['--output=a=b'], { output: 'a=b' }],
    [['--output=--json'], { output: '--json' }],
    [['--output', '-'], { output: '-' }],
    [['-o', 'here'], { output: 'here' }],
    [['-ohere'], { output: 'here' }],
    [['-jo', 'here'], { json: true, output: 'here' }],
    [['--format', 'lines'], { format: 'lines' }],
    [['--define', 'a', '-D', 'b', '--define=c'], { define: ['a', 'b', 'c'] }],
    [['--jobs', '8'], { jobs: 8 }],
    [['--delay', '200'], { delay: 200 }],
    [['--delay=0'], { delay: 0 }],
    [['--delay', '200ms'], { delay: 200 }],
    [['--delay', '1.5s'], { delay: 1500 }],
    [['--delay', '2m'], { delay: 120_000 }],
  ])('is read from %j', (words, options) => {
    expect(input([...words, 'a.node'])).toEqual([options, ['a.node']]);
    expect(input(['a.node', ...words])).toEqual([options, ['a.node']]);
  });

  test.each([
    [['--jsn'], 'Unknown option "--jsn"', '--json'],
    [['--no-jsn'], 'Unknown option "--no-jsn"', '--no-json'],
    [['--no-output'], 'Unknown option "--no-output"', '--output'],
    [['--toString'], 'Unknown option "--toString"', null],
    [['--no-toString'], 'Unknown option "--no-toString"', null],
    [['-x'], 'Unknown option "-x"', null],
    [['--no-json=true'], 'Option "--no-json" takes no value', null],
    [['--json=1'], 'Option "--json" takes no value, or "true" or "false", not "1"', null],
    [['--output'], 'Option "--output" needs a value', null],
    [['-o'], 'Option "-o" needs a value', null],
    [
      ['--output', '--json'],
      'Option "--output" needs a value; if "--json" is it, write --output=--json',
      null,
    ],
    [['-o', '-j'], 'Option "-o" needs a value; if "-j" is it, write --output=-j', null],
    [['--format', 'line'], 'Option "--format" wants "text" or "lines", not "line"', 'lines'],
    [['--jobs', '0'], 'Option "--jobs" wants a whole number from 1 to 8, not "0"', null],
    [['--jobs=1.5'], 'Option "--jobs" wants a whole number from 1 to 8, not "1.5"', null],
    [
      ['--delay', '1h'],
      'Option "--delay" wants a time from 0 ms, such as 200, 200ms, 1.5s or 2m, not "1h"',
      null,
    ],
    [['--delay='], 'Option "--delay" wants a time from 0 ms, such as 200, 200ms, 1.5s or 2m, not ""', null],
  ])('is refused in %j', (words, found, meant) => {
    expect(parse(check, words)).toEqual({ kind: 'refused', found, meant });
  });

  test('of time is not longer than a timer of Node.js takes', () => {
    expect(input(['a', '--delay', `${2 ** 31 - 1}`])).toEqual([{ delay: 2 ** 31 - 1 }, ['a']]);
    for (const value of [`${2 ** 31}`, '35792m', '9'.repeat(400)]) {
      expect(parse(check, ['a', '--delay', value])).toMatchObject({ kind: 'refused' });
    }
  });
});

describe('operands', () => {
  test.each<[string[], string[]]>([
    [['a'], ['a']],
    [
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ],
    [
      ['a', '--', '--json', '-x', '--help'],
      ['a', '--json', '-x', '--help'],
    ],
    [['-'], ['-']],
  ])('are read from %j', (words, operands) => {
    expect(input(words)).toEqual([{}, operands]);
  });

  test('that must be given are asked for by name', () => {
    expect(parse(check, ['--json'])).toEqual({
      kind: 'refused',
      found: 'Missing argument <file>',
      meant: null,
    });
  });

  test('with words of their own refuse others, and know the nearest', () => {
    const shells = {
      ...check,
      operands: [{ name: '<shell>', summary: 'which', completes: ['bash', 'zsh'] }],
    };
    expect(input(['zsh'], shells)).toEqual([{}, ['zsh']]);
    expect(parse(shells, ['bsh'])).toEqual({
      kind: 'refused',
      found: '<shell> is "bash" or "zsh", not "bsh"',
      meant: 'bash',
    });
  });
});

describe('operands that end the options', () => {
  test.each<[string[], object, string[]]>([
    [['app.js'], {}, ['app.js']],
    [['--json', 'app.js', '--port', '80', '-x'], { json: true }, ['app.js', '--port', '80', '-x']],
    [['app.js', '--json', '--help'], {}, ['app.js', '--json', '--help']],
    [['app.js', '--', '--port'], {}, ['app.js', '--', '--port']],
    [['-o', 'here', '--', 'app.js', '--', '-x'], { output: 'here' }, ['app.js', '--', '-x']],
    [['--', '--odd.js'], {}, ['--odd.js']],
    [['--json', '--'], { json: true }, []],
    [[], {}, []],
    // What follows could be taken for values of options that are not ours.
    [
      ['--json', 'app.js', '--output', '--', '--json'],
      { json: true },
      ['app.js', '--output', '--', '--json'],
    ],
  ])('take the rest of %j as it is', (words, options, operands) => {
    expect(input(words, dev)).toEqual([options, operands]);
  });

  test('leave a wish for help before them to the command, and one behind them to the script', () => {
    expect(parse(dev, ['--json', '-h', 'app.js'])).toEqual({ kind: 'help' });
    expect(input(['app.js', '-h'], dev)).toEqual([{}, ['app.js', '-h']]);
  });
});
