/** What the README says in tables and names, compared with the source that it speaks of. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { configSchema, type JsonSchema } from '../../../src/config/schema.ts';
import { isReloadError } from '../../../src/errors.ts';
import { resolveOptions } from '../../../src/options.ts';
import { PHASES } from '../../../src/report.ts';
import { anchorsOf, linksOf, namesIn, readDocument, ROOT, sectionOf, tablesOf } from './markdown.ts';

const readme = readDocument('README.md');
const source = (name: string): string => fs.readFileSync(path.join(ROOT, 'src', name), 'utf8');
const native = (name: string): string => fs.readFileSync(path.join(ROOT, 'native', name), 'utf8');

/** The one group of each match; at least one, or the pattern no longer fits the source. */
function everyMatch(text: string, pattern: RegExp): readonly string[] {
  const found = [...text.matchAll(pattern)].map(([, name = '']) => name);
  expect(found).not.toEqual([]);
  return found;
}

function table(title: string, index = 0): readonly (readonly string[])[] {
  const rows = tablesOf(sectionOf(readme, title).text)[index];
  if (rows === undefined) throw new Error(`Section "${title}" has no table ${index}`);
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

describe('the table of errors', () => {
  test('names exactly the codes that there are, in their order', () => {
    const details = /interface ErrorDetails \{([\s\S]*?)^\}/m.exec(source('errors.ts'))?.[1] ?? '';
    expect(namesIn(table('Errors'))).toEqual(everyMatch(details, /^ {2}(ERR_\w+):/gm));
  });

  test('says for each what it means and what to do', () => {
    for (const row of table('Errors')) expect(row.filter((cell) => cell !== '')).toHaveLength(3);
  });
});

describe('the table of options', () => {
  test('names exactly the options that there are', () => {
    expect(namesIn(table('Options'))).toEqual(knownOptions());
  });

  test('gives the defaults that are taken', () => {
    const defaults = new Map(table('Options').map(([name, value]) => [name, value]));
    const { hookTimeoutMs, buildTimeoutMs, build, watch, reclaim, drainTimeoutMs } = resolveOptions();
    expect(defaults.get('`reclaim`')).toBe(`\`'${reclaim}'\``);
    expect(defaults.get('`drainTimeoutMs`')).toBe(`\`${drainTimeoutMs}\``);
    expect(defaults.get('`hookTimeoutMs`')).toBe(`\`${hookTimeoutMs}\``);
    expect(defaults.get('`buildTimeoutMs`')).toBe(`\`${buildTimeoutMs}\``);
    expect([defaults.get('`build`'), build.kind]).toEqual(['`false`', 'none']);
    expect([defaults.get('`watch`'), watch]).toEqual(['`false`', null]);
    expect(sectionOf(readme, 'Options').text).toContain(
      `(${resolveOptions({ watch: true }).watch?.debounceMs} ms)`,
    );
  });
});

describe('the table of the configuration', () => {
  test('names exactly the keys that there are, and those of its parts', () => {
    const keys = (schema: JsonSchema | undefined): readonly string[] => Object.keys(schema?.properties ?? {});
    const { options, addons, dev } = configSchema.properties ?? {};
    const rows = table('Configuration');
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

describe('the table of commands', () => {
  test('names exactly the commands that there are, in their order', () => {
    expect(namesIn(table('Command line'))).toEqual(COMMANDS.map(({ name }) => name));
  });
});

describe('the table of pins', () => {
  test('names exactly the pins that there are, in their order', () => {
    const names = everyMatch(native('pins.cc'), /return "([\w-]+)";/g);
    expect(namesIn(table('Unloading'))).toEqual(names.filter((name) => name !== 'unknown'));
  });
});

describe('the tables of events', () => {
  test('name exactly the events and the warnings that there are', () => {
    const events = source('events.ts');
    const handled = /interface AddonEvents \{([\s\S]*?)^\}/m.exec(events)?.[1] ?? '';
    expect(namesIn(table('Events')).filter((name) => !/[ {]/.test(name))).toEqual(
      everyMatch(handled, /^ {2}'?([\w-]+)'?: \[/gm),
    );
    expect(namesIn(table('Events', 1))).toEqual(everyMatch(events, /^ {4}\| '([\w-]+)'/gm));
  });
});

describe('the README', () => {
  test('shows the stages in their order', () => {
    const [flow] = sectionOf(readme, 'How a reload goes').blocks;
    const drawn = (flow?.text ?? '').match(/^[^\w\n]*\w+/gm) ?? [];
    const stages = drawn.map((line) => line.replace(/\W/g, '')).filter((word) => word !== 'a');
    expect(stages).toEqual(['watch', ...PHASES]);
  });

  test('names only scripts that package.json has', () => {
    const { scripts } = JSON.parse(readDocument('package.json')) as { scripts: Record<string, string> };
    const named = everyMatch(readme, /npm (?:run )?((?:start|test)\b|(?<=run )[\w:]+)/g);
    for (const name of named) expect(Object.keys(scripts)).toContain(name);
  });

  test('names the limits of the budget that is kept', () => {
    const limits = source('retire/budget.ts');
    const numbers = everyMatch(limits, /^const (?:KEPT_WARN|MAPPINGS_WARN|MAPPINGS_MAX) = ([\d_]+);/gm);
    expect(numbers).toHaveLength(3);
    for (const number of numbers) {
      expect(sectionOf(readme, 'Limits').text).toContain(number.replaceAll('_', ','));
    }
  });
});

describe.each([
  'README.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'docs/commands.md',
  'docs/hooks.md',
  'docs/dev.md',
])('%s', (name) => {
  const text = readDocument(name);

  test('links to files and headings that exist', () => {
    const missing = linksOf(text)
      .filter((link) => !/^https?:/.test(link))
      .filter((link) => {
        const [file = '', anchor] = link.split('#');
        const target = file === '' ? name : path.join(path.dirname(name), file);
        if (!fs.existsSync(path.join(ROOT, target))) return true;
        return anchor !== undefined && !anchorsOf(readDocument(target)).has(anchor);
      });
    expect(missing).toEqual([]);
  });

  test('names only error codes that there are', () => {
    const named = text.match(/\bERR_[A-Z_]+/g) ?? [];
    // Thrown by native code, where there is no ReloadError.
    const thrown = everyMatch(native('slots.cc'), /napi_throw_error\(\w+, "(ERR_\w+)"/g);
    const known = [...namesIn(table('Errors')), ...thrown];
    expect(known).toEqual(expect.arrayContaining([...new Set(named)]));
  });
});
