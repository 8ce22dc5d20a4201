/** One page around its content: navigation, headings, and what comes before and after. Works without a server. */
import type { Page, PageGroup } from './contents.ts';
import { escapeHtml, type Heading, type Rendered } from './markdown.ts';

/** Chosen before anything is drawn, so that the page does not flash. */
const EARLY_THEME = `try { const theme = localStorage.getItem('theme'); if (theme) document.documentElement.dataset.theme = theme; } catch {}`;

const THEME_BUTTON = `document.getElementById('theme').onclick = () => {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = isDark ? 'light' : 'dark';
  try { localStorage.setItem('theme', root.dataset.theme); } catch {}
};`;

export function layout(page: Page, groups: readonly PageGroup[], { html, headings }: Rendered): string {
  const title = headings.find(({ depth }) => depth === 1)?.text ?? page.title;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title === 'napi-reload' ? title : `${title} · napi-reload`)}</title>
<link rel="stylesheet" href="style.css">
<script>${EARLY_THEME}</script>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<a class="brand" href="index.html">napi-reload</a>
<button id="theme" type="button" aria-label="Switch between light and dark">◐</button>
</header>
<div class="columns">
${navigation(page, groups)}
<main id="content">
${html}
${neighbours(page, groups)}
</main>
${outline(headings)}
</div>
<script>${THEME_BUTTON}</script>
</body>
</html>
`;
}

/** Open where there is room; on a narrow screen it is a button. */
function navigation(page: Page, groups: readonly PageGroup[]): string {
  const link = ({ title, target }: Page): string =>
    `<li><a href="${target}"${target === page.target ? ' aria-current="page"' : ''}>${escapeHtml(title)}</a></li>`;
  const lists = groups.map(
    ({ title, pages }) => `<h2>${escapeHtml(title)}</h2>\n<ul>${pages.map(link).join('')}</ul>`,
  );
  return `<nav class="pages" aria-label="Pages">
<input id="menu" type="checkbox"><label for="menu">Pages</label>
<div>${lists.join('\n')}</div>
</nav>`;
}

function outline(headings: readonly Heading[]): string {
  const shown = headings.filter(({ depth }) => depth === 2 || depth === 3);
  if (shown.length < 2) return '';
  const links = shown.map(
    ({ depth, text, anchor }) =>
      `<li class="depth-${depth}"><a href="#${anchor}">${escapeHtml(text)}</a></li>`,
  );
  return `<nav class="outline" aria-label="On this page"><h2>On this page</h2>\n<ul>${links.join('')}</ul></nav>`;
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
