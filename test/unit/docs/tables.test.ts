/** What the documents say in tables and names, compared with the source that they speak of. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkCommand } from '../../../src/cli/check.ts';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { synopsis } from '../../../src/cli/help.ts';
import { configSchema, type JsonSchema } from '../../../src/config/schema.ts';
import { HAZARD_CODES } from '../../../src/doctor/diagnosis.ts';
import { isReloadError } from '../../../src/errors.ts';
import { resolveOptions } from '../../../src/options.ts';
import { PHASES } from '../../../src/report.ts';
import { namesIn, PAGES, readDocument, ROOT, sectionOf, tablesOf, withoutBlocks } from './markdown.ts';

const readme = readDocument('README.md');
const source = (name: string): string => fs.readFileSync(path.join(ROOT, 'src', name), 'utf8');
const native = (name: string): string => fs.readFileSync(path.join(ROOT, 'native', name), 'utf8');

/** The one group of each match; at least one, or the pattern no longer fits the source. */
function everyMatch(text: string, pattern: RegExp): readonly string[] {
  const found = [...text.matchAll(pattern)].map(([, name = '']) => name);
  expect(found).not.toEqual([]);
  return found;
}

/** @param place a page, and its section where it has several: `docs/handle.md#Options` */
function table(place: string, index = 0): readonly (readonly string[])[] {
  const [file = '', title] = place.split('#');
  const page = readDocument(file);
  const rows = tablesOf(title === undefined ? withoutBlocks(page) : sectionOf(page, title).text)[index];
  if (rows === undefined) throw new Error(`${place} has no table ${index}`);
  return rows;
}

/** The option that does not exist is refused with the names of those that do. */
function knownOptions(): readonly string[] {
  try {
    resolveOptions({ noSuchOption: true });
  } catch (error) {
    if (!isReloadError(error, 'ERR_INVALID_OPTION')) throw error;
    return error.details.wanted.replace(/^one of /, '').split(', ');
  }
  throw new Error('An option that does not exist was accepted');
}

test('the reasons of hooks are all that there are', () => {
  const union = /type Reason = (.*);/.exec(source('state/hooks.ts'))?.[1]?.split(' | ') ?? [];
  expect(union.length).toBeGreaterThan(3);
  const text = sectionOf(readDocument('docs/hooks.md'), 'What an addon may export').text;
  const said = /`reason` is ([\s\S]*?);/.exec(text)?.[1] ?? '';
  expect([...said.matchAll(/`('\w+')`/g)].map(([, name]) => name)).toEqual(union);
});

describe('the table of errors', () => {
  test('names exactly the codes that there are, in their order', () => {
    const details = /interface ErrorDetails \{([\s\S]*?)^\}/m.exec(source('errors.ts'))?.[1] ?? '';
    expect(namesIn(table('docs/errors.md'))).toEqual(everyMatch(details, /^ {2}(ERR_\w+):/gm));
  });

  test('says for each what it means and what to do', () => {
    for (const row of table('docs/errors.md')) expect(row.filter((cell) => cell !== '')).toHaveLength(3);
  });
});

