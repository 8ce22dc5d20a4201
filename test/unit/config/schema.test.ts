/** The JSON schema judges as the checks do. */
import fs from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { isReloadError } from '../../../src/errors.ts';
import { resolveConfig } from '../../../src/config/resolve.ts';
import { configSchema, type JsonSchema } from '../../../src/config/schema.ts';

const isValid = new Ajv({ allowUnionTypes: true, allErrors: true }).compile(configSchema);

function isTaken(given: unknown): boolean {
  try {
    resolveConfig(given, { file: null, folder: '/p' });
    return true;
  } catch (error) {
    if (!isReloadError(error, 'ERR_CONFIG_INVALID')) throw error;
    return false;
  }
}

/** Of each type, at the bounds of what options take, and beyond. */
const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  -1,
  0,
  0.5,
  1,
  9,
  10,
  2 ** 31 - 1,
  2 ** 31,
  Number.MAX_SAFE_INTEGER,
  2 ** 60,
  '',
  ' ',
  'a',
  '!a',
  'a\0b',
  'x'.repeat(65_537),
  'auto',
  'node-gyp',
  'ninja',
  'Debug',
  'deep',
  'never',
  'process',
  'thread',
  'restart',
  'none',
  'sha384-AAAA',
  'sha1-AAAA',
  [],
  ['a'],
  ['a', ''],
  ['a', 1],
  {},
  { a: 'b' },
  { a: 1 },
  { tool: 'auto' },
  { command: 'make' },
  { 'a.node': {} },
];

/** What is around the value that a path leads to. */
type Around = (value: unknown) => unknown;

interface Place {
  readonly name: string;
  readonly around: Around;
}

/** Each option, wherever it can stand. */
function* places(schema: JsonSchema, name: string, around: Around): Generator<Place> {
  for (const [key, option] of Object.entries(schema.properties ?? {})) {
    const inner = (value: unknown): unknown => around({ ...required(schema, key), [key]: value });
    yield { name: `${name}.${key}`, around: inner };
    yield* places(option, `${name}.${key}`, inner);
  }
  for (const part of schema.anyOf ?? []) yield* places(part, name, around);
  const { additionalProperties: more } = schema;
  if (more) yield* places(more, `${name}[]`, (value) => around({ 'a.node': value }));
}

/** So that only the value itself can be what is wrong. */
function required(schema: JsonSchema, key: string): object {
  if (schema.required?.includes('command') && key !== 'command') return { command: 'make' };
  return schema.required?.includes('tool') && key !== 'tool' ? { tool: 'make' } : {};
}

const all = [...places(configSchema, '', (value) => value)];

describe('the schema', () => {
  test('is the one that is shipped', () => {
    const shipped = path.resolve(import.meta.dirname, '../../../src/config/schema.json');
    expect(JSON.parse(fs.readFileSync(shipped, 'utf8')), 'npm run documents writes it').toEqual(
      JSON.parse(JSON.stringify(configSchema)),
    );
  });

  test('knows every option, at each place', () => {
    const names = all.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['.include', '.options.verify', '.dev.env', '.build.tool']));
    expect(names).toEqual(expect.arrayContaining(['.addons[].host.spare', '.addons[].watch.ignore']));
    expect(names.length).toBeGreaterThan(60);
  });

  test.each(all)('takes for $name what the checks take, and nothing else', ({ around }) => {
    const given = VALUES.map(around);
    const judged = given.map((value) => [JSON.stringify(value).slice(0, 200), isTaken(value)]);
    expect(given.map((value) => [JSON.stringify(value).slice(0, 200), isValid(value)])).toEqual(judged);
    // Some value is refused, and one is taken: else nothing was compared.
    expect(new Set(judged.map(([, taken]) => taken)).size).toBe(2);
  });

  test.each([
    [{ unknown: 1 }],
    [{ options: { unknown: 1 } }],
    [{ addons: { a: { unknown: 1 } } }],
    [{ addons: { '': {} } }],
    [{ addons: { '!a': {} } }],
    [{ dev: { unknown: 1 } }],
    [{ dev: { script: 'a', exec: 'b' } }],
    [{ watch: { unknown: 1 } }],
    [{ build: { tool: 'make', unknown: 1 } }],
    [{ build: { tool: 'make', command: 'make' } }],
    [{ build: { args: [] } }],
    [{ options: { host: { unknown: 1 } } }],
    [[]],
    ['a'],
  ])('refuses %j as the checks do', (given) => {
    expect([isTaken(given), isValid(given)]).toEqual([false, false]);
  });
});
