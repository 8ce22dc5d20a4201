/** Markdown as HTML: anchors as on GitHub, links between pages, coloured code. */
import path from 'node:path';
import hljs from 'highlight.js';
import { Marked, type Tokens } from 'marked';
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
}

/** @returns where in the site a file of the repository is */
export type Resolve = (file: string) => string;

/**
 * @param source path of the Markdown, relative to the repository: what its links are relative to
 * @param resolve is given what links and images lead to, relative to the repository
 */
export function render(markdown: string, source: string, resolve: Resolve): Rendered {
  const headings: Heading[] = [];
  const anchors = new Map<string, number>();
  const target = (href: string): string => {
    if (/^(?:\w+:|#)/.test(href)) return href;
    const [file = '', anchor] = href.split('#');
    const found = resolve(path.posix.join(path.posix.dirname(source), file));
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
        const link = `<a class="anchor" href="#${anchor}" aria-label="Link to this">#</a>`;
        return `<h${depth} id="${anchor}">${this.parser.parseInline(tokens)} ${link}</h${depth}>\n`;
      },
      code: ({ text, lang }) => codeBlock(text, lang ?? ''),
      link({ href, tokens }) {
        return `<a href="${escapeHtml(target(href))}">${this.parser.parseInline(tokens)}</a>`;
      },
      image: ({ href, text }) => `<img src="${escapeHtml(target(href))}" alt="${escapeHtml(text)}">`,
      html: ({ text }) => (isComment(text) ? '' : escapeHtml(text)),
    },
  });
  const html = marked.parse(markdown, { async: false });
  // A wide table scrolls by itself, and does not take the page along.
  return {
    html: html.replaceAll('<table>', '<div class="table"><table>').replaceAll('</table>', '</table></div>'),
    headings,
  };
}

function codeBlock(text: string, info: string): string {
  const { language, file } = parseFence(info);
  const known = hljs.getLanguage(language) !== undefined;
  const code = known ? hljs.highlight(text, { language }).value : escapeHtml(text);
  const caption = file === null ? '' : `<figcaption>${escapeHtml(file)}</figcaption>`;
  return `<figure class="code">${caption}<pre tabindex="0"><code>${code}</code></pre></figure>\n`;
}

function plainText(tokens: Tokens.Generic[]): string {
  return tokens
    .map(({ tokens: inner, text, raw }) => (inner ? plainText(inner) : String(text ?? raw)))
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
