/** `npm run docs`: the README and the pages of docs/ as a static site in dist-docs/, which asks for nothing from elsewhere. */
import fs from 'node:fs';
import path from 'node:path';
import type { Part } from './browser/find.mjs';
import { type Page, readContents, ROOT } from './contents.ts';
import { layout } from './layout.ts';
import { type Files, type Rendered, render } from './markdown.ts';

/**
 * Writes the whole site; what was in the folder is gone.
 *
 * @returns the paths that were written, relative to the folder
 */
export function buildSite(folder: string): readonly string[] {
  const groups = readContents();
  const pages = groups.flatMap((group) => group.pages);
  const copied = new Map<string, string>([['site/style.css', 'style.css']]);
  const bySource = new Map(pages.map(({ source, target }) => [source, target]));
  const files: Files = {
    resolve(file) {
      const page = bySource.get(file);
      if (page !== undefined) return page;
      // The site stands alone: what it leads to goes along, as text where a browser would offer to save it.
      const target = path.posix.join('files', /\.(?:svg|png)$/.test(file) ? file : `${file}.txt`);
      copied.set(file, target);
      return target;
    },
    drawing: (file) => (/^docs\/bench\/.*\.svg$/.test(file) ? read(file) : null),
  };
  fs.rmSync(folder, { recursive: true, force: true });
  const parts: Part[] = [];
  for (const page of pages) {
    const content = render(read(page.source), page.source, files);
    parts.push(...partsOf(page, content));
    write(path.join(folder, page.target), layout(page, groups, content));
  }
  const made = new Map([
    ['page.js', pageScript()],
    ['search-index.js', `globalThis.searchIndex = ${JSON.stringify(parts)};\n`],
  ]);
  for (const [target, text] of made) write(path.join(folder, target), text);
  for (const [file, target] of copied)
    write(path.join(folder, target), fs.readFileSync(path.join(ROOT, file)));
  return [...pages.map(({ target }) => target), ...made.keys(), ...copied.values()];
}

/** One script: a page that was opened as a file can import nothing. */
function pageScript(): string {
  const modules = ['find.mjs', 'page.mjs'].map((name) => read(`site/browser/${name}`));
  const text = modules
    .join('\n')
    .replace(/^import .*\n/gm, '')
    .replace(/^export /gm, '');
  return `(() => {\n${text}})();\n`;
}

function partsOf({ title, target }: Page, { headings, sections }: Rendered): readonly Part[] {
  return headings.map(({ depth, text, anchor }, index) => ({
    href: depth === 1 ? target : `${target}#${anchor}`,
    page: title,
    title: text,
    text: sections[index]?.text ?? '',
    terms: sections[index]?.terms ?? [],
  }));
}

function read(file: string): string {
  return fs.readFileSync(path.join(ROOT, file), 'utf8');
}

function write(file: string, content: string | Uint8Array): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, content);
}
