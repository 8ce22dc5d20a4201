/** The pages of the site, in the order in which the README lists them. */
import fs from 'node:fs';
import path from 'node:path';

/** The folder of the repository. */
export const ROOT: string = path.resolve(import.meta.dirname, '..');

export interface Page {
  /** What leads to it in the navigation. */
  readonly title: string;
  /** Relative to the repository. */
  readonly source: string;
  /** Relative to the site. */
  readonly target: string;
}

export interface PageGroup {
  readonly title: string;
  readonly pages: readonly Page[];
}

/** What the README does not list. */
const AROUND: readonly PageGroup[] = [
  {
    title: 'Behind it',
    pages: [
      { title: 'Architecture', source: 'ARCHITECTURE.md', target: 'architecture.html' },
      { title: 'Changes', source: 'CHANGELOG.md', target: 'changelog.html' },
      { title: 'Security', source: 'SECURITY.md', target: 'security.html' },
      { title: 'Contributing', source: 'CONTRIBUTING.md', target: 'contributing.html' },
    ],
  },
];

/** @throws when the section "Documentation" of the README lists no page */
export function readContents(): readonly PageGroup[] {
  const readme = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8');
  const [, section = ''] = /^## Documentation\n([\s\S]*?)^## /m.exec(readme) ?? [];
  const items = [...section.matchAll(/^- \*\*(.+?)\*\*: (.*(?:\n {2}.*)*)/gm)];
  const [first, ...others] = items
    .map(([, title = '', pages = '']): PageGroup => ({ title, pages: pagesIn(pages) }))
    .filter(({ pages }) => pages.length > 0);
  if (first === undefined) throw new Error('Wanted a list of pages in README.md, found none');
  const overview: Page = { title: 'Overview', source: 'README.md', target: 'index.html' };
  return [{ ...first, pages: [overview, ...first.pages] }, ...others, ...AROUND];
}

function pagesIn(text: string): readonly Page[] {
  return [...text.matchAll(/\[([^\]]+)\]\((docs\/([\w-]+)\.md)\)/g)].map(
    ([, title = '', source = '', name = '']) => ({ title, source, target: `${name}.html` }),
  );
}
