/** The reference of what can be imported, as Markdown made of the comments above it. */
import path from 'node:path';
import { type Declaration, exportsOf, type Member } from './declarations.ts';
import { type DocComment, tagsOf } from './doc-comment.ts';
import { slugOf } from './slug.ts';

const MODULES: readonly { readonly name: string; readonly file: string; readonly says: string }[] = [
  { name: 'napi-reload', file: 'index.d.ts', says: 'What a program imports that opens addons itself.' },
  {
    name: 'napi-reload/hot',
    file: 'hot.d.ts',
    says: 'For app code that reacts to reloads; see [Without a change to the app](docs/register.md#hot-updates).',
  },
];

/** @param folder of the declaration files */
export function apiReference(folder: string): string {
  const modules = MODULES.map((module) => ({
    ...module,
    exports: exportsOf(path.join(folder, module.file)),
  }));
  const names = new Set(modules.flatMap((module) => module.exports.map(({ name }) => name)));
  const parts = modules.flatMap(({ name, says, exports }) => [
    `## ${name}`,
    says,
    ...exports.toSorted(byUse).flatMap((declaration) => describeDeclaration(declaration, names)),
  ]);
  return ['# API by name', 'Made from the comments in the source.', ...parts].join('\n\n');
}

/** What is called before what only describes, each in the order of the alphabet. */
function byUse(one: Declaration, other: Declaration): number {
  const rank = ({ kind }: Declaration): number =>
    ['function', 'class', 'value', 'interface', 'type'].indexOf(kind);
  return Math.min(rank(one), 3) - Math.min(rank(other), 3) || one.name.localeCompare(other.name);
}

function describeDeclaration(declaration: Declaration, names: ReadonlySet<string>): readonly string[] {
  const { name, kind, signatures, comment, members } = declaration;
  const parts = [`### ${name}`, code(signatures.join('\n')), ...describeComment(comment, names)];
  if (kind === 'interface' && members.length > 0) parts.push(memberTable(members, names));
  if (kind === 'class') {
    for (const [member, overloads] of byName(members)) {
      parts.push(`#### ${name}: ${member}`, code(overloads.map(({ signature }) => signature).join('\n')));
      parts.push(...overloads.flatMap((overload) => describeComment(overload.comment, names)));
    }
  }
  return parts;
}

function byName(members: readonly Member[]): ReadonlyMap<string, readonly Member[]> {
  const grouped = new Map<string, Member[]>();
  for (const member of members) grouped.set(member.name, [...(grouped.get(member.name) ?? []), member]);
  return grouped;
}

function describeComment(comment: DocComment, names: ReadonlySet<string>): readonly string[] {
  const linked = (text: string): string => withLinks(text, names);
  const list = (title: string, items: readonly string[]): readonly string[] =>
    items.map((item) => `**${title}** ${linked(item)}`);
  const parameters = tagsOf(comment, 'param').map((text) => {
    const [, name = '', meaning = ''] = /^(\S+)\s*([\s\S]*)$/.exec(text) ?? [];
    return `- \`${name}\`: ${linked(meaning.replace(/^- /, ''))}`;
  });
  return [
    linked(comment.text),
    parameters.join('\n'),
    ...list('Default:', tagsOf(comment, 'defaultValue')),
    ...list('Returns', tagsOf(comment, 'returns')),
    ...list('Throws', tagsOf(comment, 'throws')),
    ...tagsOf(comment, 'example'),
  ].filter((part) => part !== '');
}

function memberTable(members: readonly Member[], names: ReadonlySet<string>): string {
  const rows = members.map(({ signature, comment }) => {
    const meaning = describeComment(comment, names).filter((part) => !part.startsWith('```'));
    return `| \`${inCell(signature.replace(/^readonly /, '').replace(/;$/, ''))}\` | ${inCell(meaning.join(' '))} |`;
  });
  return ['| member | meaning |', '|---|---|', ...rows].join('\n');
}

function inCell(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').replaceAll('|', '\\|');
}

function withLinks(text: string, names: ReadonlySet<string>): string {
  return text.replaceAll(/\{@link (\w+)\}/g, (_, name: string) =>
    names.has(name) ? `[\`${name}\`](#${slugOf(name)})` : `\`${name}\``,
  );
}

function code(text: string): string {
  return `\`\`\`ts\n${text}\n\`\`\``;
}
