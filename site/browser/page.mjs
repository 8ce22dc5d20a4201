/** What a page does by itself: theme, menu, copies of code, search. It is the end of a script that `find.mjs` begins. */
import { findParts } from './find.mjs';

const RESULTS_MAX = 12;
const WIDE = matchMedia('(min-width: 75rem)');
const root = document.documentElement;
const byId = (id) => document.getElementById(id);

const theme = byId('theme');
theme.hidden = false;
theme.onclick = () => {
  const isDark = root.dataset.theme
    ? root.dataset.theme === 'dark'
    : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = isDark ? 'light' : 'dark';
  try {
    localStorage.setItem('theme', root.dataset.theme);
  } catch {}
};

const menu = byId('menu');
menu.onclick = () => {
  menu.setAttribute('aria-expanded', String(menu.getAttribute('aria-expanded') !== 'true'));
};

const outline = document.querySelector('.outline details');
if (outline !== null) {
  const follow = () => {
    outline.open = WIDE.matches;
  };
  follow();
  WIDE.addEventListener('change', follow);
}

for (const button of document.querySelectorAll('.copy')) {
  button.hidden = false;
  button.onclick = async () => {
    const code = button.parentElement.querySelector('code').textContent;
    button.textContent = (await copy(code)) ? 'Copied' : 'Not copied';
    setTimeout(() => {
      button.textContent = 'Copy';
    }, 1500);
  };
}

/** A page that was opened as a file may have no clipboard. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    const isCopied = document.execCommand('copy');
    area.remove();
    return isCopied;
  }
}

const search = byId('search');
const field = search.querySelector('input');
const results = byId('results');
const count = byId('count');
search.hidden = false;

/** A script instead of a request, which a page that was opened as a file cannot make. */
let index = null;
function load() {
  index ??= new Promise((resolve) => {
    const script = document.createElement('script');
    script.src = 'search-index.js';
    script.onload = () => resolve(globalThis.searchIndex);
    document.head.append(script);
  });
  return index;
}

async function show() {
  const parts = await load();
  const found = findParts(parts, field.value, RESULTS_MAX);
  const isAsked = field.value.trim() !== '';
  results.replaceChildren(...found.map(resultOf));
  results.hidden = found.length === 0;
  count.textContent = isAsked ? (found.length === 0 ? 'Nothing found' : `${found.length} found`) : '';
  count.hidden = !isAsked;
}

function resultOf({ href, page, title, excerpt }) {
  const link = document.createElement('a');
  link.href = href;
  const name = document.createElement('strong');
  name.textContent = title;
  const place = document.createElement('small');
  place.textContent = page === title ? '' : page;
  const text = document.createElement('span');
  text.textContent = excerpt;
  link.append(name, ' ', place, text);
  const item = document.createElement('li');
  item.append(link);
  return item;
}

function hide() {
  results.hidden = true;
  count.hidden = true;
}

field.onfocus = () => void show();
field.oninput = () => void show();
search.onsubmit = (event) => {
  event.preventDefault();
  results.querySelector('a')?.click();
};
results.onclick = hide;
search.onkeydown = (event) => {
  if (event.key === 'Escape') {
    field.value = '';
    hide();
    field.blur();
    return;
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  const stops = [field, ...results.querySelectorAll('a')];
  const next = stops[stops.indexOf(document.activeElement) + step];
  if (next !== undefined) next.focus();
  event.preventDefault();
};
document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || /^(?:INPUT|TEXTAREA)$/.test(document.activeElement?.tagName ?? '')) return;
  field.focus();
  event.preventDefault();
});
document.addEventListener('click', (event) => {
  if (!search.contains(event.target)) hide();
});
