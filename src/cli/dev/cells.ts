/** Text as a terminal lays it out: in cells, of which wide characters take two. */
import truncatedWidth from 'fast-string-truncated-width';

/** Cells from one tab stop to the next, for terminals and for what gcc calls a column. */
export const TAB_CELLS = 8;
const ELLIPSIS = '…';

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** @returns cells that `text`, without tabs and line breaks, takes; sequences for colours take none */
export function widthOf(text: string): number {
  return truncatedWidth(text).width;
}

/** The same text with blanks in place of tabs, as it looks from the first column on. */
export function expandTabs(text: string): string {
  let expanded = '';
  for (const [index, part] of text.split('\t').entries()) {
    if (index > 0) expanded += ' '.repeat(TAB_CELLS - (widthOf(expanded) % TAB_CELLS));
    expanded += part;
  }
  return expanded;
}

/** @param text without colours. @returns as much of its beginning as `cells` hold, with an ellipsis where some is lost */
export function clip(text: string, cells: number): string {
  if (widthOf(text) <= cells) return text;
  return cells < 1 ? '' : text.slice(0, lengthWithin(text, cells - 1)) + ELLIPSIS;
}

/** @param text without colours. @returns what is left of it behind the first `cells` */
export function behind(text: string, cells: number): string {
  const length = lengthWithin(text, cells);
  const rest = text.slice(length);
  if (rest === '' || widthOf(text.slice(0, length)) === cells) return rest;
  // The cut goes through a wide character: a blank keeps what follows in its place.
  const [{ segment = '' } = {}] = segmenter.segment(rest);
  return ` ${rest.slice(segment.length)}`;
}

/** @returns rows that a terminal takes for `text`: a wide character that does not fit into one begins the next */
export function rowsOf(text: string, columns: number): number {
  let rows = 1;
  let at = 0;
  for (const { segment } of segmenter.segment(text)) {
    const width = widthOf(segment);
    if (at + width > columns) {
      rows += 1;
      at = 0;
    }
    at += width;
  }
  return rows;
}

/** @returns length of the longest beginning that the cells hold, in UTF-16 units */
function lengthWithin(text: string, cells: number): number {
  let width = 0;
  for (const { segment, index } of segmenter.segment(text)) {
    width += widthOf(segment);
    if (width > cells) return index;
  }
  return text.length;
}
