/** Reads as much of Markdown as the documents of the repository use. */
import fs from 'node:fs';
import path from 'node:path';
import { type Fence, parseFence } from '../../../site/fence.ts';
import { slugOf } from '../../../site/slug.ts';

export const ROOT: string = path.resolve(import.meta.dirname, '../../..');

/** The pages of docs/, such as `docs/hooks.md`. */
export const PAGES: readonly string[] = fs
  .readdirSync(path.join(ROOT, 'docs'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);

export interface Block extends Fence {
  readonly text: string;
}

export interface Section {
  readonly title: string;
  /** Without code blocks. */
  readonly text: string;
  readonly blocks: readonly Block[];
}

const FENCE = /^```(.*)\n([\s\S]*?)^```$/gm;

/** @returns the text of a document, by its path in the repository */
export function readDocument(name: string): string {
  return fs.readFileSync(path.join(ROOT, name), 'utf8');
}

export function blocksOf(markdown: string): readonly Block[] {
  return [...markdown.matchAll(FENCE)].map(([, info = '', text = '']) => ({ ...parseFence(info), text }));
}

/** @throws when there is no such section, or more than one */
export function sectionOf(markdown: string, title: string): Section {
  // The heading is looked for outside of code, where a comment of a shell looks the same.
  const parts = withoutBlocks(markdown).split(/^#{2,3} /m);
  const [text, ...others] = parts.filter((part) => part.startsWith(`${title}\n`));
  if (text === undefined || others.length > 0) throw new Error(`Wanted one section "${title}"`);
  const start = markdown.search(new RegExp(`^#{2,3} ${title}$`, 'm'));
  const body = markdown.slice(markdown.indexOf('\n', start));
  const end = body.search(/^#{2,3} /m);
  const whole = end === -1 ? body : body.slice(0, end);
  return { title, text, blocks: blocksOf(whole) };
}

/** @returns the body of each table: its rows as cells */
export function tablesOf(text: string): readonly (readonly (readonly string[])[])[] {
  const tables = text.match(/(?:^\|.*\|\n)+/gm) ?? [];
  return tables.map((table) => table.trimEnd().split('\n').slice(2).map(cellsOf));
}

function cellsOf(row: string): readonly string[] {
  return row
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());
}

/** @returns what stands in backticks in the first cells of a table */
export function namesIn(table: readonly (readonly string[])[]): readonly string[] {
  return table.flatMap(([first = '']) => [...first.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
}

/** @returns targets of links and images */
export function linksOf(markdown: string): readonly string[] {
  return [...withoutBlocks(markdown).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
}

/** @returns the anchors of its headings */
export function anchorsOf(markdown: string): ReadonlySet<string> {
  const headings = withoutBlocks(markdown).matchAll(/^#+ (.+)$/gm);
  return new Set([...headings].map(([, title = '']) => slugOf(title)));
}

export function withoutBlocks(markdown: string): string {
  return markdown.replace(FENCE, '');
}
