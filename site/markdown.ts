/** Markdown as HTML: anchors as on GitHub, links between pages, coloured code. */
import path from 'node:path';
import hljs from 'highlight.js';
import { Marked, type Token, type Tokens } from 'marked';
import { parseFence } from './fence.ts';
import { slugOf } from './slug.ts';

export interface Heading {
  readonly depth: number;
  readonly text: string;
  readonly anchor: string;
}

export interface Rendered {
  readonly html: string;
  readonly headings: readonly Heading[];
  /** In the order of the headings. */
  readonly sections: readonly Section[];
}

/** What stands under one heading, without marks. */
export interface Section {
  readonly text: string;
  /** What its tables tell of: the names that begin their rows. */
  readonly terms: readonly string[];
}

/** Files of the repository, by their paths relative to it. */
export interface Files {
  /** @returns where in the site a file is */
  resolve(file: string): string;
  /** @returns the SVG that is to be a part of the page, so that it has its colours; null for a picture of its own */
  drawing(file: string): string | null;
}

/** @param source path of the Markdown, relative to the repository: what its links are relative to */
export function render(markdown: string, source: string, files: Files): Rendered {
  const headings: Heading[] = [];
  const anchors = new Map<string, number>();
  const place = (href: string): string => path.posix.join(path.posix.dirname(source), href);
  const target = (href: string): string => {
    if (/^(?:\w+:|#)/.test(href)) return href;
    const [file = '', anchor] = href.split('#');
    const found = files.resolve(place(file));
    return anchor === undefined ? found : `${found}#${anchor}`;
  };
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth }) {
        const text = plainText(tokens);
        const slug = slugOf(text);
        const count = anchors.get(slug) ?? 0;
        anchors.set(slug, count + 1);
        const anchor = count === 0 ? slug : `${slug}-${count}`;
        headings.push({ depth, text, anchor });
        const link = `<a class="anchor" href="#${anchor}" aria-label="Link to: ${escapeHtml(text)}">#</a>`;
        return `<h${depth} id="${anchor}">${this.parser.parseInline(tokens)} ${link}</h${depth}>\n`;
      },
      code: ({ text, lang }) => codeBlock(text, lang ?? ''),
      table({ header, rows }) {
        const inline = (tokens: Token[]): string => this.parser.parseInline(tokens);
        return table(header, rows, inline, headings.at(-1)?.text ?? '');
      },
      link({ href, tokens }) {
        return `<a href="${escapeHtml(target(href))}">${this.parser.parseInline(tokens)}</a>`;
      },
      image({ href, text }) {
        const drawing = files.drawing(place(href));
        return drawing === null
          ? `<img src="${escapeHtml(target(href))}" alt="${escapeHtml(text)}">`
          : inlineDrawing(drawing, text);
      },
      html: ({ text }) => (isComment(text) ? '' : escapeHtml(text)),
    },
  });
  const tokens = marked.lexer(markdown);
  return { html: marked.parser(tokens), headings, sections: sectionsOf(tokens) };
}

/** The words of the page name it, and not those that it has as a file. */
function inlineDrawing(svg: string, name: string): string {
  const [, attributes = '', content = ''] = /<svg\b([^>]*)>([\s\S]*)$/.exec(svg) ?? [];
  const others = attributes.replace(/ (?:xmlns|role|aria-label)="[^"]*"/g, '');
  return `<svg role="img" aria-label="${escapeHtml(name)}"${others}>${content.trim()}`;
}

function codeBlock(text: string, info: string): string {
  const { language, file } = parseFence(info);
  const known = hljs.getLanguage(language) !== undefined;
  const code = known ? hljs.highlight(text, { language }).value : escapeHtml(text);
  const caption = file === null ? '' : `<figcaption>${escapeHtml(file)}</figcaption>`;
  // Unseen until there is a script that copies.
  const button = '<button class="copy" type="button" hidden>Copy</button>';
  return `<figure class="code">${caption}<pre tabindex="0"><code>${code}</code></pre>${button}</figure>\n`;
}

/**
 * A wide one scrolls by itself, and does not take the page along. On a narrow screen its rows are shown as blocks, whose
 * cells say of which column they are; the roles keep it a table for who hears it.
 */
function table(
  header: readonly Tokens.TableCell[],
  rows: readonly (readonly Tokens.TableCell[])[],
  inline: (tokens: Token[]) => string,
  heading: string,
): string {
  const titles = header.map(({ tokens }) => escapeHtml(plainText(tokens)));
  const head = header.map(({ tokens }) =>
    tokens.length === 0
      ? '<td role="cell"></td>'
      : `<th role="columnheader" scope="col">${inline(tokens)}</th>`,
  );
  const body = rows.map((row) => {
    const cells = row.map(
      ({ tokens }, index) => `<td role="cell" data-title="${titles[index] ?? ''}">${inline(tokens)}</td>`,
    );
    return `<tr role="row">${cells.join('')}</tr>\n`;
  });
  const label = escapeHtml(`Table: ${heading}`);
  return `<div class="table" tabindex="0" role="group" aria-label="${label}"><table role="table">
<thead role="rowgroup"><tr role="row">${head.join('')}</tr></thead>
<tbody role="rowgroup">
${body.join('')}</tbody></table></div>\n`;
}

function sectionsOf(tokens: readonly Token[]): readonly Section[] {
  const sections: { text: string; terms: string[] }[] = [];
  for (const token of tokens) {
    const section = sections.at(-1);
    if (token.type === 'heading') sections.push({ text: '', terms: [] });
    else if (section !== undefined) {
      section.text = `${section.text} ${plainText([token])}`.replace(/\s+/g, ' ').trim();
      if (token.type === 'table') section.terms.push(...(token as Tokens.Table).rows.flatMap(termsOf));
    }
  }
  return sections;
}

/** Names in code: those of a member without its type. */
function termsOf([first]: readonly Tokens.TableCell[]): readonly string[] {
  const codes = first?.tokens.filter(({ type }) => type === 'codespan') ?? [];
  return codes.map((code) => plainText([code]).replace(/[?:(<\s][\s\S]*$/, '')).filter((term) => term !== '');
}

/** @returns the words of tokens, without marks, comments and drawings */
function plainText(tokens: readonly Token[]): string {
  return tokens
    .map((token): string => {
      const { tokens: inner, items, header, rows, text, raw } = token as Tokens.Generic;
      if (token.type === 'html' || token.type === 'image' || token.type === 'hr') return '';
      if (header && rows)
        return [header, ...rows]
          .map((row: Token[]) => row.map((cell) => plainText([cell])).join(' '))
          .join(' ');
      if (items) return items.map((item: Token) => plainText([item])).join(' ');
      return inner ? plainText(inner) : String(text ?? raw);
    })
    .join('');
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** What writes a page by marks in it leaves them there. */
function isComment(html: string): boolean {
  return /^\s*<!--[\s\S]*-->\s*$/.test(html);
}
