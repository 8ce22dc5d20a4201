/** The search of the site: a part of a page for each heading, and those that have all words that are looked for. */

/** What a word is worth, by where it is found. */
const WORTH = { same: 60, begins: 25, term: 20, title: 12, page: 6, word: 3, part: 1 };

/** Characters of text around the first word that is found. */
const EXCERPT = 140;

/**
 * @param {readonly import('./find.mjs').Part[]} parts
 * @param {string} query
 * @param {number} max
 */
export function findParts(parts, query, max) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const found = [];
  for (const part of parts) {
    const worth = worthOf(part, words);
    if (worth > 0) found.push({ part, worth });
  }
  found.sort((one, other) => other.worth - one.worth);
  return found.slice(0, max).map(({ part }) => ({ ...part, excerpt: excerptOf(part.text, words) }));
}

/** 0 where a word is missing. */
function worthOf({ title, page, text, terms }, words) {
  const names = new Set(terms.map((term) => term.toLowerCase()));
  const [inTitle, inPage, inText] = [title, page, text].map((each) => each.toLowerCase());
  let sum = 0;
  for (const word of words) {
    const at = inText.indexOf(word);
    const isWord = at === 0 || (at > 0 && !/[\w-]/.test(inText[at - 1]));
    const worth =
      (inTitle === word ? WORTH.same : inTitle.startsWith(word) ? WORTH.begins : 0) +
      (inTitle.includes(word) ? WORTH.title : 0) +
      (names.has(word) ? WORTH.term : 0) +
      (inPage.includes(word) ? WORTH.page : 0) +
      (at === -1 ? 0 : isWord ? WORTH.word : WORTH.part);
    if (worth === 0) return 0;
    sum += worth;
  }
  return sum;
}

function excerptOf(text, words) {
  const lower = text.toLowerCase();
  const first = Math.max(
    0,
    Math.min(...words.map((word) => lower.indexOf(word)).filter((at) => at >= 0), text.length),
  );
  const near = first === text.length ? 0 : Math.max(0, first - EXCERPT / 3);
  const start = near === 0 ? 0 : text.indexOf(' ', near) + 1;
  const end = Math.min(text.length, start + EXCERPT);
  return `${start > 0 ? '… ' : ''}${text.slice(start, end).trim()}${end < text.length ? ' …' : ''}`;
}