describe('the table of options', () => {
  test('names exactly the options that there are', () => {
    expect(namesIn(table('docs/handle.md#Options'))).toEqual(knownOptions());
  });

  /** What each option is where nothing is given, as a reader would write it. */
  const written = (value: unknown): string =>
    value === null ? 'none' : `\`${JSON.stringify(value).replaceAll('"', "'")}\``;
  const defaultsIn = (place: string, index: number): Record<string, string> =>
    Object.fromEntries(table(place, index).map(([name = '', value = '']) => [name.slice(1, -1), value]));

  test('gives the defaults that are taken', () => {
    const { build, watch, checkpointMs, host, supervise, stageDir, migrate, ...others } = resolveOptions();
    const said = defaultsIn('docs/handle.md#Options', 0);
    expect(said).toEqual({
      ...Object.fromEntries(Object.entries(others).map(([name, value]) => [name, written(value)])),
      build: '`false`',
      watch: '`false`',
      checkpoint: `\`{ everyMs: ${checkpointMs} }\``,
      host: '`{}`',
      supervise: '`{}`',
      migrate: '`{}`',
      stageDir: '`napi-reload` in the cache folder',
    });
    expect([build.kind, watch, [...Object.keys(migrate)]]).toEqual(['none', null, []]);
    expect(path.basename(stageDir)).toBe('napi-reload');
  });

  test('gives those of their parts', () => {
    const { watch, host, supervise } = resolveOptions({ watch: true });
    const { paths, ...rest } = watch ?? expect.fail();
    const of = (options: object): Record<string, string> =>
      Object.fromEntries(Object.entries(options).map(([name, value]) => [name, written(value)]));
    expect(defaultsIn('docs/handle.md#Watching', 0)).toEqual({ ...of(rest), paths: 'what the build reads' });
    expect(paths).toBeNull();
    expect(defaultsIn('docs/handle.md#Hosts', 0)).toEqual(of(host));
    expect(defaultsIn('docs/handle.md#Hosts', 1)).toEqual(of(supervise));
  });
});

