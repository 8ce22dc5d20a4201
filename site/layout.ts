/** One page around its content: navigation, headings, and what comes before and after. Works without a server. */
import type { Page, PageGroup } from './contents.ts';
import { escapeHtml, type Heading, type Rendered, type Section } from './markdown.ts';
import { slugOf } from './slug.ts';

/** Chosen before anything is drawn, so that the page does not flash. */
const EARLY = `document.documentElement.classList.add('script'); try { const theme = localStorage.getItem('theme'); if (theme) document.documentElement.dataset.theme = theme; } catch {}`;

/** Two arrows in a circle. */
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="8" fill="#0b5cad"/><path d="M4 8a4 4 0 0 1 7-2.6M12 8a4 4 0 0 1-7 2.6M11.4 2.6v3h-3M4.6 13.4v-3h3" fill="none" stroke="#fff" stroke-width="1.5"/></svg>';

const DESCRIPTION_MAX = 160;

export function layout(
  page: Page,
  groups: readonly PageGroup[],
  { html, headings, sections }: Rendered,
): string {
  const title = headings.find(({ depth }) => depth === 1)?.text ?? page.title;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="${escapeHtml(descriptionOf(sections))}">
<title>${escapeHtml(title === 'napi-reload' ? title : `${title} · napi-reload`)}</title>
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(ICON)}">
<link rel="stylesheet" href="style.css">
<script>${EARLY}</script>
<script src="page.js" defer></script>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<a class="brand" href="index.html">napi-reload</a>
<form id="search" class="search" role="search" hidden>
<input type="search" aria-label="Search" placeholder="Search (press /)" autocomplete="off" spellcheck="false">
<div class="found"><p id="count" class="count" role="status" hidden></p><ul id="results" class="results" hidden></ul></div>
</form>
<button id="theme" type="button" aria-label="Switch between light and dark" hidden>◐</button>
</header>
<div class="columns">
${navigation(page, groups)}
${outline(headings)}
<main id="content">
${html}
${neighbours(page, groups)}
</main>
</div>
</body>
</html>
`;
}

/** The beginning of the page, up to the end of a sentence where that is near, or else of a word. */
function descriptionOf(sections: readonly Section[]): string {
  const text = sections.find((section) => section.text !== '')?.text ?? '';
  if (text.length <= DESCRIPTION_MAX) return text;
  const start = text.slice(0, DESCRIPTION_MAX);
  const sentences = /^[\s\S]{50,}[.](?= )/.exec(start)?.[0];
  return sentences ?? `${start.slice(0, start.lastIndexOf(' '))} …`;
}

/** Open where there is room; on a narrow screen a button opens it, if there is a script for that. */
function navigation(page: Page, groups: readonly PageGroup[]): string {
  const link = ({ title, target }: Page): string =>
    `<li><a href="${target}"${target === page.target ? ' aria-current="page"' : ''}>${escapeHtml(title)}</a></li>`;
  const lists = groups.map(({ title, pages }) => {
    const id = `pages-${slugOf(title)}`;
    return `<p id="${id}">${escapeHtml(title)}</p>\n<ul aria-labelledby="${id}">${pages.map(link).join('')}</ul>`;
  });
  return `<nav class="pages" aria-label="Pages">
<button id="menu" class="menu" type="button" aria-expanded="false" aria-controls="page-list">Pages</button>
<div id="page-list">${lists.join('\n')}</div>
</nav>`;
}

function outline(headings: readonly Heading[]): string {
  const shown = headings.filter(({ depth }) => depth === 2 || depth === 3);
  if (shown.length < 2) return '';
  const links = shown.map(
    ({ depth, text, anchor }) =>
      `<li class="depth-${depth}"><a href="#${anchor}">${escapeHtml(text)}</a></li>`,
  );
  return `<nav class="outline" aria-label="On this page"><details open><summary>On this page</summary>\n<ul>${links.join('')}</ul></details></nav>`;
}

function neighbours(page: Page, groups: readonly PageGroup[]): string {
  const pages = groups.flatMap((group) => group.pages);
  const index = pages.findIndex(({ target }) => target === page.target);
  const link = (to: Page | undefined, word: string, rel: string): string =>
    to === undefined
      ? '<span></span>'
      : `<a rel="${rel}" href="${to.target}"><small>${word}</small>${escapeHtml(to.title)}</a>`;
  return `<nav class="neighbours" aria-label="Next pages">${link(pages[index - 1], 'Before', 'prev')}${link(pages[index + 1], 'Next', 'next')}</nav>`;
}
