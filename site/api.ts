/** `docs/api.md`: all that can be imported or included, as Markdown made of the comments above it. */
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from './contents.ts';
import { type Declaration, exportsOf, type Member, publicNames } from './declarations.ts';
import { type DocComment, tagsOf } from './doc-comment.ts';
import { type Header, readHeader } from './headers.ts';
import { slugOf } from './slug.ts';
import type { HiddenType } from './types.ts';

/** The `exports` of package.json: paths of their types, or of other files. */
export type PackageExports = Readonly<Record<string, string | { readonly types: string }>>;

/** What there is to say of an entry point; one without words here is an error. */
const WORDS: Readonly<Record<string, string>> = {
  '.': 'What a program imports that opens addons itself. See [Opening an addon](handle.md).',
  './hot':
    'For app code that reacts to reloads; see [Register](register.md#hot-updates). `hot` is the default export, too.',
  './register':
    'For `node --import napi-reload/register`, or `-r`: it exports nothing. Once it is loaded, each `.node` file that the app loads can be reloaded; see [Register](register.md).',
  './testing': 'Rebuild and reload an addon in tests, whatever runs them. See [Testing](testing.md).',
  './vitest':
    'The same as fixtures and matchers of vitest. The import makes the matchers known to `expect`. See [Testing](testing.md).',
};

/** Folders with headers, by their entry points: each header, and the parts of it that it includes for everybody. */
const HEADERS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  './include/*': [
    [
      'napi_reload.h',
      'napi_reload/define.h',
      'napi_reload/told.h',
      'napi_reload/context.h',
      'napi_reload/plain.h',
    ],
    ['napi_reload.hpp'],
  ],
};

/**
 * @param dist the folder of the declaration files
 * @throws when there is an entry point that nothing is known of
 */
export function apiReference(dist: string, entries: PackageExports = packageExports()): string {
  const modules = Object.entries(entries).flatMap(([entry, at]) =>
    typeof at === 'string' ? [] : [{ entry, file: path.join(dist, path.relative('dist', at.types)) }],
  );
  const names = publicNames(modules.map(({ file }) => file));
  const links = linksTo(modules.flatMap(({ file }) => exportsOf(file, names)));
  const seen = new Map<string, string>();
  const parts = modules.flatMap(({ entry, file }) => {
    const title = `napi-reload${entry.slice(1)}`;
    const exported = exportsOf(file, names).toSorted(byUse);
    const fresh = exported.filter(({ key }) => !seen.has(key));
    for (const { key } of fresh) seen.set(key, title);
    const others = exported.filter((declaration) => !fresh.includes(declaration));
    return [
      `## ${title}`,
      wordsOf(entry),
      ...listOf(fresh.map(({ name }) => `[${name}](#${slugOf(name)})`)),
      ...againOf(others, seen),
      ...fresh.flatMap((declaration) => describeDeclaration(declaration, links)),
    ];
  });
  const headers = Object.entries(entries).flatMap(([entry, at]) =>
    typeof at === 'string' && at.includes('*') ? describeHeaders(entry, path.dirname(at)) : [],
  );
  return `${['# API reference', 'Made from the comments in the source, by `npm run documents`.', ...parts, ...headers].join('\n\n')}\n`;
}

export function packageExports(): PackageExports {
  const { exports } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    exports: PackageExports;
  };
  return exports;
}

function wordsOf(entry: string): string {
  const words = WORDS[entry];
  if (words === undefined) throw new Error(`Wanted words for the entry point ${entry}, found none`);
  return words;
}

/** Where each name is described, `Addon.reload` and names of other modules too. */
function linksTo(declarations: readonly Declaration[]): Links {
  const links = new Map<string, string>();
  for (const { name, kind, members } of declarations) {
    links.set(name, slugOf(name));
    for (const member of members) {
      const heading = kind === 'class' ? `${name}: ${member.name}` : name;
      links.set(`${name}.${member.name}`, slugOf(heading));
    }
  }
  return { anchors: links, shown: new Map() };
}

interface Links {
  /** Of a name that can be imported, or of a member: `Addon.reload`. */
  readonly anchors: ReadonlyMap<string, string>;
  /** Under which name the text of a type stands that cannot be imported. */
  readonly shown: Map<string, string>;
}

function listOf(links: readonly string[]): readonly string[] {
  return links.length === 0 ? [] : [links.join(' · ')];
}

/** What another module exports as well. */
function againOf(declarations: readonly Declaration[], seen: ReadonlyMap<string, string>): readonly string[] {
  const modules = new Set(declarations.map(({ key }) => seen.get(key) ?? ''));
  return [...modules].map((module) => {
    const links = declarations
      .filter(({ key }) => seen.get(key) === module)
      .map(({ name }) => `[${name}](#${slugOf(name)})`);
    return `As in [${module}](#${slugOf(module)}): ${links.join(' · ')}`;
  });
}

/** What is called before what only describes, each in the order of the alphabet. */
function byUse(one: Declaration, other: Declaration): number {
  const rank = ({ kind }: Declaration): number =>
    ['function', 'class', 'value', 'interface', 'type'].indexOf(kind);
  return Math.min(rank(one), 3) - Math.min(rank(other), 3) || one.name.localeCompare(other.name, 'en');
}