describe('the table of the configuration', () => {
  test('names exactly the keys that there are, and those of its parts', () => {
    const keys = (schema: JsonSchema | undefined): readonly string[] => Object.keys(schema?.properties ?? {});
    const { options, addons, dev } = configSchema.properties ?? {};
    const rows = table('docs/configuration.md');
    const named = rows.flatMap(([first = '']) => [...first.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
    expect(named.toSorted()).toEqual(keys(configSchema).toSorted());
    const meaning = (key: string): string => rows.find(([first]) => first === `\`${key}\``)?.[2] ?? '';
    for (const name of keys(options)) expect(meaning('options')).toContain(`\`${name}\``);
    for (const name of keys(dev)) expect(meaning('dev')).toContain(`\`${name}\``);
    const own = keys(addons?.additionalProperties || undefined).filter(
      (name) => !keys(options).includes(name),
    );
    expect(own).toEqual(['build', 'watch']);
  });
});

describe('the command line of the README', () => {
  test('has the synopsis of each command', () => {
    const [block] = sectionOf(readme, 'Command line').blocks;
    expect(block?.text.trimEnd().split('\n')).toEqual(COMMANDS.map(synopsis));
  });

  test('names exactly the commands that there are, in their order', () => {
    expect(namesIn(table('README.md#Command line'))).toEqual(COMMANDS.map(({ name }) => name));
  });
});

describe('the table of builders', () => {
  test('names exactly the tools that there are, in their order, and any command', () => {
    const tools = /const TOOLS = \[(.*)\]/.exec(source('build-options.ts'))?.[1]?.split(', ') ?? [];
    expect(tools.length).toBeGreaterThan(1);
    expect(namesIn(table('docs/builders.md#Builders'))).toEqual([...tools, '{ command, args, cwd, env }']);
  });
});

describe('the table of pins', () => {
  test('names exactly the pins that there are, in their order', () => {
    const names = everyMatch(native('pins.cc'), /return "([\w-]+)";/g);
    expect(namesIn(table('docs/unloading.md'))).toEqual(names.filter((name) => name !== 'unknown'));
  });
});

describe('the table of hazards', () => {
  test('names exactly the hazards that there are, in their order', () => {
    expect(namesIn(table('docs/doctor.md'))).toEqual(HAZARD_CODES);
  });

  test('gives the severities that they have', () => {
    const severities = new Map(
      everyMatch(source('doctor/hazards.ts'), /code: '([\w-]+)'/g).map((code, index) => [
        `\`${code}\``,
        everyMatch(source('doctor/hazards.ts'), /severity: '(\w+)'/g)[index],
      ]),
    );
    const rows = table('docs/doctor.md').filter(([code = '']) => severities.has(code));
    expect(rows).toHaveLength(severities.size);
    for (const [code = '', severity] of rows) expect([code, severity]).toEqual([code, severities.get(code)]);
  });
});

describe('the tables of a check', () => {
  test('name exactly the options that there are, with their defaults', () => {
    const rows = table('docs/check.md');
    expect(namesIn(rows)).toEqual(Object.keys(checkCommand.options).map((name) => `--${name}`));
    const defaults = new Map(rows.map(([name = '', value = '']) => [name.replaceAll('`', ''), value]));
    for (const [name, option] of Object.entries(checkCommand.options)) {
      const number = /^\d+s?/.exec(option.default ?? '')?.[0];
      if (number !== undefined) expect([name, defaults.get(`--${name}`)]).toEqual([name, `\`${number}\``]);
    }
  });

  test('name exactly the problems that there are, in their order', () => {
    const [codes = ''] = everyMatch(source('check/report.ts'), /readonly code: ('cannot-load'.*);/g);
    expect(namesIn(table('docs/check.md', 1))).toEqual(everyMatch(codes, /'([\w-]+)'/g));
  });
});

describe('the tables of events', () => {
  test('name exactly the events and the warnings that there are', () => {
    const events = source('events.ts');
    const handled = /interface AddonEvents \{([\s\S]*?)^\}/m.exec(events)?.[1] ?? '';
    expect(namesIn(table('docs/handle.md#Events')).filter((name) => !/[ {]/.test(name))).toEqual(
      everyMatch(handled, /^ {2}'?([\w-]+)'?: \[/gm),
    );
    expect(namesIn(table('docs/handle.md#Events', 1))).toEqual(everyMatch(events, /^ {4}\| '([\w-]+)'/gm));
  });
});

test('the drawing of a reload has the stages in their order', () => {
  const [flow] = sectionOf(readDocument('docs/how-it-works.md'), 'How a reload goes').blocks;
  const drawn = (flow?.text ?? '').match(/^[^\w\n]*\w+/gm) ?? [];
  const stages = drawn.map((line) => line.replace(/\W/g, '')).filter((word) => word !== 'a');
  expect(stages).toEqual(['watch', ...PHASES]);
});

describe('the limits', () => {
  const limits = readDocument('docs/limits.md');

  test('have the numbers of the budget that is kept', () => {
    const budget = source('retire/budget.ts');
    const numbers = everyMatch(budget, /^const (?:KEPT_WARN|MAPPINGS_WARN|MAPPINGS_MAX) = ([\d_]+);/gm);
    expect(numbers).toHaveLength(3);
    for (const number of numbers) expect(limits).toContain(number.replaceAll('_', ','));
  });

  test('are named by the README, each of them', () => {
    const named = sectionOf(readme, 'Limits').text.toLowerCase().replace(/\s+/g, ' ');
    const leads = everyMatch(limits, /^- \*\*(.+?)\.?\*\*/gm).map((lead) =>
      lead.toLowerCase().replace(/^it /, ''),
    );
    expect(leads.length).toBeGreaterThan(15);
    for (const lead of leads) expect(named).toContain(lead);
  });
});

test('the README names only scripts that package.json has', () => {
  const { scripts } = JSON.parse(readDocument('package.json')) as { scripts: Record<string, string> };
  const named = everyMatch(readme, /npm (?:run )?((?:start|test)\b|(?<=run )[\w:]+)/g);
  for (const name of named) expect(Object.keys(scripts)).toContain(name);
});

test.each(['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', ...PAGES])(
  '%s names only error codes that there are',
  (name) => {
    const named = readDocument(name).match(/\bERR_[A-Z_]+/g) ?? [];
    // Thrown by native code, where there is no ReloadError.
    const thrown = everyMatch(native('slots.cc'), /napi_throw_error\(\w+, "(ERR_\w+)"/g);
    const known = [...namesIn(table('docs/errors.md')), ...thrown];
    expect(known).toEqual(expect.arrayContaining([...new Set(named)]));
  },
);
