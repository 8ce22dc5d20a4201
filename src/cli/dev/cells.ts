/** Text as a terminal lays it out: in cells, of which wide characters take two. */
import truncatedWidth from 'fast-string-truncated-width';

/** Cells from one tab stop to the next, for terminals and for what gcc calls a column. */
const TAB_CELLS = 8;
const ELLIPSIS = '…';

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
  const { index, truncated } = truncatedWidth(text, { limit: cells, ellipsis: ELLIPSIS, ellipsisWidth: 1 });
  return truncated ? `${text.slice(0, index)}${cells > 0 ? ELLIPSIS : ''}` : text;
}

/** @param text without colours. @returns what is left of it behind the first `cells` */
export function behind(text: string, cells: number): string {
  if (cells <= 0) return text;
  const { index, width } = truncatedWidth(text, { limit: cells, ellipsis: '', ellipsisWidth: 0 });
  // A wide character that the cut would go through is lost whole; a blank keeps what follows in its place.
  const next = text.slice(index);
  if (width === cells || next === '') return next;
  const [wide = ''] = next;
  return ` ${next.slice(wide.length)}`;
}