function describeDeclaration(declaration: Declaration, links: Links): readonly string[] {
  const { name, kind, signatures, comment, members, hidden } = declaration;
  const parts = [`### ${name}`, code(signatures.join('\n')), ...describeComment(comment, links)];
  if (kind === 'interface' && members.length > 0) parts.push(memberTable(members, links));
  parts.push(...describeHidden(name, hidden, links));
  if (kind === 'class') {
    for (const [member, overloads] of byName(members)) {
      parts.push(`#### ${name}: ${member}`, code(overloads.map(({ signature }) => signature).join('\n')));
      parts.push(...overloads.flatMap((overload) => describeComment(overload.comment, links)));
    }
  }
  return parts;
}

/** Once on the page: a link says where, if that is elsewhere. */
function describeHidden(owner: string, hidden: readonly HiddenType[], { shown }: Links): readonly string[] {
  const fresh = hidden.filter(({ text }) => !shown.has(text));
  for (const { text } of fresh) shown.set(text, owner);
  const elsewhere = hidden
    .filter((type) => !fresh.includes(type))
    .map(({ name, text }) => {
      const place = shown.get(text) ?? '';
      return `\`${name}\` is written out under [\`${place}\`](#${slugOf(place)}).`;
    });
  const types = code(fresh.map(({ text }) => text).join('\n'));
  return [
    ...(fresh.length === 0 ? [] : ['With these types, which cannot be imported:', types]),
    ...elsewhere,
  ];
}

function byName(members: readonly Member[]): ReadonlyMap<string, readonly Member[]> {
  const grouped = new Map<string, Member[]>();
  for (const member of members) grouped.set(member.name, [...(grouped.get(member.name) ?? []), member]);
  return grouped;
}

function describeComment(comment: DocComment, links: Links): readonly string[] {
  const linked = (text: string): string => withLinks(text, links);
  const list = (title: string, items: readonly string[]): readonly string[] =>
    items.map((item) => `**${title}** ${linked(item)}`);
  const parameters = [...tagsOf(comment, 'typeParam'), ...tagsOf(comment, 'param')].map((text) => {
    const [, name = '', meaning = ''] = /^(\S+)\s*([\s\S]*)$/.exec(text) ?? [];
    return `- \`${name}\`: ${linked(meaning.replace(/^- /, ''))}`;
  });
  return [
    linked(comment.text),
    parameters.join('\n'),
    ...list('Default:', tagsOf(comment, 'defaultValue').map(asCode)),
    ...list('Returns', tagsOf(comment, 'returns')),
    ...list('Throws', tagsOf(comment, 'throws')),
    ...tagsOf(comment, 'example').map((text) => text.replace(/^`[^`]+`$/, '```ts\n$&\n```')),
  ].filter((part) => part !== '');
}

/** A default is a value, with words behind it or instead of it. */
function asCode(text: string): string {
  return text.replace(/^(?:'[^']*'|-?[\d_.]+|true|false|null|undefined|\[.*\]|\{.*\})(?=$|[:;,\s])/, '`$&`');
}

function memberTable(members: readonly Member[], links: Links): string {
  const rows = members.map(({ signature, comment }) => {
    const meaning = describeComment(comment, links).filter((part) => !part.startsWith('```'));
    return `| \`${inCell(signature.replace(/^readonly /, '').replace(/;$/, ''))}\` | ${inCell(meaning.join(' '))} |`;
  });
  return ['| member | meaning |', '|---|---|', ...rows].join('\n');
}

function inCell(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').replaceAll('|', '\\|');
}

function withLinks(text: string, links: Links): string {
  return text.replaceAll(/\{@link ([\w.]+)\}/g, (_, name: string) => {
    const anchor = links.anchors.get(name);
    return anchor === undefined ? `\`${name}\`` : `[\`${name}\`](#${anchor})`;
  });
}

function describeHeaders(entry: string, folder: string): readonly string[] {
  const files = HEADERS[entry];
  if (files === undefined) throw new Error(`Wanted headers of the entry point ${entry}, found none`);
  return files.flatMap(([main = '', ...parts]) => {
    const read = (name: string): Header => readHeader(fs.readFileSync(path.join(ROOT, folder, name), 'utf8'));
    const { about, items } = read(main);
    const all = [...items, ...parts.flatMap((part) => read(part).items)];
    // C++ has these names in a namespace, and other modules have some of them.
    const space = main.endsWith('.hpp') ? 'napi_reload::' : '';
    return [
      `## ${main}`,
      about.replace(/^\S+: (.)/, (_, first: string) => first.toUpperCase()),
      ...listOf(all.map(({ name }) => `[${space}${name}](#${slugOf(space + name)})`)),
      ...all.flatMap(({ name, code: text, comment }) => [
        `### ${space}${name}`,
        `\`\`\`cpp\n${text}\n\`\`\``,
        ...(comment === '' ? [] : [comment]),
      ]),
    ];
  });
}

function code(text: string): string {
  return `\`\`\`ts\n${text}\n\`\`\``;
}
