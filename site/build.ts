/** `npm run docs`: the README and the pages of docs/ as a static site in dist-docs/, which asks for nothing from elsewhere. */
import fs from 'node:fs';
import path from 'node:path';
import { readContents, ROOT } from './contents.ts';
import { layout } from './layout.ts';
import { render } from './markdown.ts';

/**
 * Writes the whole site; what was in the folder is gone.
 *
 * @returns the paths that were written, relative to the folder
 */
export function buildSite(folder: string): readonly string[] {
  const groups = readContents();
  const pages = groups.flatMap((group) => group.pages);
  const files = new Map<string, string>([['site/style.css', 'style.css']]);
  const bySource = new Map(pages.map(({ source, target }) => [source, target]));
  const resolve = (file: string): string => {
    const page = bySource.get(file);
    if (page !== undefined) return page;
    // The site stands alone: what it leads to goes along, as text where a browser would offer to save it.
    const target = path.posix.join('files', /\.(?:svg|png)$/.test(file) ? file : `${file}.txt`);
    files.set(file, target);
    return target;
  };
  fs.rmSync(folder, { recursive: true, force: true });
  for (const page of pages) {
    const content = render(fs.readFileSync(path.join(ROOT, page.source), 'utf8'), page.source, resolve);
    write(path.join(folder, page.target), layout(page, groups, content));
  }
  for (const [file, target] of files)
    write(path.join(folder, target), fs.readFileSync(path.join(ROOT, file)));
  return [...pages.map(({ target }) => target), ...files.values()];
}

function write(file: string, content: string | Uint8Array): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, content);
}
