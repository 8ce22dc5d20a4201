/** From the words behind a command's name to what the command gets. */
import { parseArgs } from 'node:util';
import type { Command, CommandInput, CommandOption, ValueOption } from './command.ts';
import { nearest } from '../nearest.ts';
import { isOpenEnded, isRequired, operandsOf } from './operands.ts';
import { readNumber } from './values.ts';

export type Parsed =
  | ({ readonly kind: 'input' } & Omit<CommandInput, 'terminal'>)
  | { readonly kind: 'help' }
  | { readonly kind: 'refused'; readonly found: string; readonly meant: string | null };

type Value = string | boolean | number | readonly string[];

class Refusal extends Error {
  readonly meant: string | null;

  constructor(found: string, meant: string | null = null) {
    super(found);
    this.meant = meant;
  }
}

/** The first of what is wrong is told. A wish for help goes before all of it. */
export function parse(command: Command, words: readonly string[]): Parsed {
  const { given, operands } = split(command, words);
  if (given.some(({ name, rawName }) => name === 'help' || rawName === '-h')) return { kind: 'help' };
  try {
    const values: Record<string, Value> = {};
    for (const word of given) take(command, word, values);
    checkOperands(command, operands);
    return { kind: 'input', options: values, operands };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { kind: 'refused', found: error.message, meant: error.meant };
  }
}

interface Given {
  readonly name: string;
  /** As it was written: `--name` or `-n`. */
  readonly rawName: string;
  readonly value: string | undefined;
  /** Whether the value was in the same word, behind `=`. */
  readonly inlineValue: boolean | undefined;
}

function split(
  command: Command,
  words: readonly string[],
): { readonly given: readonly Given[]; readonly operands: readonly string[] } {
  const options = Object.entries(command.options).map(([name, { type, short }]) => [
    name,
    { type: type === 'boolean' ? 'boolean' : 'string', ...(short === undefined ? {} : { short }) } as const,
  ]);
  const { tokens } = parseArgs({
    args: [...words],
    options: { ...Object.fromEntries(options), help: { type: 'boolean', short: 'h' } },
    strict: false,
    tokens: true,
  });
  // Words are read from left to right: those before the first operand mean the same whatever follows it.
  const first = tokens.find(({ kind }) => kind === 'positional');
  const terminator = tokens.find(({ kind }) => kind === 'option-terminator');
  const end =
    command.operandsEndOptions === true
      ? Math.min(first?.index ?? words.length, terminator?.index ?? words.length)
      : words.length;
  const given = tokens.flatMap((token) => (token.kind === 'option' && token.index < end ? [token] : []));
  if (command.operandsEndOptions !== true) {
    return { given, operands: tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : [])) };
  }
  return { given, operands: words.slice(terminator?.index === end ? end + 1 : end) };
}

function take(
  command: Command,
  { name, rawName, value, inlineValue }: Given,
  values: Record<string, Value>,
): void {
  const option = optionOf(command, name);
  if (option === null) {
    const denied = name.startsWith('no-') ? name.slice('no-'.length) : '';
    if (optionOf(command, denied)?.type !== 'boolean') {
      throw new Refusal(`Unknown option "${rawName}"`, nearest(rawName, namesOf(command)));
    }
    if (value !== undefined) throw new Refusal(`Option "${rawName}" takes no value`);
    values[denied] = false;
  } else if (option.type === 'boolean') {
    values[name] = booleanOf(rawName, value);
  } else if (value === undefined) {
    throw new Refusal(`Option "${rawName}" needs a value`);
  } else if (inlineValue !== true && /^-./.test(value)) {
    throw new Refusal(`Option "${rawName}" needs a value; if "${value}" is it, write --${name}=${value}`);
  } else {
    const read = readValue(option, rawName, value);
    values[name] = option.type === 'strings' ? [...((values[name] ?? []) as string[]), `${read}`] : read;
  }
}

/** Without what every object inherits, such as `toString`. */
function optionOf({ options }: Command, name: string): CommandOption | null {
  return Object.hasOwn(options, name) ? (options[name] ?? null) : null;
}

function namesOf({ options }: Command): readonly string[] {
  return Object.entries(options).flatMap(([name, { type }]) =>
    type === 'boolean' ? [`--${name}`, `--no-${name}`] : [`--${name}`],
  );
}

function booleanOf(rawName: string, value: string | undefined): boolean {
  if (value === undefined || value === 'true') return true;
  if (value === 'false') return false;
  throw new Refusal(`Option "${rawName}" takes no value, or "true" or "false", not "${value}"`);
}

function readValue(option: ValueOption, rawName: string, value: string): string | number {
  if (option.type === 'number' || option.type === 'duration') {
    const read = readNumber(option, value);
    if ('number' in read) return read.number;
    throw new Refusal(`Option "${rawName}" wants ${read.wanted}, not "${value}"`);
  }
  const { choices } = option;
  if (choices === undefined || choices.includes(value)) return value;
  throw new Refusal(`Option "${rawName}" wants ${inWords(choices)}, not "${value}"`, nearest(value, choices));
}

function checkOperands(command: Command, given: readonly string[]): void {
  const operands = operandsOf(command);
  const missing = operands.find((operand, index) => isRequired(operand) && !given[index]);
  if (missing !== undefined) throw new Refusal(`Missing argument ${missing.name}`);
  const last = operands.at(-1);
  const surplus = last !== undefined && isOpenEnded(last) ? undefined : given[operands.length];
  if (surplus !== undefined) throw new Refusal(`Unknown argument "${surplus}"`);
  for (const [index, { name, completes }] of operands.entries()) {
    const word = given[index];
    if (word === undefined || typeof completes !== 'object' || completes.includes(word)) continue;
    throw new Refusal(`${name} is ${inWords(completes)}, not "${word}"`, nearest(word, completes));
  }
}

/** `"a", "b" or "c"` */
function inWords(words: readonly string[]): string {
  const quoted = words.map((word) => JSON.stringify(word));
  return [quoted.slice(0, -1).join(', '), ...quoted.slice(-1)].filter((part) => part !== '').join(' or ');
}
